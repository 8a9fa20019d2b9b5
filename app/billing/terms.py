"""A payer's running subscriptions as narrow rows: dates, seats, money. Pure; equal objects give equal rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.billing.mrr import Sold, monthly, months_of
from app.billing.profile import LIVE, RENEWS, Objects, ends, renewals, seats_used, status_of
from integrations.kernel.clock import parse_iso
from integrations.kernel.money import half_even

Json = Mapping[str, Any]
Row = dict[str, Any]
BIGGEST = 10**15  # minor units; what is more is no price and would not fit


def terms(objects: Objects, sold: Sold, at: datetime, seats_used_key: str) -> list[Row]:
    """Rows of billing_term without the payer, in the order of their ids; dates as ISO text."""
    payer: Json = objects["payer"][0] if objects.get("payer") else {}
    live = [s for s in objects.get("subscription", ()) if status_of(s) in LIVE and s["items"]]
    unpaid = [
        i
        for i in objects.get("invoice", ())
        if i["status"] == "open" and i["remaining"]["minor"] > 0 and i["attempts"] > 0 and not i["due"]
    ]
    return [
        _term(s, sold, at, seats_used_key, payer.get("discounts", ())) | _owed(unpaid, s["items"][0]["currency"])
        for s in sorted(live, key=lambda s: str(s["id"]))
    ]


def _term(subscription: Json, sold: Sold, at: datetime, key: str, of_payer: Sequence[Json]) -> Row:
    items = subscription["items"]
    lengths = [months_of(i) for i in items]
    longest = {**subscription, "items": [i for i, n in zip(items, lengths, strict=True) if n == max(lengths)]}
    months = max((max(int(n), int(n > 0)) for i, n in zip(items, lengths, strict=True) if not i["metered"]), default=0)
    value = monthly(subscription, at, sold, of_payer)
    minor = None if value is None or value > BIGGEST or not months else half_even(value * months)
    status, seats = status_of(subscription), min(sum(i["quantity"] for i in items if not i["metered"]), 10**9)
    used = seats_used([subscription], key)
    return {
        "subscription_id": subscription["id"], "status": status, "plan": _plan(items, sold),
        "currency": items[0]["currency"], "minor": minor, "months": min(months, 1000), "seats": seats,
        "seats_used": used, "use_pct": min(used * 100 // seats, 10**6) if used is not None and seats else None,
        "started_on": _day(subscription["started"]),
        "renews_on": _first(renewals(longest)) if status in RENEWS and status != "trialing" else None,
        "ends_on": _first(ends(subscription)),
        "trial_ends_on": _day(subscription["trial_end"]) if status == "trialing" else None,
    }  # fmt: skip


def _plan(items: Sequence[Json], sold: Sold) -> str:
    def name(item: Json) -> str:
        product, price = (sold.get((kind, item[f"{kind}_id"]), {}) for kind in ("product", "price"))
        return str(price.get("name") or item["plan"] or product.get("name") or "")

    return ", ".join(sorted({found for i in items if (found := name(i))}))[:200]


def _owed(unpaid: Sequence[Json], currency: str) -> Row:
    """Of the payer: since when and how much is owed in this currency after a payment was tried in vain."""
    mine = [i for i in unpaid if i["remaining"]["currency"] == currency]
    owed = sum(i["remaining"]["minor"] for i in mine)
    return {"failed_on": _first(i["created"] for i in mine), "owed": min(owed, BIGGEST) if mine else None}


def _day(moment: str | None) -> str | None:
    return parse_iso(moment).date().isoformat() if moment else None


def _first(moments: Iterable[str | None]) -> str | None:
    return min((day for m in moments if (day := _day(m))), default=None)
