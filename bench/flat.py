"""Does an event cost more when much is stored? CPU of one event (ours and the database's for us) in a large house / a small.

Both stand side by side and are measured in turn. An event is stored as the door stores it and then worked off, one at a
time: what would grow with the tables is then not divided by the size of a batch.
"""

from __future__ import annotations

import json
import time

from app.db import Database
from app.inbox.receive import Receiver
from bench.filled import CONNECTION, PEOPLE, filled
from bench.idle_worker import worker
from bench.processes import backends_cpu_s
from bench.report import line
from integrations.kernel.events import Envelope

SMALL, LARGE, LARGE_TICKETS = 10_000, 1_000_000, 200_000
EVENTS, ROUNDS, GOAL = 100, 7, 1.2
KIND = "zen:event-type:ticket.status_changed"


def delivery(number: int) -> tuple[Envelope, bytes]:
    """A status change of a ticket that everybody has, each time another one."""
    ticket = str(number % 9000 + 1)
    detail = {
        "id": ticket, "status": "OPEN", "subject": f"Subject {ticket}", "tags": [], "actor_id": "7",
        "requester_id": str(int(ticket) % PEOPLE),
        "updated_at": f"2026-06-{number // 86400 + 1:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
    }  # fmt: skip
    body = {
        "type": KIND, "id": f"flat-{number}", "subject": f"zen:ticket:{ticket}", "time": detail["updated_at"],
        "detail": detail, "event": {"current": "OPEN", "previous": "NEW"},
    }  # fmt: skip
    return Envelope(f"flat-{number}", KIND, f"ticket:{ticket}", money=False), json.dumps(body).encode()


def cpu_ms(database: Database, receiver: Receiver, first: int, count: int) -> float:
    """CPU milliseconds of one event, from the door to the outbox."""
    with worker(database) as inbox:
        before, began = backends_cpu_s(database), time.process_time()
        for number in range(first, first + count):
            envelope, body = delivery(number)
            receiver.store(CONNECTION, envelope, {}, body)
            if inbox.drain(lambda: True) != 1:
                raise SystemExit(f"event {number} was not settled")
        return (time.process_time() - began + backends_cpu_s(database) - before) / count * 1000


def measured(
    large: int, large_tickets: int, small: int = SMALL, rounds: int = ROUNDS, count: int = EVENTS
) -> tuple[list[float], list[float]]:
    """(large, small), a value a round, taken in turn after a warm-up of both."""
    found: tuple[list[float], list[float]] = ([], [])
    with filled(large, large_tickets) as much, filled(small, small) as little:
        houses = [(database, Receiver(database.door_pool)) for database in (much, little)]
        for number in range(rounds + 1):
            for place, (database, receiver) in enumerate(houses):
                value = cpu_ms(database, receiver, number * count, count)
                if number:
                    found[place].append(value)
    return found


def run() -> None:
    """Print the ratio."""
    load = {"deliveries": LARGE, "tickets": LARGE_TICKETS, "small": SMALL, "events_a_round": EVENTS}
    line("flat: CPU an event, large / small", "ms", *measured(LARGE, LARGE_TICKETS), load=load, goal=("<=", GOAL))
