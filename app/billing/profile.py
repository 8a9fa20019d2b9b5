"""A payer's profile from its objects: base values and dates, never "days until". Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.billing.mrr import Sold, mrr, unpriced
from integrations.kernel.clock import iso, parse_iso

Objects = Mapping[str, Sequence[Mapping[str, Any]]]
# A payer with several subscriptions shows the one that needs attention most.
WORST_FIRST = ("past_due", "unpaid", "active", "trialing", "paused", "canceled", "none")
LIVE = frozenset({"active", "past_due", "trialing", "unpaid", "paused"})
RENEWS = LIVE - {"paused"}
KEPT = timedelta(days=400)  # refunds and failed payments, the newest of them
AT_MOST = 100
OPEN_DISPUTE = frozenset(
    {"needs_response", "under_review", "warning_needs_response", "warning_under_review", "appeal_needs_response",
     "appeal_under_review"}
)  # fmt: skip


def profile(objects: Objects, sold: Sold, at: datetime, seats_used_key: str) -> dict[str, Any]:
    """The profile as it is stored; equal objects give equal profiles. sold: products and prices by (kind, id)."""
    payer: Mapping[str, Any] = objects["payer"][0] if objects.get("payer") else {}
    subscriptions = [s for s in objects.get("subscription", ()) if status_of(s) in LIVE]
    charges = objects.get("charge", ())
    return {
        "country": payer.get("country"),
        "created": payer.get("created"),
        "balance": payer.get("balance"),
        "status": _worst(map(status_of, objects.get("subscription", ()))),
        "mrr": mrr(subscriptions, at, sold, payer.get("discounts", ())),
        "seats_used": seats_used(subscriptions, seats_used_key),
        "renews_on": _first(end for s in subscriptions if status_of(s) in RENEWS for end in renewals(s)),
        "cancel_at": _first(end for s in subscriptions for end in ends(s)),
        "trial_ends_on": _first(s["trial_end"] for s in subscriptions if s["status"] == "trialing"),
        "card_expires": _card_expires(payer, subscriptions, objects.get("payment_method", ())),
        "dispute": _dispute(objects.get("dispute", ())),
        **_what(payer, subscriptions, sold),
        **_owed(objects.get("invoice", ())),
        **_paid(charges, objects.get("refund", ()), at),
    }


def _what(payer: Mapping[str, Any], subscriptions: Sequence[Mapping[str, Any]], sold: Sold) -> dict[str, Any]:
    """What they have: plans, products, seats. `sold` names the products and prices, so that a rename finds them."""
    items = [i for s in subscriptions for i in s["items"]]
    names = {key: str(record.get("name") or "") for key, record in sold.items()}
    products = [names.get(("product", i["product_id"]), "") for i in items]
    plans = [names.get(("price", i["price_id"])) or i["plan"] or p for i, p in zip(items, products, strict=True)]
    return {
        "plans": _distinct(plans),
        "products": _distinct(products),
        "sold": _distinct([*(i["product_id"] for i in items), *(i["price_id"] for i in items)]),
        "seats": sum(i["quantity"] for i in items if not i["metered"]) if items else None,
        "currency": payer.get("currency") or next((i["currency"] for i in items), None),
        "unpriced": sum(unpriced(i, sold) for i in items),
    }


def _owed(invoices: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Invoices a payment was tried for in vain, and the due days of those the customer pays by themselves."""
    still_open = [i for i in invoices if i["status"] == "open" and i["remaining"]["minor"] > 0]
    return {
        "unpaid_invoices": sum(1 for i in still_open if i["attempts"] > 0 and not i["due"]),
        "due": sorted(i["due"] for i in still_open if i["due"])[:AT_MOST],
    }


def _paid(charges: Sequence[Mapping[str, Any]], refunds: Sequence[Mapping[str, Any]], at: datetime) -> dict[str, Any]:
    given_back = [[r["created"], r["amount"]] for r in refunds if r["status"] in ("succeeded", "pending")]
    return {
        "ltv": _ltv(charges),
        "payments": sum(1 for c in charges if c["status"] == "succeeded"),
        "failed": _recent([[c["created"]] for c in charges if c["status"] == "failed"], at),
        "last_failure": _last_failure(charges),
        "refunds": _recent(given_back, at),
    }


def renewals(subscription: Mapping[str, Any]) -> Iterable[str]:
    """Period ends after which it goes on: with `cancel_at` set, `cancel_at_period_end` may read false (sheet 3.7)."""
    if subscription["cancel_at_period_end"]:
        return ()
    periods = (i["period_end"] for i in subscription["items"] if i["period_end"])
    cancel_at = subscription["cancel_at"]
    return (end for end in periods if not cancel_at or parse_iso(end) < parse_iso(cancel_at))


def ends(subscription: Mapping[str, Any]) -> Iterable[str | None]:
    """When it ends, where it was cancelled."""
    if subscription["cancel_at"]:
        return (subscription["cancel_at"],)
    return (i["period_end"] for i in subscription["items"]) if subscription["cancel_at_period_end"] else ()


def _card_expires(
    payer: Mapping[str, Any], subscriptions: Sequence[Mapping[str, Any]], methods: Sequence[Mapping[str, Any]]
) -> list[int] | None:
    """Of the cards that pay, the one that ends first; where none is named, the card that lasts longest."""
    cards = {m["id"]: [m["exp_year"], m["exp_month"]] for m in methods if m["exp_year"] and m["exp_month"]}
    pays = {s["method_id"] or payer.get("method_id") for s in subscriptions} or {payer.get("method_id")}
    named = [cards[one] for one in pays if one in cards]
    return min(named) if named else max(cards.values(), default=None)


def status_of(subscription: Mapping[str, Any]) -> str:
    """Ours: a paused collection is paused; incomplete ones never began."""
    status = str(subscription["status"])
    if subscription["paused"] and status in ("active", "past_due", "trialing"):
        return "paused"
    return "none" if status.startswith("incomplete") else status


def _worst(statuses: Iterable[str]) -> str:
    known = set(statuses)
    return next((s for s in WORST_FIRST if s in known), "none")


def _distinct(values: Iterable[str]) -> list[str]:
    return sorted({value for value in values if value})


def _first(times: Iterable[str | None]) -> str | None:
    """The earliest day, as a date."""
    days = [parse_iso(t).date().isoformat() for t in times if t]
    return min(days, default=None)


def seats_used(subscriptions: Sequence[Mapping[str, Any]], key: str) -> int | None:
    """Seats in use by the metadata key the admin names; None where it is on none of them."""
    told = [s["metadata"].get(key, "") for s in subscriptions]
    numbers = [int(text) for text in told if text.isascii() and text.isdigit() and len(text) < 10]
    return sum(numbers) if numbers else None


def _ltv(charges: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Paid minus refunded, by currency."""
    total: dict[str, int] = defaultdict(int)
    for c in charges:
        if c["status"] == "succeeded":
            total[c["captured"]["currency"]] += c["captured"]["minor"] - c["refunded"]["minor"]
    return dict(sorted(total.items()))


def _recent(rows: Sequence[list[Any]], at: datetime) -> list[list[Any]]:
    """Rows whose first value is a time lately, oldest first. Cut at a whole day, so that profiles repeat."""
    since = iso((at - KEPT).replace(hour=0, minute=0, second=0, microsecond=0))
    return sorted((row for row in rows if row[0] >= since), key=lambda row: str(row))[-AT_MOST:]


def _last_failure(charges: Sequence[Mapping[str, Any]]) -> str | None:
    failed = [c for c in charges if c["status"] == "failed"]
    if not failed:
        return None
    last = max(failed, key=lambda c: (c["created"], c["id"]))
    return f"{last['failure_code'] or 'failed'}: {last['failure_text'] or 'no reason given'}"


def _dispute(disputes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The open dispute that is due first."""
    still_open = [d for d in disputes if d["status"] in OPEN_DISPUTE]
    if not still_open:
        return None
    one = min(still_open, key=lambda d: (d["due_by"] or "9999", d["id"]))
    inquiry = one["status"].startswith("warning_")
    return {"amount": one["amount"], "reason": one["reason"], "due_by": one["due_by"], "inquiry": inquiry}
