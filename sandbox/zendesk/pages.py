"""Pages of a list: by cursor where page[size] is given, else by number.

Source: vendor sheet 1.8: page[size] at most 100; offset pages stop at page 100 or 10,000 records with 400.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request

from sandbox.zendesk import params
from sandbox.zendesk.errors import bad_request
from sandbox.zendesk.shapes import HOST

LARGEST = 100
RECORDS = 10_000


def link(**changes: object) -> str:
    """This request's address at the real host with other parameters; None takes one out."""
    asked = {name: value for name, value in {**dict(request.args), **changes}.items() if value is not None}
    return f"{HOST}{request.path}?{urlencode(asked)}"


def page(name: str, rows: Sequence[Mapping[str, Any]], *, descending: bool = False) -> dict[str, Any]:
    """One page of rows, which are sorted by `id` already."""
    if descending:
        rows = rows[::-1]
    if any(key.startswith("page[") for key in request.args):
        return _by_cursor(name, rows)
    size, wanted = params.number("per_page", LARGEST, 1), params.number("page", 1, 1)
    size = min(size, LARGEST)
    if wanted > 100 or wanted * size > RECORDS:
        raise bad_request("Offset pagination stops at 10,000 records; use cursor pagination", "InvalidPaginationDepth")
    start = (wanted - 1) * size
    more = len(rows) > start + size
    return {
        name: list(rows[start : start + size]),
        "next_page": link(page=wanted + 1, per_page=size) if more else None,
        "previous_page": link(page=wanted - 1, per_page=size) if wanted > 1 else None,
        "count": len(rows),
    }


def _by_cursor(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """After the row a cursor names, also when that row is gone: ids are in order."""
    if "page" in request.args:
        raise bad_request("page and page[size] exclude each other", "InvalidPaginationParameter")
    size = params.number("page[size]", LARGEST, 1, LARGEST)
    start, end = 0, len(rows)
    rising = len(rows) < 2 or rows[0]["id"] < rows[-1]["id"]
    if after := request.args.get("page[after]", ""):
        start = sum(not _past(row["id"], _read(after), rising) for row in rows)
    elif before := request.args.get("page[before]", ""):
        end = sum(_past(_read(before), row["id"], rising) for row in rows)
        start = max(0, end - size)
    shown = list(rows[start : min(end, start + size)])
    has_more = len(rows) > start + size
    first, last = (_cursor(shown[n]["id"]) if shown else None for n in (0, -1))
    return {
        name: shown,
        "meta": {"has_more": has_more, "after_cursor": last, "before_cursor": first},
        "links": {
            "prev": link(**{"page[before]": first, "page[size]": size}) if start and first else None,
            "next": link(**{"page[after]": last, "page[size]": size}) if has_more else None,
        },
    }


def _past(one: int, other: int, rising: bool) -> bool:
    """Does `one` come after `other`?"""
    return one > other if rising else one < other


def _cursor(row_id: int) -> str:
    return base64.urlsafe_b64encode(f"o{row_id}".encode()).decode()


def _read(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("o"))
    except (binascii.Error, ValueError) as error:
        raise bad_request("page[after] is not a cursor of this list", "InvalidPaginationParameter") from error
