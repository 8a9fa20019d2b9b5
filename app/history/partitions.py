"""Partitions by day, of any table with a `day` column: made ahead, dropped whole. Needs the owner of the table."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

_DEFAULT = sa.text("SELECT partdefid::regclass::text FROM pg_partitioned_table WHERE partrelid = to_regclass(:name)")
_PARTS = sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:name) ORDER BY 1")


def ensure_partitions(cx: sa.Connection, table: str, days_ahead: int) -> list[str]:
    """Make today's and the next days' partitions where they are missing; answers those it made.

    Rows of such a day that already lie in the default partition move into theirs.
    """
    _lock(cx, table)
    today: date = cx.execute(sa.text("SELECT current_date")).scalar_one()
    present = set(cx.execute(_PARTS, {"name": table}).scalars())
    default = cx.execute(_DEFAULT, {"name": table}).scalar_one_or_none()
    made = []
    for day in (today + timedelta(days=n) for n in range(days_ahead + 1)):
        name = f"{table}_{day:%Y%m%d}"
        if name not in present:
            _make(cx, table, name, day, default)
            made.append(name)
    return made


def drop_partitions(cx: sa.Connection, table: str, keep_days: int) -> list[str]:
    """Drop the partitions of days that ended more than `keep_days` ago; answers their names."""
    _lock(cx, table)
    today: date = cx.execute(sa.text("SELECT current_date")).scalar_one()
    first = today - timedelta(days=keep_days)
    dropped = []
    for name in cx.execute(_PARTS, {"name": table}).scalars():
        digits = name.removeprefix(f"{table}_")
        if len(digits) == 8 and digits.isdigit() and "0" * 8 < digits < f"{first:%Y%m%d}":
            cx.execute(sa.text(f"DROP TABLE {name}"))
            dropped.append(name)
    default = cx.execute(_DEFAULT, {"name": table}).scalar_one_or_none()
    if default not in (None, "-"):
        cx.execute(sa.text(f"DELETE FROM {default} WHERE day < :first"), {"first": first})  # noqa: S608 - a catalogue's name
    return dropped


def _lock(cx: sa.Connection, table: str) -> None:
    """One at a time, whichever worker comes first; the lock ends with the transaction."""
    cx.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('partitions of ' || :name))"), {"name": table})


def _make(cx: sa.Connection, table: str, name: str, day: date, default: str | None) -> None:
    # Names and dates are our own; DDL takes no bound values.
    cx.execute(sa.text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
    if default not in (None, "-"):
        moved = f"WITH moved AS (DELETE FROM {default} WHERE day = :day RETURNING *) "  # noqa: S608 - a catalogue's name
        cx.execute(sa.text(f"{moved} INSERT INTO {name} SELECT * FROM moved"), {"day": day})  # noqa: S608 - our own name
    span = f"FROM ('{day}') TO ('{day + timedelta(days=1)}')"
    cx.execute(sa.text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {span}"))
