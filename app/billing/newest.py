"""The newest objects of a payer, and whose an invoice is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.billing.models import billing_object
from app.billing.store_profiles import PayerKey


def _newest() -> sa.Select[Any]:
    o = billing_object.c
    created = sa.func.coalesce(o.data["created"].astext, o.data["started"].astext, "")
    ranked = (
        sa.select(
            o.kind, o.data,
            sa.func.row_number().over(partition_by=o.kind, order_by=(created.desc(), o.id.desc())).label("place"),
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


def of_payer(cx: sa.Connection, payer: PayerKey, kinds: Sequence[str], limit: int) -> dict[str, list[dict[str, Any]]]:
    """The newest records (JSON) of a payer by kind, `limit` of each; the deleted left out."""
    told = {"connection": payer[0], "payer": payer[1], "kinds": list(kinds), "most": limit}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in cx.execute(_NEWEST, told):
        found[row.kind].append(row.data)
    return dict(found)


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
