"""Monthly recurring revenue, as product.md A defines it. Pure, exact until the last step.

Licensed recurring items of active and past_due subscriptions, normalised to a month, minus repeating and forever
discounts; metered items, trials, paused ones and once-only coupons are left out; half-even rounding once, at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from integrations.kernel.clock import parse_iso
from integrations.kernel.money import half_even

COUNTED = frozenset({"active", "past_due"})
_MONTHS = {"month": Fraction(1), "year": Fraction(12), "week": Fraction(12, 52), "day": Fraction(12, 365)}


def mrr(subscriptions: Iterable[Mapping[str, Any]], at: datetime) -> dict[str, int]:
    """Minor units a month by currency."""
    total: dict[str, Fraction] = defaultdict(Fraction)
    for subscription in subscriptions:
        if subscription["status"] in COUNTED and not subscription["paused"]:
            for currency, amount in _one(subscription, at).items():
                total[currency] += amount
    return {currency: half_even(amount) for currency, amount in sorted(total.items())}


def _one(subscription: Mapping[str, Any], at: datetime) -> dict[str, Fraction]:
    by_currency: dict[str, Fraction] = defaultdict(Fraction)
    months = Fraction(1)
    for item in subscription["items"]:
        if item["metered"] or item["unit"] is None or item["interval"] not in _MONTHS:
            continue
        months = _MONTHS[item["interval"]] * item["interval_count"]
        period = Fraction(item["unit"]) * item["quantity"]
        by_currency[item["currency"]] += _less(period, item["discounts"], item["currency"], at) / months
    return {
        currency: _less(amount * months, subscription["discounts"], currency, at) / months
        for currency, amount in by_currency.items()
    }


def _less(period: Fraction, discounts: Iterable[Mapping[str, Any]], currency: str, at: datetime) -> Fraction:
    """What is left of one period's amount; never below nothing."""
    for d in discounts:
        if d["duration"] not in ("repeating", "forever") or (d["end"] and parse_iso(d["end"]) <= at):
            continue
        if d["percent"] is not None:
            period -= period * Fraction(d["percent"]) / 100
        elif d["amount"] and d["amount"]["currency"] == currency:
            period -= d["amount"]["minor"]
    return max(period, Fraction(0))


def next_change(subscriptions: Iterable[Mapping[str, Any]], at: datetime) -> datetime | None:
    """When a discount ends next: the profile must be computed again then, without any event."""
    ends = [
        parse_iso(d["end"])
        for s in subscriptions
        for d in [*s["discounts"], *(d for item in s["items"] for d in item["discounts"])]
        if d["end"]
    ]
    return min((end for end in ends if end > at), default=None)
