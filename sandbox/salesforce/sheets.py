"""CSV of bulk jobs, read strictly and written. Pure. (R): what each mistake is called."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.salesforce.kinds import Field

DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
EMPTIES = "#N/A"
_NUMBERS = frozenset({"int", "double", "currency", "percent"})
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class Unreadable(Exception):
    """A file that no record of can be taken; its text is the job's errorMessage."""


def read(body: bytes, delimiter: str, ending: str) -> tuple[list[str], list[list[str]]]:
    """Header and lines. Raises Unreadable: no UTF-8, another line ending than said, quotes or cells that do not fit."""
    try:
        text = body.decode("utf-8-sig")
        first, _, _ = text.partition("\n")
        if ("\n" in text) and first.endswith("\r") != (ending == "CRLF"):
            told = f"LineEnding is invalid on user data. Current LineEnding setting is {ending}"
            raise Unreadable(f"ClientInputError : {told}")
        rows = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter], strict=True) if r]
    except UnicodeDecodeError as error:
        raise Unreadable("ClientInputError : the file is no UTF-8") from error
    except csv.Error as error:
        raise Unreadable(f"InvalidBatch : Failed to parse CSV: {error}") from error
    if not rows:
        raise Unreadable("InvalidBatch : Failed to parse CSV: it is empty")
    if uneven := next((n for n, row in enumerate(rows, 1) if len(row) != len(rows[0])), 0):
        raise Unreadable(
            f"InvalidBatch : Failed to parse CSV: line {uneven} has another number of cells than the header"
        )
    return rows[0], rows[1:]


def header(columns: Sequence[str], fields: Mapping[str, Field], key: str) -> list[str]:
    """The fields' own names. Raises Unreadable for one that is none, is there twice, or a key that is missing."""
    known = {name.casefold(): name for name in fields}
    if unknown := next((one for one in columns if one.casefold() not in known), None):
        raise Unreadable(f"InvalidBatch : Field name not found : {unknown}")
    names = [known[one.casefold()] for one in columns]
    if len(set(names)) < len(names):
        raise Unreadable("InvalidBatch : Failed to parse CSV: a column is there twice")
    if key and key not in names:
        raise Unreadable(f"InvalidBatch : Field name not found : {key}")
    return names


def record(names: Sequence[str], line: Sequence[str], fields: Mapping[str, Field]) -> dict[str, Any]:
    """An empty cell leaves its field alone; `#N/A` empties it. What is no such value stays a text, and is refused later."""
    return {name: _value(fields[name].kind, cell) for name, cell in zip(names, line, strict=True) if cell != ""}


def _value(kind: str, cell: str) -> Any:  # noqa: ANN401 - a JSON value
    if cell == EMPTIES:
        return None
    if kind == "boolean":
        return _TRUTHS.get(cell.lower(), cell)
    if kind in _NUMBERS:
        try:
            return int(cell) if kind == "int" else float(cell)
        except ValueError:
            return cell
    return cell


def write(columns: Sequence[str], lines: Sequence[Sequence[str]], delimiter: str, ending: str) -> str:
    """Every cell quoted."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=DELIMITERS[delimiter], quoting=csv.QUOTE_ALL, lineterminator=ENDINGS[ending])
    writer.writerows([columns, *lines])
    return buffer.getvalue()
