"""From inbox row to outbox row: 20 rules, facts from the mirror, no vendor. CPU of one worker an event.

Then what the queue itself costs (bench/queue_cost.py), and the way to the vendor and back (bench/end_to_end.py).
"""

from __future__ import annotations

import time

import sqlalchemy as sa

from app.db import Database
from bench import end_to_end, queue_cost
from bench.filled import events, filled
from bench.idle_worker import worker
from bench.report import line

EVENTS, ROUNDS, TICKETS = 1000, 5, 10_000
_UNDONE = "SELECT count(*) FROM delivery_key WHERE state <> 'done'"
_WANTED = "SELECT count(*) FROM outbox WHERE state = 'pending' AND change <> '{}'"


def must_be_done(database: Database, changes: int) -> None:
    """Every event is settled as done and each ticket has its change waiting, or the benchmark ends."""
    with database.begin() as cx:
        undone = cx.execute(sa.text(_UNDONE)).scalar_one()
        wanted = cx.execute(sa.text(_WANTED)).scalar_one()
    if undone or wanted != changes:
        raise SystemExit(f"wrong result: {undone} events not done, {wanted} of {changes} tickets with a change")


def cpu_ms(database: Database) -> list[float]:
    """CPU milliseconds an event in this process, a value a round; every event is of another ticket."""
    found = []
    with worker(database) as inbox:
        for number in range(ROUNDS + 1):
            first = number * EVENTS
            events(database, first, [str(n + 1) for n in range(first, first + EVENTS)])
            began = time.process_time()
            settled = inbox.drain(lambda: True)
            spent = time.process_time() - began
            if settled != EVENTS:
                raise SystemExit(f"{settled} of {EVENTS} events were settled")
            if number:  # the first round compiles and warms
                found.append(spent / EVENTS * 1000)
    must_be_done(database, EVENTS * (ROUNDS + 1))
    return found


def run() -> None:
    """Print all figures of processing."""
    load = {"events_a_round": EVENTS, "rules": 20, "tickets_mirrored": TICKETS, "vendor_calls": 0}
    with filled(TICKETS, TICKETS) as database:
        line("process: CPU an event", "ms", cpu_ms(database), load=load, goal=("<=", 3.0))
    queue_cost.run()
    end_to_end.run()
