"""All SQL of connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app.connections.models import connection


def insert(cx: sa.Connection, values: Mapping[str, Any]) -> bool:
    """Store a new connection; False when the id is taken."""
    statement = pg_insert(connection).values(**values).on_conflict_do_nothing().returning(connection.c.id)
    return cx.execute(statement).first() is not None


def get(cx: sa.Connection, connection_id: str) -> sa.RowMapping | None:
    """One connection, or None."""
    return cx.execute(sa.select(connection).where(connection.c.id == connection_id)).mappings().first()


def every(cx: sa.Connection, vendor: str = "", *, active_only: bool = False) -> Sequence[sa.RowMapping]:
    """All connections (of one vendor), by name."""
    query = sa.select(connection).order_by(connection.c.vendor, connection.c.name)
    if vendor:
        query = query.where(connection.c.vendor == vendor)
    if active_only:
        query = query.where(connection.c.state == "active")
    return cx.execute(query).mappings().all()


def update(cx: sa.Connection, connection_id: str, values: Mapping[str, Any]) -> bool:
    """Change one connection; False when there is none."""
    statement = sa.update(connection).where(connection.c.id == connection_id).values(**values, updated_at=sa.func.now())
    return cx.execute(statement).rowcount == 1
