"""The house: sizes of files and functions, one place for each SDK, commands that the README names."""

from __future__ import annotations

import ast
import statistics
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "integrations", "webhooks", "sidebar_app", "sandbox", "bench", "migrations", "tests")
SDKS = {"zenpy": "zendesk", "stripe": "stripe", "simple_salesforce": "salesforce"}


def _files(packages=PACKAGES):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return [ROOT / name for name in listed if name.split("/")[0] in packages and (ROOT / name).exists()]


def _lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_over_500_lines_and_the_median_is_under_120():
    sizes = {path: _lines(path) for path in _files()}
    assert not {str(p.relative_to(ROOT)): n for p, n in sizes.items() if n > 500}
    assert statistics.median(sizes.values()) < 120


def test_no_function_is_over_50_lines_and_the_median_is_under_10():
    sizes = {}
    for path in _files([p for p in PACKAGES if p != "migrations"]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                sizes[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = (node.end_lineno or 0) - node.lineno + 1
    assert not {name: n for name, n in sizes.items() if n > 50}
    assert statistics.median(sizes.values()) <= 10


def _code_lines(path):
    """Lines that are neither blank, comment nor docstring: shapes and units may be explained at any length."""
    text = path.read_text(encoding="utf-8")
    explained = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            explained |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(1 for n, line in lines if line.strip() and not line.strip().startswith("#") and n not in explained)


def test_the_kernel_stays_small():
    lines = sum(_code_lines(path) for path in (ROOT / "integrations" / "kernel").glob("*.py"))
    assert lines < 800, "the kernel is words only; what grew does not belong there"


@pytest.mark.parametrize(("sdk", "vendor"), sorted(SDKS.items()))
def test_an_sdk_is_imported_in_its_client_only(sdk, vendor):
    users = set()
    for path in _files([p for p in PACKAGES if p not in ("tests", "bench")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [a.name for a in node.names] if isinstance(node, ast.Import)
                else [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            )  # fmt: skip
            if any(name.split(".")[0] == sdk for name in names):
                users.add(path.relative_to(ROOT).as_posix())
    assert users <= {f"integrations/{vendor}/client.py"}


def test_make_alone_prints_every_command_with_a_line():
    shown = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in ("demo", "test", "bench", "lint", "venv", "sandbox", "contracts"):
        assert f"make {name} " in shown


def test_nothing_third_party_and_no_machine_path_is_in_git():
    for path in _files():
        text = path.read_text(encoding="utf-8")
        assert "/work/" + "main" not in text, path
        assert "pypi" + ".org" not in text, path
