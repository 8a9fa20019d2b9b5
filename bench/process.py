"""From inbox row to outbox rows: 20 rules, facts from the mirror, no vendor. CPU of one worker an event."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from app.config import load
from app.db import Database, migrations
from app.inbox.process import Inbox
from app.inbox.store import add_internal
from app.servers import temporary
from app.triggers import service
from bench.report import line
from integrations.kernel.clock import iso, utc_now

TICKETS, EVENTS, ROUNDS = 200, 1000, 5


def rules(count=20):
    """Rules of four clauses each; every tenth fires."""
    found = ["rules:"]
    for n in range(count):
        word = "Subject" if n % 10 == 0 else "nothing"
        found.append(
            f'- {{id: rule_{n}, title: Rule {n}, order: {n}, when: ["*"], all: [{{fact: ticket.status, is_not: closed}}, '
            f"{{fact: billing.status, one_of: [active, none]}}, {{fact: ticket.tags, includes_none: [never_{n}]}}, "
            f"{{fact: ticket.subject, contains: {word}}}], actions: [{{add_tags: {{tags: [db_rule_{n}]}}}}]}}"
        )
    return "\n".join(found)


_FILL = (
    """INSERT INTO delivery_key (connection_id, event_key, kind, lane, state, settled_at)
       SELECT 'desk', 'old-' || n, 'zen:event-type:ticket.created', 'ticket:' || (n % :tickets + 1), 'done', now()
       FROM generate_series(1, :deliveries) n""",
    "INSERT INTO delivery_body (delivery_id, body) SELECT id, '{}' FROM delivery_key",
    """INSERT INTO ticket (connection_id, id, as_of, read_as_of, status, requester_id, "values", told)
       SELECT 'desk', n::text, '2026-01-01', '2026-01-01', 'open', (n % 5000)::text, jsonb_build_object(
           'status', 'open', 'subject', 'Subject ' || n, 'tags', '[]'::jsonb, 'custom_fields', '{}'::jsonb,
           'requester_id', (n % 5000)::text, 'created_at', '2026-01-01T00:00:00Z'), '{}'
       FROM generate_series(1, :tickets) n""",
    """INSERT INTO lane (connection_id, key, busy_until) SELECT 'desk', 'ticket:' || n, now()
       FROM generate_series(1, :tickets) n""",
)


def fill(database, deliveries, tickets):
    """Bring the tables to a size: settled deliveries with bodies, tickets, all by the database itself."""
    with database.begin() as cx:
        cx.execute(sa.text("SET LOCAL statement_timeout = 0"))
        for text in _FILL:
            cx.execute(sa.text(text), {"deliveries": deliveries, "tickets": tickets})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as cx:
        cx.execute(sa.text("SET statement_timeout = 0"))
        cx.execute(sa.text("VACUUM ANALYZE"))


def events(database, start, count, tickets):
    """Unsettled ticket events, as the door would have stored them."""
    rows = []
    for n in range(start, start + count):
        ticket = str(n % TICKETS + 1 + (tickets - TICKETS) // 2)
        detail = {
            "id": ticket, "status": "OPEN", "subject": f"Subject {ticket}", "tags": [], "actor_id": "7",
            "requester_id": str(int(ticket) % 5000),
            "updated_at": f"2026-06-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z",
        }  # fmt: skip
        body = {
            "type": "zen:event-type:ticket.status_changed", "id": f"new-{n}", "subject": f"zen:ticket:{ticket}",
            "time": iso(utc_now()), "detail": detail, "event": {"current": "OPEN", "previous": "NEW"},
        }  # fmt: skip
        rows.append(("desk", f"new-{n}", body["type"], f"ticket:{ticket}", json.dumps(body).encode()))
    with database.begin() as cx:
        for i in range(0, count, 500):
            add_internal(cx, rows[i : i + 500])


def no_helpdesk(_):
    """The mirror knows these tickets: nothing may be read."""
    raise AssertionError("a read at the helpdesk")


def cpu_per_event(database, rounds, tickets):
    """CPU seconds an event in this process (the database's own are its own), one value a round."""
    settings = load({"INBOX_GATHER_S": "0"})
    with ThreadPoolExecutor(4) as pool:
        inbox = Inbox(database, lambda _: "zendesk", no_helpdesk, lambda _: "999", pool, settings)
        found = []
        for number in range(rounds + 1):
            events(database, number * EVENTS, EVENTS, tickets)
            began = time.process_time()
            settled = inbox.drain(lambda: True)
            spent = time.process_time() - began
            if settled != EVENTS:
                raise SystemExit(f"{settled} of {EVENTS} events were settled")
            if number:  # the first round compiles and warms
                found.append(spent / EVENTS)
    with database.begin() as cx:
        bad = cx.execute(sa.text("SELECT count(*) FROM delivery_key WHERE state NOT IN ('done', 'stale')")).scalar_one()
        wanted = cx.execute(sa.text("SELECT count(*) FROM outbox")).scalar_one()
    if bad or wanted != TICKETS:
        raise SystemExit(f"wrong result: {bad} events not done, {wanted} of {TICKETS} tickets with a change")
    return found


def prepared(urls, deliveries, tickets):
    """A database of that size with the rules live."""
    migrations.upgrade(urls.migration_url)
    database = Database(urls.database_url)
    owner = Database(urls.migration_url)
    fill(owner, deliveries, tickets)
    owner.close()
    with database.begin() as cx:
        service.import_yaml(cx, rules(), "bench")
    return database


def run():
    """Print CPU milliseconds an event."""
    with temporary() as urls:
        database = prepared(urls, 10_000, 10_000)
        found = cpu_per_event(database, ROUNDS, 10_000)
        line("process: CPU an event", "ms", [v * 1000 for v in found], load=f"{EVENTS} events a round, 20 rules")
        database.close()
