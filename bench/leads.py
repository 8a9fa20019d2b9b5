"""Signals of leads over a million subscriptions, measured: CPU of PostgreSQL and of us, plans, memory.

The terms are filled in by the database itself, as `app.billing` keeps them: 200,000 payers with five subscriptions each, of
which 30 % are yearly, 40 % tell their seats in use; of those, the counts of every third day of the last 30 are kept.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from app.billing.store_terms import settle_rises
from app.db import Database, migrations
from app.leads.policy import LeadPolicy
from app.leads.signals import QUERIES, Counts, scan_payers, scan_signal
from app.leads.signals.queries import select
from app.leads.signals.scan import told
from app.servers import temporary
from bench.backfill import resident_mib
from bench.report import line
from integrations.kernel.clock import utc_now

SUBSCRIPTIONS, ROUNDS, CHANGED = 1_000_000, 5, 1000
CONNECTION = "con_01j9q3w8k2m4n6p8r0t2v4x6"
MEASURED = ", ANALYZE, TIMING OFF, BUFFERS OFF"  # what is counted a row costs as much as finding it
_TICKS = os.sysconf("SC_CLK_TCK")

# h is a number from 0 to 999 that depends on n as a die would, another one for each salt.
_H = "abs(hashint8extended(n, {})) % 1000"
_FILL = (
    f"""
    INSERT INTO billing_term (connection_id, subscription_id, payer_id, status, plan, currency, minor, seats, seats_used,
                              use_pct, used_least, rise_pct, months, started_on, renews_on, ends_on, trial_ends_on,
                              failed_on, owed, fell_on, fell_from)
    SELECT '{CONNECTION}', 'sub_1QxYzAbCdEfGh' || lpad(n::text, 11, '0'),
           'cus_Rab' || lpad((n % :payers)::text, 11, '0'),
           CASE WHEN trial THEN 'trialing' WHEN fails THEN 'past_due' ELSE 'active' END, 'Team ' || n % 7,
           CASE WHEN n % 3 = 0 THEN 'EUR' ELSE 'USD' END, seats * price * months, seats, used, used * 100 / seats,
           used * 100 / (100 + rise), CASE WHEN rise > 0 THEN (used - used * 100 / (100 + rise)) * 100
               / greatest(used * 100 / (100 + rise), 1) END, months, :today - h1::int,
           CASE WHEN trial OR ends THEN NULL ELSE :today + (h2 * months * 30 / 1000)::int END,
           CASE WHEN ends THEN :today + (h2 / 30)::int END, CASE WHEN trial THEN :today + (h2 / 33)::int END,
           CASE WHEN fails THEN :today - 3 END, CASE WHEN fails THEN 9900 END,
           CASE WHEN h3 < 15 THEN :today - (h2 / 10)::int END, CASE WHEN h3 < 15 THEN seats * price * months * 2 END
    FROM (SELECT n, h1, h2, h3, h7, 1000 AS price, CASE WHEN h1 < 300 THEN 12 ELSE 1 END AS months, h4 < 20 AS trial,
                 h4 BETWEEN 20 AND 34 AS ends, h4 BETWEEN 35 AND 42 AS fails, 5 + h5::int / 5 AS seats,
                 CASE WHEN h6 < 20 THEN h3::int / 10 ELSE 0 END AS rise,
                 CASE WHEN h6 < 400 THEN ((5 + h5 / 5) * least(h7 * 93 / 1000 + CASE WHEN h6 < 12 THEN 20 ELSE 0 END, 110)
                      / 100)::int END AS used
          FROM (SELECT n, {", ".join(f"{_H.format(s)} AS h{s}" for s in range(1, 8))}
                FROM generate_series(1, :subscriptions) n) h) s
    ORDER BY hashint8extended(n, 99)
    """,  # noqa: S608 - numbers and names of this file
    """
    INSERT INTO seat_count (connection_id, subscription_id, day, seats, seats_used)
    SELECT connection_id, subscription_id, :today - d, seats, CASE WHEN d < 15 THEN seats_used ELSE used_least END
    FROM billing_term, generate_series(0, 30, 3) d WHERE seats_used IS NOT NULL
    """,
)


def fill(owner: Database, subscriptions: int, today: object) -> None:
    """Bring the terms to a size. `owner`: with the role that owns them."""
    told = {"subscriptions": subscriptions, "payers": max(1, subscriptions // 5), "today": today}
    with owner.begin() as cx:
        cx.execute(sa.text("SET LOCAL statement_timeout = 0"))
        for text in _FILL:
            cx.execute(sa.text(text), {name: v for name, v in told.items() if f":{name}" in text})
    vacuum(owner)


def vacuum(owner: Database) -> None:
    """What autovacuum does within a minute of a scan; the tables here are too young for it."""
    with owner.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as cx:
        cx.execute(sa.text("SET statement_timeout = 0"))
        cx.execute(sa.text("VACUUM ANALYZE billing_term, seat_count"))


@contextmanager
def filled(subscriptions: int, now: datetime) -> Iterator[tuple[Database, Database]]:
    """A database with so many terms, on servers of its own: as the product sees it, and as its owner."""
    with temporary() as urls:
        migrations.upgrade(urls.migration_url)
        owner = Database(urls.migration_url)
        fill(owner, subscriptions, now.date())
        database = Database(urls.database_url, pool_size=1)
        try:
            yield database, owner
        finally:
            database.close()
            owner.close()


class Meter:
    """CPU of one backend and of this process, in seconds, and the memory both came to."""

    def __init__(self, cx: sa.Connection) -> None:
        self._pid = int(cx.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())

    def used(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        own = os.times()
        return (int(fields[11]) + int(fields[12])) / _TICKS + own.user + own.system

    def private_mib(self) -> float:
        """Peak memory of the backend without the buffers all backends share."""
        told = Path(f"/proc/{self._pid}/status").read_text(encoding="ascii")
        kib = {name: int(value.split()[0]) for name, _, value in (row.partition(":") for row in told.splitlines())
               if name in ("VmHWM", "RssShmem", "RssAnon")}  # fmt: skip
        return kib["RssAnon"] / 1024


def cpu_of(database: Database, work: Callable[[sa.Connection], Counts]) -> tuple[float, Counts, float]:
    """One transaction: CPU seconds, what it counted, the backend's own memory afterwards."""
    with database.begin() as cx:
        meter = Meter(cx)
        before = meter.used()
        counts = work(cx)
        used, memory = meter.used() - before, meter.private_mib()
    return used, counts, memory


def whole(database: Database, now: datetime) -> tuple[float, dict[str, int], float]:
    """A full scan: CPU seconds, what holds by signal, the most memory of the backend."""
    total, _, most = cpu_of(database, lambda cx: Counts(settle_rises(cx)))
    found: dict[str, int] = {}
    for name in QUERIES:
        used, counts, memory = cpu_of(database, lambda cx, n=name: scan_signal(cx, n, LeadPolicy(), now))  # type: ignore[misc]
        total, most = total + used, max(most, memory)
        found[name] = counts.found
    assert all(found.values()), f"a signal was not found at all: {found}"
    return total, found, most


def change(database: Database, count: int, turn: int) -> list[tuple[str, str]]:
    """Something happens to so many subscriptions of as many payers: seats in use rise. Answers the payers."""
    with database.begin() as cx:
        rows = cx.execute(
            sa.text(
                """
                WITH p AS (SELECT payer_id, min(subscription_id) AS subscription_id FROM billing_term
                           WHERE payer_id > 'cus_Rab' || lpad(CAST(:after AS text), 11, '0')
                           GROUP BY payer_id ORDER BY payer_id LIMIT :n)
                UPDATE billing_term t SET use_pct = 100 - t.seats % 7, seats = t.seats + 1 FROM p
                WHERE t.connection_id = :connection AND t.subscription_id = p.subscription_id
                RETURNING t.connection_id, t.payer_id
                """
            ),
            {"after": turn * count, "n": count, "connection": CONNECTION},
        )
        return sorted((str(r.connection_id), str(r.payer_id)) for r in rows)


def plan(cx: sa.Connection, name: str, now: datetime, options: str = "") -> tuple[float, str]:
    """Of a signal's query: milliseconds it took (with ANALYZE among the options), and its plan as text."""
    cx.execute(sa.text("SET LOCAL max_parallel_workers_per_gather = 0"))
    cx.execute(sa.text("SET LOCAL jit = off"))  # compiling is no part of either way
    statement = sa.text(f"EXPLAIN (FORMAT JSON{options}) {select(name)}")
    for _ in range(2 if options else 1):  # the second time, both have their pages in memory
        (found,) = cx.execute(statement, told(statement, LeadPolicy(), now)).scalar_one()
    return float(found.get("Execution Time", 0)), json.dumps(found)


def ratios(owner: Database, now: datetime, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """Signal -> milliseconds of its query by its index, and of the same without that index, in turn."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in QUERIES}
    for _ in range(rounds):
        for name, (ours, theirs) in found.items():
            with owner.begin() as cx:
                ms, text = plan(cx, name, now, MEASURED)
                assert QUERIES[name].index in text, f"{name}: {text}"
                ours.append(ms)
            with owner.engine.connect() as cx:  # never committed
                cx.execute(sa.text(f"DROP INDEX {QUERIES[name].index}"))
                ms, text = plan(cx, name, now, MEASURED)
                assert re.search(r'"Seq Scan"[^{}]*"Relation Name": "billing_term"', text), f"{name}: {text}"
                theirs.append(ms)
    return found


def run(subscriptions: int = SUBSCRIPTIONS, rounds: int = ROUNDS) -> None:
    """Print what scans cost; a count that is not what it must be is an error."""
    now = utc_now()
    with filled(subscriptions, now) as (database, owner):
        before = resident_mib()
        started = time.monotonic()
        first, found, memory = whole(database, now)
        load = {"subscriptions": subscriptions, "payers": subscriptions // 5, "signals": found,
                "wall_s": round(time.monotonic() - started, 1)}  # fmt: skip
        again = [whole(database, now) for _ in range(2)]
        assert all(counts == found for _, counts, _ in again), "a second scan found other signals"
        line("leads: full scan that finds everything for the first time, CPU", "s", [first], load=load, goal=("<=", 10))
        line("leads: full scan when nothing changed, CPU", "s", [used for used, _, _ in again], load=load,
             goal=("<=", 10))  # fmt: skip
        line("leads: memory of the backend", "MiB", [max(memory, *(m for _, _, m in again))], load=load,
             goal=("<=", 256))  # fmt: skip
        line("leads: growth of our memory", "MiB", [resident_mib() - before], load=load, goal=("<=", 20))
        vacuum(owner)
        for name, (with_index, without) in ratios(owner, now, rounds).items():
            line(f"leads: {name} by its index / going through the table", "ms", with_index, without,
                 load={**load, "index": QUERIES[name].index}, goal=("<=", 0.15))  # fmt: skip
        _incremental(database, now, min(CHANGED, subscriptions // 50), rounds, load)


def _incremental(database: Database, now: datetime, changed: int, rounds: int, load: dict[str, object]) -> None:
    """Payers that changed, scanned at once; afterwards the full scan must have nothing left to do."""
    used, written = [], 0
    for turn in range(rounds + 1):
        payers = change(database, changed, turn)
        assert len(payers) == changed
        cpu, counts, _ = cpu_of(database, lambda cx, p=payers: scan_payers(cx, p, LeadPolicy(), now))  # type: ignore[misc]
        used.append(cpu)
        written += counts.written
    assert written > 0
    line("leads: incremental scan of changed payers, CPU", "s", used[1:],
         load={**load, "changed": changed, "written": written}, goal=("<=", 0.2))  # fmt: skip
    rest = Counts()
    for name in QUERIES:
        rest += cpu_of(database, lambda cx, n=name: scan_signal(cx, n, LeadPolicy(), now))[1]  # type: ignore[misc]
    assert (rest.written, rest.ended) == (0, 0), f"the incremental scans left something: {rest}"
