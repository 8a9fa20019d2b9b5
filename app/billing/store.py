"""All SQL of the billing mirror; every function takes many objects or payers at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.billing.models import billing_object, billing_profile, billing_reread, seat_count

PayerKey = tuple[str, str]

# Newer wins. In a tie the greater digest wins, so that all orders end alike until the re-read settles it; a deleted
# object keeps what was known of it. Answers the rows that were changed, and those whose tie must be read again.
_TIES = sa.text(
    """
    SELECT o.kind, o.id FROM billing_object o
    JOIN unnest(CAST(:kinds AS text[]), CAST(:ids AS text[]), CAST(:times AS timestamptz[]), CAST(:digests AS bytea[]))
         AS n(kind, id, as_of, digest) ON o.kind = n.kind AND o.id = n.id
    WHERE o.connection_id = :connection AND o.as_of = n.as_of AND o.digest <> n.digest
    """
)


def put(cx: sa.Connection, connection_id: str, rows: Sequence[Mapping[str, Any]], *, read: bool = False) -> set[str]:
    """Upsert rows of one connection (one row an object); answers the payers whose objects changed.

    `read`: they were just read at the vendor, whose word of now ends every tie.
    """
    if not rows:
        return set()
    ordered = sorted(rows, key=lambda r: (r["kind"], r["id"]))
    ties = (
        []
        if read
        else cx.execute(
            _TIES,
            {
                "connection": connection_id,
                "kinds": [r["kind"] for r in ordered],
                "ids": [r["id"] for r in ordered],
                "times": [r["as_of"] for r in ordered],
                "digests": [r["digest"] for r in ordered],
            },
        ).all()
    )
    want_reread(cx, connection_id, [(t.kind, t.id) for t in ties])
    statement = insert(billing_object).values([dict(r) for r in ordered])
    new, old = statement.excluded, billing_object.c
    settles = new.digest != old.digest if read else new.digest > old.digest
    statement = statement.on_conflict_do_update(
        index_elements=["connection_id", "kind", "id"],
        set_={
            "payer_id": sa.case((new.payer_id != "", new.payer_id), else_=old.payer_id),
            "charge_id": sa.case((new.charge_id != "", new.charge_id), else_=old.charge_id),
            "as_of": new.as_of,
            "digest": new.digest,
            "gone": new.gone,
            "data": sa.case((new.gone, old.data), else_=new.data),
        },
        where=sa.or_(new.as_of > old.as_of, sa.and_(new.as_of == old.as_of, settles)),
    )
    changed = cx.execute(statement.returning(billing_object.c.payer_id)).scalars()
    return {payer for payer in changed if payer} | _adopt(cx, connection_id, ordered)


def _adopt(cx: sa.Connection, connection_id: str, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Refunds and disputes name a charge, not a payer: give them the charge's payer, whichever came first."""
    charges = {r["id"] for r in rows if r["kind"] == "charge"} | {r["charge_id"] for r in rows if r["charge_id"]}
    if not charges:
        return set()
    charge = billing_object.alias("charge")
    statement = (
        sa.update(billing_object)
        .where(
            billing_object.c.connection_id == connection_id,
            billing_object.c.charge_id.in_(sorted(charges)),
            billing_object.c.payer_id == "",
            charge.c.connection_id == connection_id,
            charge.c.kind == "charge",
            charge.c.id == billing_object.c.charge_id,
            charge.c.payer_id != "",
        )
        .values(payer_id=charge.c.payer_id)
    )
    return set(cx.execute(statement.returning(billing_object.c.payer_id)).scalars())


def want_reread(cx: sa.Connection, connection_id: str, objects: Iterable[tuple[str, str]]) -> None:
    """Ask for one coalesced read of each of these objects."""
    rows = [{"connection_id": connection_id, "kind": kind, "id": one} for kind, one in sorted(set(objects))]
    if rows:
        cx.execute(insert(billing_reread).values(rows).on_conflict_do_nothing())


def take_rereads(cx: sa.Connection, limit: int) -> list[tuple[str, str, str]]:
    """(connection, kind, id) to read again; they are asked for anew if reading fails."""
    oldest = (
        sa.select(billing_reread.c.connection_id, billing_reread.c.kind, billing_reread.c.id)
        .order_by(billing_reread.c.wanted_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    key = sa.tuple_(billing_reread.c.connection_id, billing_reread.c.kind, billing_reread.c.id)
    rows = cx.execute(sa.delete(billing_reread).where(key.in_(oldest)).returning(*billing_reread.columns)).all()
    return [(r.connection_id, r.kind, r.id) for r in rows]


def objects(
    cx: sa.Connection, connection_id: str, payer_ids: Sequence[str]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """payer -> kind -> records (JSON) of everything there is of these payers, the deleted left out."""
    query = sa.select(billing_object).where(
        billing_object.c.connection_id == connection_id,
        billing_object.c.payer_id.in_(payer_ids),
        ~billing_object.c.gone,
    )
    found: dict[str, dict[str, list[dict[str, Any]]]] = {p: defaultdict(list) for p in payer_ids}
    for row in cx.execute(query.order_by(billing_object.c.kind, billing_object.c.id)):
        found[row.payer_id][row.kind].append(row.data)
    return found


def product_names(cx: sa.Connection, connection_id: str, ids: Iterable[str]) -> dict[str, str]:
    """Names of products; an unknown one is missing."""
    query = sa.select(billing_object.c.id, billing_object.c.data["name"].astext).where(
        billing_object.c.connection_id == connection_id,
        billing_object.c.kind == "product",
        billing_object.c.id.in_(sorted(set(ids))),
    )
    return {row[0]: row[1] for row in cx.execute(query)}


def payers_with_product(cx: sa.Connection, connection_id: str, product_ids: Sequence[str], limit: int) -> list[str]:
    """Payers whose profile names one of these products (its name changed)."""
    query = sa.select(billing_profile.c.payer_id).where(
        billing_profile.c.connection_id == connection_id,
        billing_profile.c.profile["product_ids"].has_any(sa.cast(list(product_ids), sa.ARRAY(sa.Text))),
    )
    return list(cx.execute(query.limit(limit)).scalars())


def put_profiles(
    cx: sa.Connection, connection_id: str, found: Mapping[str, tuple[dict[str, Any], date | None]]
) -> set[str]:
    """Store profiles; answers the payers whose profile is another one now."""
    if not found:
        return set()
    rows = [
        {"connection_id": connection_id, "payer_id": p, "profile": profile, "refresh_on": day}
        for p, (profile, day) in sorted(found.items())
    ]
    statement = insert(billing_profile).values(rows)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["connection_id", "payer_id"],
        set_={"profile": new.profile, "refresh_on": new.refresh_on, "computed_at": sa.func.now()},
        where=sa.or_(
            billing_profile.c.profile != new.profile, billing_profile.c.refresh_on.is_distinct_from(new.refresh_on)
        ),
    )
    return set(cx.execute(statement.returning(billing_profile.c.payer_id)).scalars())


def profiles(cx: sa.Connection, keys: Sequence[PayerKey]) -> dict[PayerKey, dict[str, Any]]:
    """Profiles by (connection, payer); one that is not there is missing."""
    if not keys:
        return {}
    key = sa.tuple_(billing_profile.c.connection_id, billing_profile.c.payer_id)
    rows = cx.execute(sa.select(billing_profile).where(key.in_(sorted(keys))))
    return {(row.connection_id, row.payer_id): row.profile for row in rows}


def due_profiles(cx: sa.Connection, limit: int) -> list[PayerKey]:
    """Profiles a date has come for (a discount ended)."""
    query = sa.select(billing_profile.c.connection_id, billing_profile.c.payer_id).where(
        billing_profile.c.refresh_on <= sa.func.current_date()
    )
    return [(row[0], row[1]) for row in cx.execute(query.limit(limit))]


def put_seats(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the seats of subscriptions today: connection_id, subscription_id, seats, seats_used."""
    if not rows:
        return
    statement = insert(seat_count).values([{**row, "day": sa.func.current_date()} for row in rows])
    new = statement.excluded
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "subscription_id", "day"],
            set_={"seats": new.seats, "seats_used": new.seats_used},
        )
    )


# A day on which nothing was told is a day like the one before: carried forward once a day for running subscriptions.
_CARRY = sa.text(
    """
    INSERT INTO seat_count (connection_id, subscription_id, day, seats, seats_used)
    SELECT DISTINCT ON (s.connection_id, s.subscription_id) s.connection_id, s.subscription_id, current_date, s.seats,
           s.seats_used
    FROM seat_count s
    JOIN billing_object o ON o.connection_id = s.connection_id AND o.kind = 'subscription' AND o.id = s.subscription_id
    WHERE s.day >= current_date - 7 AND NOT o.gone AND o.data ->> 'status' IN ('active', 'past_due', 'trialing', 'unpaid')
    ORDER BY s.connection_id, s.subscription_id, s.day DESC
    ON CONFLICT DO NOTHING
    """
)


def carry_seats(cx: sa.Connection) -> None:
    """Give every running subscription its count of today."""
    cx.execute(_CARRY)


def payers_after(cx: sa.Connection, connection_id: str, after: str, limit: int) -> list[str]:
    """Payers of a connection in id order, after one."""
    query = (
        sa.select(billing_object.c.id)
        .where(billing_object.c.connection_id == connection_id, billing_object.c.kind == "payer")
        .where(billing_object.c.id > after)
        .order_by(billing_object.c.id)
        .limit(limit)
    )
    return list(cx.execute(query).scalars())
