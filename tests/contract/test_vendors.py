"""Every vendor folder, found and not listed: complete, unsigned is refused, its kinds come from its table."""

import importlib
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations import registry
from integrations.kernel.errors import BadSignature, ConfigError
from integrations.kernel.vendor import Port

ROOT = Path(__file__).resolve().parents[2] / "integrations"
SECTIONS = ("## Set up", "## Scopes", "## Limits", "## Remove", "## Known gaps")


def check(card, package):
    """What every vendor must have."""
    assert card.slug == package.rsplit(".", 1)[1]
    assert card.title
    assert card.kinds
    if Port.WEBHOOKS in card.ports:
        webhook = importlib.import_module(f"{package}.webhook")
        for headers in ({}, {"x-signature": "x"}):
            with pytest.raises(BadSignature):
                webhook.verify(headers, b"{}", ["secret"], datetime.now(UTC))
        assert "webhook_secret" in {s.name for s in card.settings if s.secret}


@pytest.mark.parametrize("slug", sorted(registry.find()))
def test_every_vendor_is_complete(slug):
    check(registry.find()[slug], f"integrations.{slug}")
    text = (ROOT / slug / "README.md").read_text(encoding="utf-8")
    assert [section for section in SECTIONS if section not in text] == []


def test_the_vendors_of_the_issue_are_there():
    assert {"zendesk", "stripe"} <= set(registry.find())


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of one vendor folder, made from an existing one as a template."""
    for name in [m for m in sys.modules if m.split(".")[0] == "more_vendors"]:
        del sys.modules[name]  # the package of the test before, in another folder
    folder = tmp_path / "more_vendors"
    shutil.copytree(ROOT / "stripe", folder / "paypath", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "__init__.py").write_text("")
    for path in (folder / "paypath").glob("*.py"):
        text = path.read_text(encoding="utf-8").replace("integrations.stripe", "more_vendors.paypath")
        path.write_text(text.replace('slug="stripe"', 'slug="paypath"'), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_a_new_folder_is_found_and_tested_with_no_other_edit(package):
    found = registry.find("more_vendors")
    assert set(found) == {"paypath"}
    check(found["paypath"], "more_vendors.paypath")


@pytest.mark.parametrize("missing", ["vendor.py", "webhook.py", "client.py"])
def test_a_half_made_folder_is_refused_with_a_sentence(tmp_path, monkeypatch, missing):
    folder = tmp_path / f"half_{missing.removesuffix('.py')}"
    shutil.copytree(ROOT / "stripe", folder / "stripe", ignore=shutil.ignore_patterns("__pycache__", missing))
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=r"half made|no vendor\.py"):
        registry.find(folder.name)


def test_two_folders_with_one_slug_are_refused(package, monkeypatch):
    shutil.copytree(package / "paypath", package / "twin")
    with pytest.raises(ConfigError, match="taken"):
        registry.find("more_vendors")
