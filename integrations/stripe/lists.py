"""Where Stripe lists what, what must be expanded there, and how its events are walked in windows of time."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Any

# kind -> list, what only a list needs, what to expand (below `data.` in a list). Source: stripe-python 16.1.0, list
# parameters, read 2026-11; four levels of expansion are the most (R).
PATHS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "payer": ("/v1/customers", {}, ("discount.source.coupon",)),
    "product": ("/v1/products", {}, ()),
    "price": ("/v1/prices", {}, ("tiers", "currency_options")),
    "subscription": ("/v1/subscriptions", {"status": "all"}, ("discounts.source.coupon", "items.data.discounts")),
    "invoice": ("/v1/invoices", {}, ()),
    "invoice_payment": ("/v1/invoice_payments", {}, ()),
    "charge": ("/v1/charges", {}, ()),
    "refund": ("/v1/refunds", {}, ()),
    "dispute": ("/v1/disputes", {}, ()),
    "credit_note": ("/v1/credit_notes", {}, ()),
    "payment_method": ("/v1/payment_methods", {}, ()),
}
EXPANDABLE = frozenset({"payer", "subscription"})  # kinds that carry discounts
WINDOW_S = 300
MANY, FEW = 1_000, 100  # events in a window: the next one is half, or twice as long


def endpoint_of(method: str, path: str) -> str:
    """`GET /v1/customers/cus_1` is `customers_one`, the list is `customers`."""
    parts = [p for p in path.split("/") if p]
    return "_".join(parts[1:2] + (["one"] if len(parts) > 2 else [])) or "other"


def windows(since: datetime, until: datetime) -> Generator[tuple[int, int], int, None]:
    """Windows of whole seconds, both ends in it, that meet without a gap; told how many events were found in each."""
    start, last = int(since.timestamp()), int(until.timestamp())
    size = WINDOW_S
    while start <= last:
        end = min(start + size - 1, last)
        found = (yield start, end) or 0
        start = end + 1
        size = size * 2 if found < FEW else max(1, size // 2) if found > MANY else size


def _discounts(objects: Sequence[Mapping[str, Any]]) -> Iterator[MutableMapping[str, Any]]:
    """Every expanded discount of customers and subscriptions, of their items too."""
    for o in objects:
        items = (o.get("items") or {}).get("data") or ()
        told = [o.get("discount"), *(o.get("discounts") or ()), *(d for i in items for d in i.get("discounts") or ())]
        yield from (d for d in told if isinstance(d, dict))


def coupon_ids(objects: Sequence[Mapping[str, Any]]) -> set[str]:
    """Coupons that came as ids."""
    sources = (d.get("source") or {} for d in _discounts(objects))
    return {c for s in sources if isinstance(c := s.get("coupon"), str)}


def put_coupons(objects: Sequence[Mapping[str, Any]], coupons: Mapping[str, Mapping[str, Any]]) -> None:
    """Put known coupons in the place of their ids, in the answers themselves."""
    for d in _discounts(objects):
        source = d.get("source") or {}
        if isinstance(source.get("coupon"), str) and source["coupon"] in coupons:
            source["coupon"] = coupons[source["coupon"]]
