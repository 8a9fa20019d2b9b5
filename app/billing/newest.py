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


def _newest() -> sa.Select[Any]:
    o = billing_object.c
    created = sa.func.coalesce(o.data["created"].astext, o.data["started"].astext, "")
    ranked = (
        sa.select(
            o.kind, o.data, o.as_of,
            sa.func.row_number().over(partition_by=o.kind, order_by=(created.desc(), o.id.desc())).label("place"),
            sa.func.count().over(partition_by=o.kind).label("total"),
            sa.func.max(o.as_of).over().label("newest"),
        )
        .where(
            o.connection_id == sa.bindparam("connection", type_=sa.Text),
            o.payer_id == sa.bindparam("payer", type_=sa.Text),
            o.kind == sa.any_(sa.bindparam("kinds", type_=sa.ARRAY(sa.Text))),
            ~o.gone,
        )
        .subquery()
    )  # fmt: skip
    few = sa.select(ranked).where(ranked.c.place <= sa.bindparam("most", type_=sa.Integer))
    return few.order_by(ranked.c.kind, ranked.c.place)


_NEWEST = _newest()


def of_payer(cx: sa.Connection, payer: PayerKey, kinds: Sequence[str], limit: int) -> Newest:
    """The newest of a payer, `limit` of each kind; the deleted left out."""
    told = {"connection": payer[0], "payer": payer[1], "kinds": list(kinds), "most": limit}
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    totals: dict[str, int] = {}
    as_of = None
    for row in cx.execute(_NEWEST, told):
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


def _standing() -> sa.Select[Any]:
    connection, payer = sa.bindparam("connection", type_=sa.Text), sa.bindparam("payer", type_=sa.Text)
    cursor, wish = billing_cursor.c, billing_reread.c
    until = sa.select(cursor.cursor).where(cursor.connection_id == connection, cursor.name == "events")
    wanted = sa.exists().where(wish.connection_id == connection, wish.kind == "payer", wish.id == payer)
    return sa.select(until.scalar_subquery().label("until"), wanted.label("wanted"))


_STANDING = _standing()


def standing(cx: sa.Connection, payer: PayerKey) -> tuple[datetime | None, bool]:
    """Up to when the vendor's own list of changes was read, None before the first time; and is this payer being read?

    It is while it was asked for that it be read again and that is not done yet.
    """
    row = cx.execute(_STANDING, {"connection": payer[0], "payer": payer[1]}).one()
    return parse_iso(row.until) if row.until else None, bool(row.wanted)
