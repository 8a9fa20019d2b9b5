"""All SQL of the mirrored objects; every function takes many objects or payers at once. Profiles: store_profiles.py.

Two clocks never decide: what was read counts as of the vendor's time less a margin, and a read that was asked for wins
because it was made after what it is to settle (a lease on the wish says whether something came in between).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.billing.models import billing_object, billing_reread
from app.billing.records import Row
from app.billing.store_profiles import PayerKey as PayerKey
from app.billing.store_profiles import carry_seats as carry_seats
from app.billing.store_profiles import due_profiles as due_profiles
from app.billing.store_profiles import payers_with_sold as payers_with_sold
from app.billing.store_profiles import profiles as profiles
from app.billing.store_profiles import put_profiles as put_profiles
from app.billing.store_profiles import put_seats as put_seats
from app.billing.store_terms import put_terms as put_terms
from app.billing.store_terms import settle_rises as settle_rises
from app.billing.store_terms import sweep_disputes as sweep_disputes

Key = tuple[str, str]  # (kind, id)
LEASE_S = 300  # a re-read that was begun is begun again after this, should its worker have died

# What an object of a payer's profile can be; invoices that are settled tell it nothing.
_PROFILED = ("payer", "subscription", "charge", "refund", "dispute", "payment_method")

# What the rows we hold say against those told: the same second, or (for a read) the time it may have missed.
_DOUBTS = sa.text(
    """
    SELECT o.kind, o.id, o.as_of, coalesce(r.wanted_at > clock_timestamp() + interval '5 seconds', false) AS leased
    FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS n(kind text, id text, as_of timestamptz, digest text)
    JOIN billing_object o ON o.connection_id = :connection AND o.kind = n.kind AND o.id = n.id
    LEFT JOIN billing_reread r ON r.connection_id = o.connection_id AND r.kind = o.kind AND r.id = o.id
    WHERE o.digest <> decode(n.digest, 'hex') AND (o.as_of = n.as_of OR (:read AND o.as_of > n.as_of))
    """
)

# Newer wins; in a tie the one we hold stays until the re-read settles it. A deleted object keeps what was known of it.
_PUT = sa.text(
    """
    INSERT INTO billing_object AS o (connection_id, kind, id, payer_id, charge_id, as_of, digest, gone, data)
    SELECT :connection, n.kind, n.id, n.payer_id, n.charge_id, n.as_of, decode(n.digest, 'hex'), n.gone, n.data
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS n(kind text, id text, payer_id text, charge_id text, as_of timestamptz, digest text, gone boolean, data jsonb)
    ON CONFLICT (connection_id, kind, id) DO UPDATE SET
        payer_id = CASE WHEN excluded.payer_id <> '' THEN excluded.payer_id ELSE o.payer_id END,
        charge_id = CASE WHEN excluded.charge_id <> '' THEN excluded.charge_id ELSE o.charge_id END,
        as_of = excluded.as_of, digest = excluded.digest, gone = excluded.gone,
        data = CASE WHEN excluded.gone THEN o.data ELSE excluded.data END
    WHERE excluded.as_of > o.as_of OR (:read AND excluded.as_of = o.as_of AND excluded.digest <> o.digest)
    RETURNING o.kind, o.id, o.payer_id
    """
)

# Refunds and disputes name a charge, not always a payer: they get the charge's, whichever came first.
_ADOPT = sa.text(
    """
    UPDATE billing_object o SET payer_id = c.payer_id
    FROM billing_object c
    WHERE o.connection_id = :connection AND o.charge_id = ANY(:charges) AND o.payer_id = '' AND o.charge_id <> ''
      AND o.kind IN ('refund', 'dispute')
      AND c.connection_id = :connection AND c.kind = 'charge' AND c.id = o.charge_id AND c.payer_id <> ''
    RETURNING o.payer_id
    """
)

_LOCK = sa.text(
    "SELECT count(pg_advisory_xact_lock(hashtextextended(name, 0))) FROM unnest(CAST(:names AS text[])) AS name"
)

# Something came while an object was being read again: what is read may miss it, so it is wanted anew.
_DISTURB = sa.text(
    """
    UPDATE billing_reread r SET wanted_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS n(kind text, id text)
    WHERE r.connection_id = :connection AND r.kind = n.kind AND r.id = n.id AND r.wanted_at > clock_timestamp()
    """
)

_SETTLED = sa.text(
    """
    DELETE FROM billing_reread r USING jsonb_to_recordset(CAST(:keys AS jsonb)) AS n(kind text, id text)
    WHERE r.connection_id = :connection AND r.kind = n.kind AND r.id = n.id
      AND r.wanted_at > clock_timestamp() + interval '5 seconds'
    """
)


class Written(NamedTuple):
    """payers: whose objects changed. keys: the objects that were written."""

    payers: set[str]
    keys: set[Key]


def lock(cx: sa.Connection, connection_id: str, names: Iterable[str]) -> None:
    """Until the transaction ends, nobody else works on what these names stand for; taken in one order, so none blocks."""
    wanted = sorted({f"billing/{connection_id}/{name}" for name in names})
    if wanted:
        cx.execute(_LOCK, {"names": wanted})


def put(cx: sa.Connection, connection_id: str, rows: Sequence[Row], *, read: bool = False) -> Written:
    """Upsert rows of one connection, one row an object. Ties and doubts are noted as re-reads.

    Args:
        read: they were read at the vendor; `as_of` is then a time before which nothing can have been missed.
    """
    if not rows:
        return Written(set(), set())
    ordered = sorted(rows, key=lambda r: (r["kind"], r["id"]))
    charges = {r["id"] for r in ordered if r["kind"] == "charge"}
    charges |= {r["charge_id"] for r in ordered if r["kind"] in ("refund", "dispute") and r["charge_id"]}
    lock(cx, connection_id, charges)
    told = {"connection": connection_id, "keys": _keys(ordered)}
    if not read:
        cx.execute(_DISTURB, told)
    doubts = cx.execute(_DOUBTS, {**told, "read": read}).all()
    wins: dict[Key, datetime] = {(d.kind, d.id): d.as_of for d in doubts if read and d.leased}
    want_reread(cx, connection_id, [(d.kind, d.id) for d in doubts if (d.kind, d.id) not in wins])
    changed = cx.execute(_PUT, {"connection": connection_id, "rows": _rows(ordered, wins), "read": read}).all()
    if read:
        cx.execute(_SETTLED, told)
    payers = {c.payer_id for c in changed if c.payer_id}
    if charges:
        payers |= set(cx.execute(_ADOPT, {"connection": connection_id, "charges": sorted(charges)}).scalars())
    return Written(payers, {(c.kind, c.id) for c in changed})


# Rows travel as one JSON text: as arrays, every quote in them would be escaped one by one in Python (measured: a third
# of the backfill's CPU).
def _keys(rows: Sequence[Row]) -> str:
    return orjson.dumps([{name: r[name] for name in ("kind", "id", "as_of", "digest")} for r in rows]).decode()


def _rows(rows: Sequence[Row], wins: Mapping[Key, datetime]) -> str:
    """`data` is JSON text already. wins: the time of what we hold, where what was read beats it."""
    told = [{**r, "data": orjson.Fragment(r["data"])} for r in rows]
    for row in told if wins else ():
        row["as_of"] = max(row["as_of"], wins.get((row["kind"], row["id"]), row["as_of"]))
    return orjson.dumps(told).decode()


def want_reread(cx: sa.Connection, connection_id: str, objects: Iterable[Key]) -> None:
    """Ask for one coalesced read of each of these objects, also when one is being read just now."""
    rows = [{"connection_id": connection_id, "kind": kind, "id": one} for kind, one in sorted(set(objects))]
    if rows:
        cx.execute(
            insert(billing_reread)
            .values(rows)
            .on_conflict_do_update(
                index_elements=["connection_id", "kind", "id"],
                set_={"wanted_at": sa.func.clock_timestamp()},
                where=billing_reread.c.wanted_at > sa.func.clock_timestamp(),
            )
        )


def take_rereads(cx: sa.Connection, limit: int) -> list[tuple[str, str, str]]:
    """Lease (connection, kind, id) to read again; `put` of what was read ends the lease, a death lets it lapse."""
    key = (billing_reread.c.connection_id, billing_reread.c.kind, billing_reread.c.id)
    due = (
        sa.select(*key)
        .where(billing_reread.c.wanted_at <= sa.func.clock_timestamp())
        .order_by(billing_reread.c.wanted_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    until = sa.func.clock_timestamp() + sa.text(f"interval '{LEASE_S} seconds'")
    statement = sa.update(billing_reread).where(sa.tuple_(*key).in_(due)).values(wanted_at=until).returning(*key)
    return sorted((r.connection_id, r.kind, r.id) for r in cx.execute(statement))


def objects(
    cx: sa.Connection, connection_id: str, payer_ids: Sequence[str]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """payer -> kind -> records (JSON) of what a profile is made of, the deleted and the settled left out."""
    o = billing_object.c
    open_invoice = sa.and_(o.kind == "invoice", o.data["status"].astext == "open")
    query = sa.select(o.payer_id, o.kind, sa.cast(o.data, sa.Text)).where(
        o.connection_id == connection_id,
        o.payer_id.in_(payer_ids),
        ~o.gone,
        sa.or_(o.kind.in_(_PROFILED), open_invoice),
    )
    found: dict[str, dict[str, list[dict[str, Any]]]] = {p: defaultdict(list) for p in payer_ids}
    for payer_id, kind, data in cx.execute(query.order_by(o.kind, o.id)):
        found[payer_id][kind].append(orjson.loads(data))  # our own records: no whole number of over 64 bits
    return found


def by_id(cx: sa.Connection, connection_id: str, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
    """Records (JSON) by kind and id; an unknown or deleted one is missing."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    kinds, ids = zip(*wanted, strict=True)
    rows = cx.execute(_BY_ID, {"connection": connection_id, "kinds": list(kinds), "ids": list(ids)})
    return {(row.kind, row.id): row.data for row in rows}


def _by_id() -> sa.Select[Any]:
    arrays = [sa.bindparam(name, type_=sa.ARRAY(sa.Text)) for name in ("kinds", "ids")]
    wanted = sa.func.unnest(*arrays).table_valued("kind", "id", name="wanted").render_derived()
    o = billing_object.c
    same = sa.and_(o.kind == wanted.c.kind, o.id == wanted.c.id)
    mine = o.connection_id == sa.bindparam("connection", type_=sa.Text)
    return sa.select(o.kind, o.id, o.data).join_from(wanted, billing_object, same).where(mine, ~o.gone)


_BY_ID = _by_id()


def of_charge(cx: sa.Connection, connection_id: str, charge_id: str, payer_id: str) -> dict[str, list[dict[str, Any]]]:
    """Refunds and disputes (JSON) of one charge, by kind, oldest first. payer_id: the charge's, so that an index helps."""
    o = billing_object.c
    whose = sa.or_(sa.and_(o.payer_id == payer_id, o.payer_id != ""), sa.and_(o.payer_id == "", o.charge_id != ""))
    query = sa.select(o.kind, o.data).where(
        o.connection_id == connection_id, o.charge_id == charge_id, whose, o.kind.in_(("refund", "dispute")), ~o.gone
    )
    found: dict[str, list[dict[str, Any]]] = {"refund": [], "dispute": []}
    for row in cx.execute(query.order_by(o.as_of, o.id)):
        found[row.kind].append(row.data)
    return found


def invoices_of(cx: sa.Connection, connection_id: str, charges: Mapping[str, str]) -> dict[str, str]:
    """Charge -> invoice, by the invoice payments that name its payment intent or itself. `charges`: id -> intent or ""."""
    source = {name: charge_id for charge_id, intent in charges.items() for name in (charge_id, intent) if name}
    o = billing_object.c
    query = sa.select(o.charge_id, o.data["invoice_id"].astext).where(
        o.connection_id == connection_id,
        o.payer_id == "",
        o.charge_id.in_(sorted(source)),
        o.charge_id != "",
        o.kind == "invoice_payment",
    )
    return {source[row[0]]: row[1] for row in cx.execute(query)} if source else {}


def payers_after(cx: sa.Connection, connection_id: str, after: str, limit: int) -> list[str]:
    """Payers of a connection in id order, after one."""
    o = billing_object.c
    query = sa.select(o.id).where(o.connection_id == connection_id, o.kind == "payer", o.id > after)
    return list(cx.execute(query.order_by(o.id).limit(limit)).scalars())
