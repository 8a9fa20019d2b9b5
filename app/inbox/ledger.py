"""Reads of the delivery ledger, for people and for the demo's own check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from app.inbox.models import delivery_key
from app.tickets.models import ticket

_COUNTS = {
    "deliveries": "SELECT connection_id || ' ' || state AS name, count(*) AS n FROM delivery_key GROUP BY 1",
    "copies": "SELECT connection_id AS name, sum(copies) AS n FROM delivery_key GROUP BY 1",
    "judgements": "SELECT connection_id AS name, count(*) AS n FROM judgement GROUP BY 1",
    "changes": "SELECT connection_id || ' ' || state AS name, count(*) AS n FROM outbox GROUP BY 1",
    "tickets": "SELECT connection_id AS name, count(*) AS n FROM ticket GROUP BY 1",
}


def counts(cx: sa.Connection) -> dict[str, dict[str, int]]:
    """Counts by section and name, over everything stored."""
    return {section: {row.name: int(row.n) for row in cx.execute(sa.text(query))} for section, query in _COUNTS.items()}


def keys(cx: sa.Connection, connection_id: str) -> Iterator[Any]:
    """Every delivery of a connection, oldest first, streamed."""
    query = sa.select(delivery_key).where(delivery_key.c.connection_id == connection_id).order_by(delivery_key.c.id)
    return iter(cx.execution_options(yield_per=1000).execute(query))


def tickets(cx: sa.Connection, connection_id: str) -> Iterator[Any]:
    """The mirrored tickets of a connection, streamed: id, as_of, status, gone."""
    query = sa.select(ticket.c.id, ticket.c.as_of, ticket.c.status, ticket.c.gone)
    mine = query.where(ticket.c.connection_id == connection_id).order_by(ticket.c.id)
    return iter(cx.execution_options(yield_per=1000).execute(mine))


def set_aside(cx: sa.Connection, limit: int) -> Sequence[Any]:
    """Quarantined deliveries, newest first."""
    query = sa.select(delivery_key).where(delivery_key.c.state == "quarantined").order_by(delivery_key.c.id.desc())
    return cx.execute(query.limit(limit)).all()


def release(cx: sa.Connection, ids: Sequence[int]) -> int:
    """Make quarantined deliveries wait again, their tries forgotten."""
    statement = (
        sa.update(delivery_key)
        .where(delivery_key.c.id.in_(ids), delivery_key.c.state == "quarantined")
        .values(state="received", tries=0, reason=None, settled_at=None)
    )
    return cx.execute(statement).rowcount
