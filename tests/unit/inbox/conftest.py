"""The inbox over a real database, with Zendesk's own documents as deliveries and a helpdesk that can be read."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app.config import load
from app.inbox import store
from app.inbox.models import delivery_key, lane
from app.inbox.process import Inbox
from app.outbox.models import outbox
from app.outbox.wanted import from_json
from app.telemetry.logs import configure
from app.tickets import store as tickets
from app.triggers import service
from integrations.kernel.clock import parse_iso
from integrations.kernel.ports import TicketRead
from integrations.kernel.records import PersonRecord, TicketRecord

NOON = parse_iso("2026-11-24T12:00:00Z")
OWN = "999"


class Desk:
    """Tickets by id as a read tells them; `before` is called with the ids of each read."""

    def __init__(self):
        self.tickets: dict[str, TicketRecord] = {}
        self.reads: list[tuple[str, ...]] = []
        self.before = lambda ids: None

    def show_tickets(self, ids):
        self.reads.append(tuple(ids))
        self.before(ids)
        found = tuple(self.tickets[i] for i in ids if i in self.tickets)
        people = tuple(PersonRecord("7", NOON, name="Ann") for _ in found[:1])
        return TicketRead(found, people, (), tuple(i for i in ids if i not in self.tickets))


class Bench:
    def __init__(self, database):
        self.database = database
        self.settings = load({"INBOX_GATHER_S": "0", "OUTBOX_GATHER_S": "0", "DATABASE_URL": database.url})
        self.desks: dict[str, Desk] = {}
        self.vendors: dict[str, str] = {"bank": "stripe"}
        self.own_user = lambda connection_id: OWN
        self.pool = ThreadPoolExecutor(4)
        self.inbox = self.another()
        self.number = 0

    def another(self):
        return Inbox(self.database, self.vendor_of, self.desk, lambda c: self.own_user(c), self.pool, self.settings)

    def vendor_of(self, connection_id):
        found = self.vendors.get(connection_id, "zendesk")
        if isinstance(found, Exception):
            raise found
        return found

    def desk(self, connection_id="desk"):
        return self.desks.setdefault(connection_id, Desk())

    def rules(self, text):
        with self.database.begin() as cx:
            service.import_yaml(cx, text, "test")

    def ticket(self, ticket_id, *, second=0, connection="desk", **values):
        """What a read of this ticket tells from now on."""
        known = {"status": "open", "tags": [], "requester_id": "7", "subject": "Hello", **values}
        at = NOON + timedelta(seconds=second)
        self.desk(connection).tickets[ticket_id] = TicketRecord(ticket_id, at, known, complete=True)

    def event(self, ticket_id, *, second=0, kind="tags_changed", connection="desk", actor="7", tags=(), **detail):
        """Store a delivery as Zendesk sends it; answers its event key."""
        self.number += 1
        at = iso_z(NOON + timedelta(seconds=second))
        body = {
            "account_id": 1, "id": f"e{self.number}", "subject": f"zen:ticket:{ticket_id}", "time": at,
            "type": f"zen:event-type:ticket.{kind}", "zendesk_event_version": "2022-11-06",
            "event": {"tags_added": [], "tags_removed": []},
            "detail": {
                "id": ticket_id, "updated_at": at, "created_at": at, "status": "OPEN", "tags": list(tags),
                "actor_id": actor, "requester_id": "7", "subject": "Hello", **detail,
            },
        }  # fmt: skip
        return self.store(connection, body["id"], body["type"], f"ticket:{ticket_id}", body)

    def store(self, connection, key, kind, lane_key, body):
        with self.database.begin() as cx:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            store.add_internal(cx, [(connection, key, kind, lane_key, raw)])
        return key

    def drain(self, inbox=None, rounds=40):
        left = iter(range(rounds))
        return (inbox or self.inbox).drain(lambda: next(left, None) is not None)

    def hurry(self):
        """Let every pause and lease be over."""
        with self.database.begin() as cx:
            cx.execute(sa.update(lane).values(busy_until=sa.func.now()))

    def claim(self, **more):
        with self.database.begin() as cx:
            return store.claim(cx, **{"lanes": 10, "lease_s": 60, **more})

    def states(self):
        with self.database.begin() as cx:
            return dict(cx.execute(sa.select(delivery_key.c.event_key, delivery_key.c.state)).all())

    def row(self, key):
        with self.database.begin() as cx:
            return cx.execute(sa.select(delivery_key).where(delivery_key.c.event_key == key)).one()

    def mirror(self, ticket_id, connection="desk"):
        with self.database.begin() as cx:
            return tickets.read(cx, connection, [ticket_id]).get(ticket_id)

    def wanted(self, ticket_id):
        """Tags wanted of a ticket: what waits in the outbox."""
        with self.database.begin() as cx:
            rows = cx.execute(sa.select(outbox).where(outbox.c.ticket_id == ticket_id, outbox.c.state == "pending"))
            return {tag: on for row in rows for tag, on in from_json(row.change).tags.items()}

    def land(self, ticket_id):
        """The relay has written what waits of this ticket: the mirror knows."""
        with self.database.begin() as cx:
            row = cx.execute(
                sa.select(outbox).where(outbox.c.ticket_id == ticket_id, outbox.c.state == "pending")
            ).one()
            tickets.fold(cx, row.connection_id, [(ticket_id, from_json(row.change))])
            cx.execute(sa.update(outbox).where(outbox.c.id == row.id).values(state="done", settled_at=sa.func.now()))


def iso_z(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def bench(database):
    configure("info")  # as the product does: without it each exception is drawn with all its variables, for seconds
    found = Bench(database)
    yield found
    found.pool.shutdown()
