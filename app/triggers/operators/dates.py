"""Dates, by day in UTC, seen from the event's day."""

# ruff: noqa: ANN401 - facts and operands are any JSON value until an operator has looked at them
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from app.triggers.operators.base import NO, NO_VALUE, ODD, YES, Build, Context, Test, Verdict, need, pair, typed

LONGEST_DAYS = 3660


def as_day(value: Any) -> date | None:
    """The day of a date fact: ISO 8601, with or without a time."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return None


def day(operand: Any) -> date:
    """A date operand."""
    found = as_day(operand) if isinstance(operand, str) and len(operand) == 10 else None
    need(found is not None, "give a date such as 2026-11-24")
    return found or date.min


def _days(operand: Any) -> int:
    need(type(operand) is int and 0 <= operand <= LONGEST_DAYS, f"give a number of days, 0 to {LONGEST_DAYS}")
    return int(operand)


def _distance(holds: Callable[[int, int], bool]) -> Build:
    """holds: (days from the event to the fact, the operand's days)."""

    def build(operand: Any) -> Test:
        days = _days(operand)

        def test(value: Any, context: Context) -> Verdict:
            if value is None:
                return NO_VALUE
            seen = as_day(value)
            if seen is None:
                return ODD
            return YES if holds((seen - context.day).days, days) else NO

        return test

    return build


def _is(operand: Any) -> Test:
    wanted = day(operand)
    return typed(as_day, lambda seen: seen == wanted)


def _before(operand: Any) -> Test:
    limit = day(operand)
    return typed(as_day, lambda seen: seen < limit)


def _after(operand: Any) -> Test:
    limit = day(operand)
    return typed(as_day, lambda seen: seen > limit)


def _between(operand: Any) -> Test:
    first, last = map(day, pair(operand))
    need(first <= last, "give the earlier date first")
    return typed(as_day, lambda seen: first <= seen <= last)


OPERATORS: dict[str, Build] = {
    "is": _is,
    "before": _before,
    "after": _after,
    "between": _between,
    "within_next_days": _distance(lambda distance, days: 0 <= distance <= days),
    "within_last_days": _distance(lambda distance, days: -days <= distance <= 0),
}
