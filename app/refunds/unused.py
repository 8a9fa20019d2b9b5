"""The suggested amount for the unused part of a paid period, with its arithmetic. Pure.

By the second, like the billing vendor's own proration; half to even; never more than what is left of the charge.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from app.refunds.money import plain
from integrations.kernel.money import Money, half_even


@dataclass(frozen=True, slots=True)
class Suggestion:
    """amount: what to give back. arithmetic: the sum in words, to show beside it."""

    amount: Money
    arithmetic: str


def unused_time(
    paid: Money, start: datetime, end: datetime, now: datetime, left: Money, before: Money | None = None
) -> Suggestion | None:
    """What of `paid` stands for the time from now to the end of the period; None when there is nothing to suggest.

    Args:
        paid: what was paid for the period. start, end: of the period, aware UTC. left: still refundable.
        before: given back of it already, which is taken off.
    """
    if end <= start or now >= end or paid.minor <= 0 or left.minor <= 0:
        return None
    whole = int((end - start).total_seconds())
    rest = int((end - max(now, start)).total_seconds())
    exact = Money(half_even(Fraction(paid.minor * rest, whole)), paid.currency)
    due = exact - before if before else exact
    amount = min(due, left)
    if amount.minor <= 0:
        return None
    text = f"{plain(paid)} × {_days(rest)} of {_days(whole)} unused = {plain(exact)}"
    if before and before.minor:
        text += f", less {plain(before)} given back before = {plain(due)}"
    if amount != due:
        text += f", of which {plain(left)} is left"
    return Suggestion(amount, text)


def _days(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    told = f"{days} day{'' if days == 1 else 's'}"
    return told if not rest else f"{told} {rest // 3600} h {rest % 3600 // 60} min"
