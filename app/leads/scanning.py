"""A scan of the whole mirror, signal by signal, each in a transaction of its own: no long one, and a kill loses little."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.billing.store import settle_rises
from app.db import Database
from app.leads.signals import QUERIES, Counts, scan_signal
from app.leads.store_policy import active_policy

Progress = Callable[[str, Counts], None]


class _Undo(Exception):
    """Ends the transaction of a dry run."""


def scan(
    database: Database, now: datetime, progress: Progress = lambda name, counts: None, *, dry_run: bool = False
) -> dict[str, Counts]:
    """Every signal of every payer; counts by signal. dry_run: what it would find and change, and nothing of it stays."""
    if not dry_run:
        with database.begin() as cx:
            settle_rises(cx)
    found = {}
    for name in QUERIES:
        found[name] = _one(database, name, now, dry_run)
        progress(name, found[name])
    return found


def _one(database: Database, name: str, now: datetime, dry_run: bool) -> Counts:
    counts = Counts()
    try:
        with database.begin() as cx:
            counts = scan_signal(cx, name, active_policy(cx), now)
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    return counts
