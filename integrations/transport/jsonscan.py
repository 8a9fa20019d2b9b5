"""Strict JSON for whatever comes from outside: bounded before it is parsed, unambiguous when it is.

One linear pass of a compiled expression bounds depth, members and digits, so that the parser never sees what could
exhaust it; then the standard parser, with duplicate names, NaN and lone surrogates refused.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from integrations.kernel.errors import MalformedPayload

MAX_DEPTH = 64
MAX_MEMBERS = 20_000
MAX_DIGITS = 40

# Strings are skipped whole, so that brackets and digits inside of them do not count.
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]|,|[0-9]{%d,}' % (MAX_DIGITS + 1), re.DOTALL)


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in a body.

    Raises:
        MalformedPayload: not strict UTF-8, not JSON, not an object, too deep, too many members, numbers too long,
            a name given twice, NaN or Infinity, a lone surrogate.
    """
    _bound(body)
    try:
        value = json.loads(body.decode("utf-8", "strict"), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedPayload("not strict JSON") from error
    if not isinstance(value, dict):
        raise MalformedPayload("the root is not an object")
    if b"\\u" in body:
        _refuse_surrogates(value)
    return value


def _bound(body: bytes) -> None:
    depth = members = 0
    for match in _TOKENS.finditer(body):
        first = body[match.start()]
        if first in b"[{":
            depth += 1
            members += 1
            if depth > MAX_DEPTH:
                raise MalformedPayload("too deep")
        elif first in b"]}":
            depth -= 1
        elif first == 0x2C:
            members += 1
        elif first != 0x22:
            raise MalformedPayload("a number too long")
    if members > MAX_MEMBERS:
        raise MalformedPayload("too many members")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name is given twice")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_surrogates(value: object) -> None:
    """Escapes can smuggle in half a character, which no database and no log can hold."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if not item.isascii():
                try:
                    item.encode()
                except UnicodeEncodeError as error:
                    raise MalformedPayload("half a character") from error
        elif isinstance(item, dict):
            todo += [*item, *item.values()]
        elif isinstance(item, list):
            todo += item
