"""Use cases of the mirror. The caller owns the transaction, except where a function says it opens its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from app.billing import store
from app.billing.mrr import next_change
from app.billing.profile import LIVE, profile
from app.billing.records import row
from integrations.kernel.billing import KIND_OF, Gone, Subscription
from integrations.kernel.clock import utc_now
from integrations.kernel.events import Event


def is_record(record: object) -> bool:
    """Is this something the mirror holds?"""
    return isinstance(record, Gone) or type(record) in KIND_OF


def payer_of(event: Event) -> str:
    """The payer an event names, or ""."""
    return str(getattr(event.record, "payer_id", "") or "")


def on_events(cx: sa.Connection, connection_id: str, events: Sequence[Event], seats_used_key: str) -> set[str]:
    """Apply what events carried; answers the payers whose profile is another one now."""
    told = [(e.record, e.occurred_at) for e in events if is_record(e.record)]
    touched = apply(cx, connection_id, told, seats_used_key)
    return refresh(cx, connection_id, touched, seats_used_key)


def apply(
    cx: sa.Connection,
    connection_id: str,
    told: Iterable[tuple[Any, datetime]],
    seats_used_key: str,
    *,
    read: bool = False,
) -> set[str]:
    """Put (record, as of) into the mirror; answers the payers touched. `read`: they were just read at the vendor."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    ties = []
    for record, as_of in told:
        one = row(connection_id, record, as_of)
        key = (one["kind"], one["id"])
        known = newest.get(key)
        if known is not None and known["as_of"] == one["as_of"] and known["digest"] != one["digest"]:
            ties.append(key)
        if known is None or (known["as_of"], known["digest"]) < (one["as_of"], one["digest"]):
            newest[key] = one
        ties += [key] if isinstance(record, Subscription) and _has_unknown_discount(record) else []
    rows = list(newest.values())
    touched = store.put(cx, connection_id, rows, read=read)
    if not read:
        store.want_reread(cx, connection_id, ties)
    store.put_seats(cx, [_seats(one, seats_used_key) for one in rows if _counts_seats(one)])
    products = [one["id"] for one in rows if one["kind"] == "product"]
    return touched | (set(store.payers_with_product(cx, connection_id, products, 1000)) if products else set())


def _has_unknown_discount(record: Subscription) -> bool:
    """A webhook names discounts by id only: what they take off must be read."""
    return any(not d.known for d in record.discounts) or any(not d.known for i in record.items for d in i.discounts)


def _counts_seats(one: Mapping[str, Any]) -> bool:
    return one["kind"] == "subscription" and not one["gone"] and one["data"]["status"] in LIVE


def _seats(one: Mapping[str, Any], key: str) -> dict[str, Any]:
    told = one["data"]["metadata"].get(key, "")
    return {
        "connection_id": one["connection_id"], "subscription_id": one["id"],
        "seats": sum(i["quantity"] for i in one["data"]["items"] if not i["metered"]),
        "seats_used": int(told) if told.isascii() and told.isdigit() and len(told) < 10 else None,
    }  # fmt: skip


def refresh(cx: sa.Connection, connection_id: str, payer_ids: Iterable[str], seats_used_key: str) -> set[str]:
    """Compute profiles anew, all in a fixed number of statements; answers the payers whose profile changed."""
    wanted = sorted(payer_ids)
    if not wanted:
        return set()
    objects = store.objects(cx, connection_id, wanted)
    product_ids = {i["product_id"] for o in objects.values() for s in o.get("subscription", ()) for i in s["items"]}
    products = store.product_names(cx, connection_id, product_ids)
    # Computed as of the day, so that the same objects give the same profile all day long.
    at = utc_now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = {}
    for payer_id, mine in objects.items():
        change = next_change(mine.get("subscription", ()), at)
        found[payer_id] = (profile(mine, products, at, seats_used_key), change.date() if change else None)
    return store.put_profiles(cx, connection_id, found)
