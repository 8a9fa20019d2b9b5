"""Monthly recurring revenue, as product.md A defines it. Pure, exact until the last step.

Licensed recurring items of active and past_due subscriptions, normalised to a month, minus repeating and forever
discounts; metered items, trials, paused ones and once-only coupons are left out; half-even rounding once, at the end.

Discounts come off as on an invoice: an item's own from its line, the subscription's (or, where it has none, the payer's)
from the whole; a percentage from every line, an amount once an invoice, so from the lines with the shortest period.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from integrations.kernel.clock import parse_iso
from integrations.kernel.money import half_even

Json = Mapping[str, Any]
Sold = Mapping[tuple[str, str], Json]  # ("product" or "price", id) -> its record
COUNTED = frozenset({"active", "past_due"})
LASTING = frozenset({"repeating", "forever"})
_MONTHS = {"month": Fraction(1), "year": Fraction(12), "week": Fraction(12, 52), "day": Fraction(12, 365)}


def mrr(subscriptions: Iterable[Json], at: datetime, sold: Sold, of_payer: Sequence[Json] = ()) -> dict[str, int]:
    """Minor units a month by currency. of_payer: the payer's own discounts."""
    total: dict[str, Fraction] = defaultdict(Fraction)
    for subscription in subscriptions:
        if subscription["status"] in COUNTED and not subscription["paused"]:
            for currency, amount in _one(subscription, at, sold, of_payer).items():
                total[currency] += amount
    return {currency: half_even(amount) for currency, amount in sorted(total.items())}


def months_of(item: Json) -> Fraction:
    """The length of an item's billing period in months; 0 where nothing recurs."""
    return _MONTHS[item["interval"]] * item["interval_count"] if item["interval"] in _MONTHS else Fraction(0)


def monthly(subscription: Json, at: datetime, sold: Sold, of_payer: Sequence[Json] = ()) -> Fraction | None:
    """One subscription's value a month, whatever its status, exact; None where a price is not known or none recurs."""
    amounts = _one(subscription, at, sold, of_payer)
    known = len(amounts) == 1 and not any(unpriced(item, sold) for item in subscription["items"])
    return next(iter(amounts.values())) if known else None


def _one(subscription: Json, at: datetime, sold: Sold, of_payer: Sequence[Json]) -> dict[str, Fraction]:
    """One subscription, by currency: its invoices are gathered by the length of their period."""
    invoices: dict[str, dict[Fraction, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for item in subscription["items"]:
        amount = None if item["metered"] or item["interval"] not in _MONTHS else period_amount(item, sold)
        if amount is not None:
            months = _MONTHS[item["interval"]] * item["interval_count"]
            invoices[item["currency"]][months] += _less(amount, item["discounts"], item["currency"], at)
    discounts = subscription["discounts"] or of_payer
    monthly = {}
    for currency, by_months in invoices.items():
        shortest = min(by_months)
        monthly[currency] = sum(
            (
                _less(amount, discounts, currency, at, amounts=months == shortest) / months
                for months, amount in by_months.items()
            ),
            Fraction(0),
        )
    return monthly


def _less(
    amount: Fraction, discounts: Iterable[Json], currency: str, at: datetime, *, amounts: bool = True
) -> Fraction:
    """What is left after the discounts, in their order; they never make less than nothing of it."""
    for d in discounts:
        if amount <= 0 or d["duration"] not in LASTING or (d["end"] and parse_iso(d["end"]) <= at):
            continue
        if d["percent"] is not None:
            amount -= amount * Fraction(d["percent"]) / 100
        elif amounts and d["amount"] and d["amount"]["currency"] == currency:
            amount = max(amount - d["amount"]["minor"], Fraction(0))
    return amount


def period_amount(item: Json, sold: Sold) -> Fraction | None:
    """What an item costs a period before discounts; None where its price is not known."""
    packs: int = -(-item["quantity"] // item["pack"]) if item["pack_up"] else item["quantity"] // item["pack"]
    if item["unit"] is not None:
        return Fraction(item["unit"]) * packs
    price = sold.get(("price", item["price_id"]))
    own = next((a for a in price["amounts"] if a["currency"] == item["currency"]), None) if price else None
    if price is None or own is None:
        return None
    if own["unit"] is not None:
        return Fraction(own["unit"]) * packs
    return _tiered(own["tiers"], packs, graduated=price["graduated"]) if own["tiers"] else None


def _tiered(tiers: Sequence[Json], quantity: int, *, graduated: bool) -> Fraction:
    """Graduated: each tier's units at its price. Else (volume): all units at the price of the tier they end in."""
    if not graduated:
        last = next((t for t in tiers if t["up_to"] is None or quantity <= t["up_to"]), tiers[-1])
        return quantity * Fraction(last["unit"]) + Fraction(last["flat"])
    total, below = Fraction(0), 0
    for tier in tiers:
        within = quantity - below if tier["up_to"] is None else min(quantity, tier["up_to"]) - below
        if within <= 0:
            break
        total += within * Fraction(tier["unit"]) + Fraction(tier["flat"])
        below += within
    return total


def unpriced(item: Json, sold: Sold) -> bool:
    """Is this an item that should count, and cannot, because its price is not known?"""
    return not item["metered"] and item["interval"] in _MONTHS and period_amount(item, sold) is None


def next_change(objects: Mapping[str, Sequence[Json]], at: datetime) -> datetime | None:
    """When a discount ends next: the profile must be computed again then, without any event."""
    subscriptions = objects.get("subscription", ())
    told = [d for one in (*objects.get("payer", ()), *subscriptions) for d in one["discounts"]]
    told += [d for s in subscriptions for item in s["items"] for d in item["discounts"]]
    return min((end for d in told if d["end"] and (end := parse_iso(d["end"])) > at), default=None)
