"""Strict JSON for whatever comes from outside: bounded before it is parsed, unambiguous when it is.

The bytes are bounded by passes of C over them, so that the parser never sees what could exhaust it; then the standard
parser, with duplicate names, NaN, Infinity, numbers beyond a float and half characters refused.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from integrations.kernel.errors import MalformedPayload

MAX_DEPTH = 64
MAX_MEMBERS = 20_000
MAX_DIGITS = 40

# Strings are taken out whole, so that brackets, commas and digits inside of them do not count. Possessive, and matching
# a string that never ends too: no byte is looked at twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+["\\]?', re.DOTALL)
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in a body.

    Raises:
        MalformedPayload: not strict UTF-8, not JSON, not an object, too deep, too many members, numbers too long,
            a name given twice, NaN or Infinity, half a character (a lone surrogate).
    """
    _bound(body)
    try:
        value = json.loads(
            body.decode("utf-8", "strict"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_float
        )
        if rb"\ud" in body or rb"\uD" in body:  # escapes can smuggle in half a character, which no database can hold
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedPayload("not strict JSON") from error
    if not isinstance(value, dict):
        raise MalformedPayload("the root is not an object")
    return value


def _bound(body: bytes) -> None:
    bare = _STRING.sub(b"", body)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > MAX_MEMBERS:
        raise MalformedPayload("too many members")
    if _LONG_NUMBER.search(bare):
        raise MalformedPayload("a number too long")
    depth = 0
    for bracket in bare.translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise MalformedPayload("too deep")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name is given twice")
    return value


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:20]} is beyond any number")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
