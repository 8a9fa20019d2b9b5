"""Day partitions of delivery bodies and fact sets: made ahead, so that no insert waits for one."""

from __future__ import annotations

import sqlalchemy as sa

from app.history.partitions import drop_partitions, ensure_partitions

DAYS_AHEAD = 3
TABLES = ("delivery_body", "fact_set")


def ensure(cx: sa.Connection) -> None:
    """Make the partitions of today and the next days. A default partition catches whatever comes without one."""
    for table in TABLES:
        ensure_partitions(cx, table, DAYS_AHEAD)


def drop(cx: sa.Connection, keep_days: int) -> None:
    """Drop the days that ended more than `keep_days` ago, whole."""
    for table in TABLES:
        drop_partitions(cx, table, keep_days)
