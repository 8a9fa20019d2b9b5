"""Periodic work by a table: any worker claims what is due; many workers do no more than one.

A task is claimed by moving its `next_due` before it runs, in a transaction of its own: whoever comes second sees it in
the future. A task that dies is simply due again; every task is written to be harmless when it runs twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.db import Database
from app.jobs.models import periodic, worker
from app.telemetry.logs import bind, get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """One periodic job. every_s: seconds between starts, over all workers together. at_start: and when one starts."""

    key: str
    every_s: float
    run: Callable[[], object]
    at_start: bool = False


def register(cx: sa.Connection, tasks: Mapping[str, Task]) -> None:
    """Make a row for each task that has none. Costs a read when they are there."""
    known = set(cx.execute(sa.select(periodic.c.key).where(periodic.c.key.in_(list(tasks)))).scalars())
    if rows := [{"key": key} for key in sorted(tasks.keys() - known)]:
        cx.execute(insert(periodic).values(rows).on_conflict_do_nothing())


def worker_starts(cx: sa.Connection, tasks: Mapping[str, Task]) -> None:
    """What is due at every start is due now; ten workers that start together have it done once."""
    lately = periodic.c.last_started > sa.func.now() - sa.text("interval '10 seconds'")
    at_start = periodic.c.key.in_([key for key, task in tasks.items() if task.at_start])
    cx.execute(
        sa.update(periodic)
        .where(at_start, periodic.c.last_started.is_not(None), ~lately, periodic.c.next_due > sa.func.now())
        .values(next_due=sa.func.now())
    )


def claim_due(cx: sa.Connection, tasks: Mapping[str, Task]) -> list[str]:
    """Take every due task and set when it is due next, in the same statement."""
    periods = {key: float(task.every_s) for key, task in tasks.items()}
    rows = cx.execute(
        sa.text(
            """
            UPDATE periodic p SET next_due = now() + make_interval(secs => w.every_s), last_started = now()
            FROM unnest(CAST(:keys AS text[]), CAST(:periods AS float8[])) AS w(key, every_s)
            WHERE p.key = w.key AND p.key IN (
                SELECT key FROM periodic WHERE next_due <= now() AND key = ANY(:keys) FOR UPDATE SKIP LOCKED)
            RETURNING p.key
            """
        ),
        {"keys": list(periods), "periods": list(periods.values())},
    )
    return [row.key for row in rows]


def run_due(database: Database, tasks: Mapping[str, Task]) -> int:
    """Claim and run what is due; answers how many ran. One task's failure is logged and kept beside its row."""
    with database.begin() as cx:
        keys = claim_due(cx, tasks)
    for key in keys:
        started = time.monotonic()
        with bind(job=f"periodic:{key}"):
            try:
                tasks[key].run()
                error = None
            except Exception as problem:
                error = type(problem).__name__
                log.exception("periodic_failed", key=key)
        if error or time.monotonic() - started > 1:
            log.info("periodic_ran", key=key, seconds=round(time.monotonic() - started, 3), error=error)
        with database.begin() as cx:
            cx.execute(sa.update(periodic).where(periodic.c.key == key).values(last_error=error))
    return len(keys)


def heartbeat(cx: sa.Connection, worker_id: str) -> None:
    """Say that this worker lives; forget those not seen for a day."""
    cx.execute(
        insert(worker)
        .values(id=worker_id)
        .on_conflict_do_update(index_elements=["id"], set_={"seen_at": sa.func.now()})
    )
    cx.execute(sa.delete(worker).where(worker.c.seen_at < sa.func.now() - sa.text("interval '1 day'")))


def workers_seen(cx: sa.Connection, within_s: int = 60) -> int:
    """How many workers were seen lately."""
    recent = worker.c.seen_at > sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, within_s)
    return int(cx.execute(sa.select(sa.func.count()).where(recent)).scalar_one())
