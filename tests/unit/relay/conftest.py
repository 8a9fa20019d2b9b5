"""The relay over a real database, and a helpdesk that plays a script: what each ticket answers, what a call does."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app.config import load
from app.outbox import Plan, enqueue
from app.outbox.models import outbox
from app.outbox.wanted import Wanted
from app.relay import Relay
from app.telemetry.logs import configure
from app.tickets import store as tickets
from integrations.kernel.clock import parse_iso
from integrations.kernel.ports import JobState, WriteReceipt, WriteResult, WriteState
from integrations.kernel.records import Note, TicketRecord


class Desk:
    """A helpdesk in memory. answers: ticket -> states its next writes answer. before: called with each write's tickets.

    jobs_out: jobs not finished yet, when `by_job`. Writes land when they are answered DONE.
    """

    def __init__(self):
        self.tags: dict[str, set[str]] = {}
        self.notes: list[tuple[str, str]] = []
        self.answers: dict[str, list[WriteState | None]] = {}
        self.calls: list[tuple[str, ...]] = []
        self.before = lambda ids: None
        self.after = lambda ids: None
        self.by_job = False
        self.finished = True
        self.sent: dict[str, tuple[WriteResult, ...]] = {}

    def _write(self, changes):
        ids = tuple(c.ticket_id for c in changes)
        self.calls.append(ids)
        self.before(ids)
        results = [result for change in changes if (result := self._one(change)) is not None]
        self.after(ids)
        return tuple(results)

    def _one(self, change):
        state = (self.answers.get(change.ticket_id) or [WriteState.DONE]).pop(0)
        if state is WriteState.DONE:
            tags = self.tags.setdefault(change.ticket_id, set())
            tags |= set(change.add_tags)
            tags -= set(change.remove_tags)
            if change.note:
                self.notes.append((change.ticket_id, change.note.key))
        return state and WriteResult(change.ticket_id, state, f"{state} by script")

    def update_tickets(self, changes, key):
        results = self._write(changes)
        if not self.by_job:
            return WriteReceipt(results=results)
        job_id = f"job{len(self.calls)}"
        self.sent[job_id] = results
        return WriteReceipt(job_id=job_id)

    def update_ticket(self, change, key):
        (result,) = self._write([change]) or (WriteResult(change.ticket_id, WriteState.REFUSED, "silent"),)
        return result

    def jobs(self, job_ids):
        return {j: JobState(j, self.finished, self.sent.get(j, ()) if self.finished else ()) for j in job_ids}

    def has_note(self, ticket_id, key):
        return (ticket_id, key) in self.notes


class Bench:
    """Relay, desks by connection, and short words for what tests do with them."""

    def __init__(self, database):
        self.database = database
        self.settings = load(
            {"OUTBOX_GATHER_S": "0", "OUTBOX_POLL_S": "0.05", "OUTBOX_TRIES": "5", "DATABASE_URL": database.url}
        )
        self.desks: dict[str, Desk] = {}
        self.pool = ThreadPoolExecutor(4)
        self.relay = self.another()

    def another(self):
        return Relay(self.database, self.client, self.pool, self.settings)

    def client(self, connection_id):
        desk = self.desks.setdefault(connection_id, Desk())
        if isinstance(desk, Exception):
            raise desk
        return desk

    def want(self, *ticket_ids, connection="desk", notes=(), forced=False, held=None, **tags):
        """Tags by name (True: on), notes by key, for each of these tickets."""
        wanted = Wanted(tags=tags, notes=tuple(Note(key, "text") for key in notes))
        plans = [Plan(ticket_id, wanted, {"tags": []}, ("rule",)) for ticket_id in ticket_ids]
        with self.database.begin() as cx:
            return enqueue(cx, connection, plans, gather_s=0, forced=forced, held=held or {})

    def know(self, *ticket_ids, connection="desk", tags=()):
        """Put tickets into the mirror."""
        moment = parse_iso("2026-11-24T09:00:00Z")
        values = {"tags": list(tags), "status": "open"}
        with self.database.begin() as cx:
            tickets.apply(cx, connection, [TicketRecord(t, moment, values, complete=True) for t in ticket_ids])

    def drain(self, seconds=5.0, unless=lambda: False):
        """Send until nothing is due; where jobs stay out for ever, until `unless` holds."""
        until = time.monotonic() + seconds
        return self.relay.drain(lambda: time.monotonic() < until and not unless())

    def hurry(self):
        """Let every pause be over."""
        with self.database.begin() as cx:
            cx.execute(sa.update(outbox).where(outbox.c.state == "pending").values(due_at=sa.func.now()))

    def lapse(self):
        """Let every lease be over."""
        with self.database.begin() as cx:
            cx.execute(sa.update(outbox).values(lease_until=sa.func.now() - sa.text("interval '1 second'")))

    def rows(self, ticket_id=None):
        with self.database.begin() as cx:
            query = sa.select(outbox).order_by(outbox.c.id)
            return [r for r in cx.execute(query) if ticket_id in (None, r.ticket_id)]

    def states(self):
        return {row.ticket_id: row.state for row in self.rows()}


@pytest.fixture
def bench(database):
    configure("info")  # as the product does: without it each exception is drawn with all its variables, for seconds
    found = Bench(database)
    yield found
    found.pool.shutdown()
