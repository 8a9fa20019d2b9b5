"""Numbers, and durations: a duration fact is seconds, its operand is written `90m`, `4h`, `3d` or `2w`."""

# ruff: noqa: ANN401 - facts and operands are any JSON value until an operator has looked at them
from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from app.triggers.operators.base import YES, Build, Test, need, pair, typed

Number = int | float
_DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def as_number(value: Any) -> Number | None:
    """A number fact."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and math.isnan(value))
    ):
        return None
    return value


def number(operand: Any) -> Number:
    """A number operand."""
    need(type(operand) in (int, float) and abs(operand) < 10**18, "give a number")
    value: Number = operand
    return value


def seconds(operand: Any) -> Number:
    """A duration operand."""
    match = _DURATION.fullmatch(operand) if isinstance(operand, str) else None
    need(match is not None, "give a duration such as 90m, 4h, 3d or 2w")
    return int(match[1]) * _SECONDS[match[2]] if match else 0


def equal(read: Callable[[Any], Number | None]) -> dict[str, Build]:
    """`is` and `is_not`."""

    def is_(operand: Any) -> Test:
        wanted = number(operand)
        return typed(read, lambda n: n == wanted)

    def is_not(operand: Any) -> Test:
        wanted = number(operand)
        return typed(read, lambda n: n != wanted, empty=YES)

    return {"is": is_, "is_not": is_not}


def compare(read: Callable[[Any], Number | None], operand_of: Callable[[Any], Number]) -> dict[str, Build]:
    """`at_least`, `at_most`, `between`; both ends belong to it."""

    def at_least(operand: Any) -> Test:
        low = operand_of(operand)
        return typed(read, lambda n: n >= low)

    def at_most(operand: Any) -> Test:
        high = operand_of(operand)
        return typed(read, lambda n: n <= high)

    def between(operand: Any) -> Test:
        low, high = map(operand_of, pair(operand))
        need(low <= high, "give the lower value first")
        return typed(read, lambda n: low <= n <= high)

    return {"at_least": at_least, "at_most": at_most, "between": between}
