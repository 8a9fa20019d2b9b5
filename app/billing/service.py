"""Use cases of the mirror. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app import holds
from app.billing import store
from app.billing.mrr import next_change, unpriced
from app.billing.profile import LIVE, OPEN_DISPUTE, profile
from app.billing.records import Row, known_discounts, row, unknown_discounts, with_discounts
from app.billing.terms import terms
from integrations.kernel.billing import KIND_OF, Gone, Payer, Subscription
from integrations.kernel.clock import utc_now
from integrations.kernel.events import Event

# What was read may miss what happened just before, and clocks differ: it counts as of a little earlier.
READ_MARGIN = timedelta(minutes=2)
DISPUTE = "dispute"  # the source of its holds
AT_ONCE = 500  # profiles computed at once when a product or a price changes its name; more are done by the hour
Told = tuple[Any, datetime]


def is_record(record: object) -> bool:
    """Is this something the mirror holds?"""
    return isinstance(record, Gone) or type(record) in KIND_OF


def payer_of(event: Event) -> str:
    """The payer an event names, or ""."""
    return str(getattr(event.record, "payer_id", "") or event.note.get("payer_id", "") or "")


def on_events(cx: sa.Connection, connection_id: str, events: Sequence[Event], seats_used_key: str) -> set[str]:
    """Apply what events carried; answers the payers whose profile or terms are others now."""
    told = [(e.record, e.occurred_at) for e in events if is_record(e.record)]
    touched = apply(cx, connection_id, told, seats_used_key)
    thin = [(str(e.note["read_kind"]), str(e.note["read_id"])) for e in events if e.note.get("read_id")]
    store.want_reread(cx, connection_id, thin)
    return refresh(cx, connection_id, touched, seats_used_key)


def apply(
    cx: sa.Connection, connection_id: str, told: Iterable[Told], seats_used_key: str, *, read: bool = False
) -> set[str]:
    """Put (record, as of) into the mirror; answers the payers touched.

    Args:
        told: in any order and number; older never overwrites, a tie with other content is read again, once.
        read: they were read at the vendor at that time, and not told by an event.
    """
    known = [(record, as_of - READ_MARGIN if read else as_of) for record, as_of in told]
    known, doubts = _complete(cx, connection_id, known)
    newest: dict[store.Key, Row] = {}
    records: dict[store.Key, Any] = {}
    for record, as_of in known:
        one = row(connection_id, record, as_of)
        key = (one["kind"], one["id"])
        before = newest.get(key)
        if before is not None and before["as_of"] == as_of and before["digest"] != one["digest"]:
            doubts.append(key)
        if before is None or before["as_of"] <= as_of:
            newest[key], records[key] = one, record
    written = store.put(cx, connection_id, list(newest.values()), read=read)
    store.want_reread(cx, connection_id, [] if read else doubts)
    seats = [_seats(connection_id, r, seats_used_key) for k in sorted(written.keys) if _counts_seats(r := records[k])]
    store.put_seats(cx, seats)
    sold = sorted(one for kind, one in written.keys if kind in ("product", "price"))
    return written.payers | set(store.payers_with_sold(cx, connection_id, sold, AT_ONCE))


def _complete(cx: sa.Connection, connection_id: str, told: list[Told]) -> tuple[list[Told], list[store.Key]]:
    """Fill in coupons that are known already; answers also what must be read because one is not."""
    bare = [(KIND_OF[type(r)], r.id) for r, _ in told if unknown_discounts(r)]
    if not bare:
        return told, []
    stored = store.by_id(cx, connection_id, bare)
    filled = [
        (with_discounts(r, known_discounts(stored.get((KIND_OF[type(r)], r.id), {}))), t)
        if isinstance(r, Payer | Subscription) and unknown_discounts(r)
        else (r, t)
        for r, t in told
    ]
    return filled, [(KIND_OF[type(r)], r.id) for r, _ in filled if unknown_discounts(r)]


def _counts_seats(record: object) -> bool:
    return isinstance(record, Subscription) and record.status in LIVE


def _seats(connection_id: str, record: Subscription, key: str) -> dict[str, Any]:
    told = record.metadata.get(key, "")
    return {
        "connection_id": connection_id, "subscription_id": record.id,
        "seats": min(sum(i.quantity for i in record.items if not i.metered), 10**9),
        "seats_used": int(told) if told.isascii() and told.isdigit() and len(told) < 10 else None,
    }  # fmt: skip


def refresh(cx: sa.Connection, connection_id: str, payer_ids: Iterable[str], seats_used_key: str) -> set[str]:
    """Compute profiles and terms anew, in a fixed number of statements; answers the payers of whom either changed.

    One transaction at a time works on a payer's profile, so that two lanes of one payer cannot lose each other's part.
    """
    wanted = sorted(payer_ids)
    if not wanted:
        return set()
    store.lock(cx, connection_id, wanted)
    objects = store.objects(cx, connection_id, wanted)
    sold = _sold(cx, connection_id, objects)
    # Computed as of the day, so that the same objects give the same profile all day long.
    at = utc_now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found, running = {}, []
    for payer_id, mine in objects.items():
        change = next_change(mine, at)
        found[payer_id] = (profile(mine, sold, at, seats_used_key), change.date() if change else None)
        running += [{"payer_id": payer_id, **term} for term in terms(mine, sold, at, seats_used_key)]
    changed = store.put_terms(cx, connection_id, wanted, running)
    disputes = [one for payer_id, mine in objects.items() for one in _disputes(connection_id, payer_id, mine)]
    holds.settle(cx, DISPUTE, [(connection_id, payer_id) for payer_id in wanted], disputes, "the dispute is closed")
    return changed | store.put_profiles(cx, connection_id, found)


def _disputes(
    connection_id: str, payer_id: str, objects: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterable[holds.Hold]:
    """While a dispute is open, or an inquiry that may become one, sales leaves the payer alone."""
    for one in objects.get("dispute", ()):
        if one["status"] in OPEN_DISPUTE:
            why = "an inquiry is open" if one["status"].startswith("warning_") else "a dispute is open"
            source_id = f"{connection_id}:{one['id']}"
            yield holds.Hold(DISPUTE, source_id, why, "until the bank has decided", (connection_id, payer_id))


def _sold(
    cx: sa.Connection, connection_id: str, objects: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]
) -> dict[store.Key, dict[str, Any]]:
    """The products and prices these payers have; a price that is needed and not there yet is read."""
    items = [i for mine in objects.values() for s in mine.get("subscription", ()) for i in s["items"]]
    keys = {("product", i["product_id"]) for i in items} | {("price", i["price_id"]) for i in items}
    sold = store.by_id(cx, connection_id, {key for key in keys if key[1]})
    missing = {("price", i["price_id"]) for i in items if unpriced(i, sold) and i["price_id"]}
    store.want_reread(cx, connection_id, missing - set(sold))
    return sold
