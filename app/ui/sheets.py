"""CSV that is safe to open in a spreadsheet (trust.md 2.7)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

# What a spreadsheet takes for the start of a formula, full-width forms included.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def safe_cell(text: str) -> str:
    """An apostrophe in front of what a spreadsheet would compute."""
    return f"'{text}" if text.startswith(FORMULA) else text


def line(values: Iterable[str]) -> str:
    """One line with its end; every cell quoted and safe."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow([safe_cell(value) for value in values])
    return text.getvalue()
