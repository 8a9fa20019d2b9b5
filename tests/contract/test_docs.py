"""The reference pages are what the code says; links lead somewhere; the README's commands exist."""

import re
from pathlib import Path

import pytest

from app.cli.reference import pages

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROOT = DOCS.parent


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_reference_page_is_what_the_code_says(name):
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `flask docs write` and commit the result"


@pytest.mark.parametrize(
    "path", [p for p in (*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("*/*/README.md"))], ids=str
)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_the_readme_names_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text
