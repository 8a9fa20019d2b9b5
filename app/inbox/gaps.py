"""All SQL of what never came and was fetched, or cannot be. The why of it is in catch_up.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.inbox.models import catch_up_cursor, gap


def note(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write gaps down, each once; answers how many were new. A row: the columns of the table but its id and found_at."""
    if not rows:
        return 0
    statement = insert(gap).values(list(rows)).on_conflict_do_nothing().returning(gap.c.id)
    return len(cx.execute(statement).all())


def cursor_of(cx: sa.Connection, connection_id: str) -> tuple[str, datetime] | None:
    """(the vendor's cursor, up to when everything is known); None before the first run."""
    query = sa.select(catch_up_cursor).where(catch_up_cursor.c.connection_id == connection_id)
    row = cx.execute(query).first()
    return (str(row.cursor), row.reached) if row else None


def save_cursor(cx: sa.Connection, connection_id: str, cursor: str, reached: datetime, looked_at: int) -> None:
    """Go on from here next time; in the transaction that applied what came before it."""
    statement = insert(catch_up_cursor).values(
        connection_id=connection_id, cursor=cursor, reached=reached, looked_at=looked_at
    )
    new = statement.excluded
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id"],
            set_={
                "cursor": new.cursor,
                "reached": new.reached,
                "ran_at": sa.func.now(),
                "looked_at": catch_up_cursor.c.looked_at + new.looked_at,
            },
        )
    )


def listing(cx: sa.Connection, limit: int) -> Sequence[Any]:
    """The newest gaps, newest first."""
    return cx.execute(sa.select(gap).order_by(gap.c.id.desc()).limit(limit)).all()


def summary(cx: sa.Connection) -> Sequence[Any]:
    """Counts by connection, verdict and what."""
    query = sa.select(gap.c.connection_id, gap.c.verdict, gap.c.what, sa.func.count().label("n"))
    return cx.execute(
        query.group_by(gap.c.connection_id, gap.c.verdict, gap.c.what).order_by(
            gap.c.connection_id, gap.c.verdict, gap.c.what
        )
    ).all()


def cursors(cx: sa.Connection) -> Sequence[Any]:
    """How far each connection is."""
    return cx.execute(sa.select(catch_up_cursor).order_by(catch_up_cursor.c.connection_id)).all()


def prune(cx: sa.Connection, keep_days: int) -> int:
    """Forget gaps older than this; answers how many."""
    old = sa.func.now() - sa.func.make_interval(0, 0, 0, keep_days)
    return cx.execute(sa.delete(gap).where(gap.c.found_at < old)).rowcount
