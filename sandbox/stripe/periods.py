"""Periods as Stripe counts them: months by the calendar, weeks and days by the clock."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

DAY = 86_400
Interval = tuple[str, int]


def shift(moment: int, interval: Interval, times: int = 1) -> int:
    """`times` intervals later (earlier when below zero). moment: Unix seconds. The 31st becomes a month's last day."""
    word, count = interval[0], interval[1] * times
    if word in ("day", "week"):
        return moment + count * (DAY if word == "day" else 7 * DAY)
    at = datetime.fromtimestamp(moment, UTC)
    months = at.year * 12 + at.month - 1 + count * (12 if word == "year" else 1)
    year, month = divmod(months, 12)
    day = min(at.day, monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp())


def interval_of(its_price: dict[str, object]) -> Interval:
    """The interval of a recurring price."""
    recurring = its_price["recurring"]
    assert isinstance(recurring, dict)  # noqa: S101 - a recurring price always has one
    return str(recurring["interval"]), int(recurring["interval_count"])
