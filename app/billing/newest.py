"""What a person is shown of a payer: the newest objects of each kind, and up to when the vendor's changes are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.billing.models import billing_cursor, billing_object, billing_reread
from app.billing.store_profiles import PayerKey
from integrations.kernel.clock import parse_iso


@dataclass(frozen=True, slots=True)
class Newest:
    """Records (JSON) by kind, newest first. totals: how many there are. as_of: the newest telling of any of them."""

    records: dict[str, list[dict[str, Any]]]
    totals: dict[str, int]
    as_of: datetime | None


def of_payer(cx: sa.Connection, payer: PayerKey, kinds: Sequence[str], limit: int) -> Newest:
    """The newest of a payer, `limit` of each kind; the deleted left out."""
    o = billing_object.c
    created = sa.func.coalesce(o.data["created"].astext, o.data["started"].astext, "")
    ranked = (
        sa.select(
            o.kind, o.data, o.as_of,
            sa.func.row_number().over(partition_by=o.kind, order_by=(created.desc(), o.id.desc())).label("place"),
            sa.func.count().over(partition_by=o.kind).label("total"),
            sa.func.max(o.as_of).over().label("newest"),
        )
        .where(o.connection_id == payer[0], o.payer_id == payer[1], o.kind.in_(kinds), ~o.gone)
        .subquery()
    )  # fmt: skip
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    totals: dict[str, int] = {}
    as_of = None
    for row in cx.execute(sa.select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.kind, ranked.c.place)):
        records[row.kind].append(row.data)
        totals[row.kind] = row.total
        as_of = row.newest
    return Newest(dict(records), totals, as_of)


def invoices_by_number(cx: sa.Connection, number: str, connections: Sequence[str]) -> set[PayerKey]:
    """Payers of the invoices with this number, in these connections."""
    o = billing_object.c
    query = sa.select(o.connection_id, o.payer_id).where(
        o.kind == sa.literal_column("'invoice'"),
        sa.literal_column("(data ->> 'number')") == number,
        o.connection_id.in_(connections),
        o.payer_id != "",
        ~o.gone,
    )
    return {(row.connection_id, row.payer_id) for row in cx.execute(query)}


def known_until(cx: sa.Connection, connection_id: str) -> datetime | None:
    """Up to when the vendor's own list of changes was read; None before the first time."""
    query = sa.select(billing_cursor.c.cursor).where(
        billing_cursor.c.connection_id == connection_id, billing_cursor.c.name == "events"
    )
    found = cx.execute(query).scalar()
    return parse_iso(found) if found else None


def is_being_read(cx: sa.Connection, payer: PayerKey) -> bool:
    """Was it asked for that this payer is read again, and is that not done yet?"""
    wish = sa.exists().where(
        billing_reread.c.connection_id == payer[0], billing_reread.c.kind == "payer", billing_reread.c.id == payer[1]
    )
    return bool(cx.execute(sa.select(wish)).scalar())
