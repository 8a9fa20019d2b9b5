"""A payer's profile from its objects: base values and dates, never "days until". Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.billing.mrr import mrr
from integrations.kernel.clock import iso, parse_iso

Objects = Mapping[str, Sequence[Mapping[str, Any]]]
# A payer with several subscriptions shows the one that needs attention most.
WORST_FIRST = ("past_due", "unpaid", "active", "trialing", "paused", "canceled", "none")
LIVE = frozenset({"active", "past_due", "trialing", "unpaid", "paused"})
KEPT = timedelta(days=100)  # refunds and failed payments: the longest window a fact asks for is 90 days
OPEN_DISPUTE = frozenset(
    {"needs_response", "under_review", "warning_needs_response", "warning_under_review", "appeal_needs_response",
     "appeal_under_review"}
)  # fmt: skip


def profile(objects: Objects, products: Mapping[str, str], at: datetime, seats_used_key: str) -> dict[str, Any]:
    """The profile as it is stored; equal objects give equal profiles."""
    payer = objects["payer"][0] if objects.get("payer") else {}
    subscriptions = [s for s in objects.get("subscription", ()) if _status(s) in LIVE]
    items = [i for s in subscriptions for i in s["items"]]
    charges = objects.get("charge", ())
    method = max(objects.get("payment_method", ()), key=lambda m: (m["exp_year"] or 0, m["exp_month"] or 0), default={})
    return {
        "country": payer.get("country"),
        "created": payer.get("created"),
        "balance": payer.get("balance"),
        "currency": payer.get("currency") or next((i["currency"] for i in items), None),
        "status": _worst(map(_status, objects.get("subscription", ()))),
        "plans": _distinct(i["plan"] or products.get(i["product_id"], "") for i in items),
        "products": _distinct(products.get(i["product_id"], "") for i in items),
        "product_ids": _distinct(i["product_id"] for i in items),
        "seats": sum(i["quantity"] for i in items if not i["metered"]) if items else None,
        "seats_used": _seats_used(subscriptions, seats_used_key),
        "mrr": mrr(subscriptions, at),
        "ltv": _ltv(charges),
        "renews_on": _first(
            i["period_end"] for s in subscriptions if not s["cancel_at_period_end"] for i in s["items"]
        ),
        "cancel_at": _first(
            [s["cancel_at"] for s in subscriptions]
            + [i["period_end"] for s in subscriptions if s["cancel_at_period_end"] for i in s["items"]]
        ),
        "trial_ends_on": _first(s["trial_end"] for s in subscriptions if s["status"] == "trialing"),
        "unpaid_invoices": sum(1 for i in objects.get("invoice", ()) if i["status"] == "open" and i["attempts"] > 0),
        "failed": _recent([[c["created"]] for c in charges if c["status"] == "failed"], at),
        "last_failure": _last_failure(charges),
        "payments": sum(1 for c in charges if c["status"] == "succeeded"),
        "refunds": _recent(
            [[r["created"], r["amount"]] for r in objects.get("refund", ()) if r["status"] in ("succeeded", "pending")],
            at,
        ),
        "card_expires": [method["exp_year"], method["exp_month"]] if method.get("exp_year") else None,
        "dispute": _dispute(objects.get("dispute", ())),
    }


def _status(subscription: Mapping[str, Any]) -> str:
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


def _seats_used(subscriptions: Sequence[Mapping[str, Any]], key: str) -> int | None:
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
    return sorted((row for row in rows if row[0] >= since), key=lambda row: str(row))


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
