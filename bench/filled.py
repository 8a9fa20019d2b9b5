"""A database of a given size: settled deliveries, tickets, people who pay, rules; filled by the database itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from app.billing.profile import profile
from app.db import Database, migrations
from app.inbox.store import add_internal
from app.servers import temporary
from app.triggers import service
from integrations.kernel.clock import iso, utc_now

CONNECTION, PEOPLE = "desk", 5000


def rules(count: int = 20) -> str:
    """Rules of four clauses each; every tenth fires."""
    found = ["rules:"]
    for n in range(count):
        word = "Subject" if n % 10 == 0 else "nothing"
        found.append(
            f'- {{id: rule_{n}, title: Rule {n}, order: {n}, when: ["*"], all: [{{fact: ticket.status, is_not: closed}}, '
            f"{{fact: billing.status, one_of: [active]}}, {{fact: ticket.tags, includes_none: [never_{n}]}}, "
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
    """INSERT INTO outbox (connection_id, ticket_id, change, state, due_at, created_at, settled_at)
       SELECT 'desk', (n % :tickets + 1)::text, '{}', 'done', now() - interval '1 day', now() - interval '1 day',
              now() - interval '1 day' FROM generate_series(1, :tickets) n""",
    """INSERT INTO person (connection_id, id, as_of, digest, name, role, active, fields)
       SELECT 'desk', n::text, '2026-01-01', '', 'Person ' || n, 'end-user', true, '{}'
       FROM generate_series(0, :people) n""",
    """INSERT INTO person_email (connection_id, person_id, address, folded, base, domain, verified, is_primary)
       SELECT 'desk', n::text, a, a, a, 'acme' || n || '.example', true, true
       FROM generate_series(0, :people) n, LATERAL (SELECT 'p@acme' || n || '.example') e(a)""",
    """INSERT INTO payer_address (connection_id, payer_id, folded, base, domain)
       SELECT 'bank', 'cus_' || n, a, a, 'acme' || n || '.example'
       FROM generate_series(0, :people) n, LATERAL (SELECT 'p@acme' || n || '.example') e(a)""",
    """INSERT INTO billing_profile (connection_id, payer_id, profile)
       SELECT 'bank', 'cus_' || n, CAST(:profile AS jsonb) FROM generate_series(0, :people) n""",
)


def fill(owner: Database, deliveries: int, tickets: int) -> None:
    """Bring the tables to a size. `owner`: with the role that owns them."""
    empty = profile({}, {}, datetime(2026, 1, 1, tzinfo=UTC), "seats_used")
    values = {
        "deliveries": deliveries, "tickets": tickets, "people": PEOPLE,
        "profile": json.dumps({**empty, "status": "active", "plans": ["Team"], "currency": "USD"}),
    }  # fmt: skip
    with owner.begin() as cx:
        cx.execute(sa.text("SET LOCAL statement_timeout = 0"))
        for text in _FILL:
            cx.execute(sa.text(text), values)
    with owner.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as cx:
        cx.execute(sa.text("SET statement_timeout = 0"))
        cx.execute(sa.text("VACUUM ANALYZE"))


@contextmanager
def filled(deliveries: int, tickets: int) -> Iterator[Database]:
    """A database of that size with the rules live, on servers of its own (fsync off: disk is not what is measured)."""
    with temporary() as urls:
        migrations.upgrade(urls.migration_url)
        owner = Database(urls.migration_url)
        fill(owner, deliveries, tickets)
        owner.close()
        database = Database(urls.database_url)
        with database.begin() as cx:
            service.import_yaml(cx, rules(), "bench")
        yield database
        database.close()


def events(database: Database, start: int, tickets: list[str]) -> None:
    """Unsettled events, one for each of these tickets, as the door would have stored them; numbered from `start`."""
    rows = []
    for n, ticket in enumerate(tickets, start):
        detail = {
            "id": ticket, "status": "OPEN", "subject": f"Subject {ticket}", "tags": [], "actor_id": "7",
            "requester_id": str(int(ticket) % PEOPLE),
            "updated_at": f"2026-06-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z",
        }  # fmt: skip
        body = {
            "type": "zen:event-type:ticket.status_changed", "id": f"new-{n}", "subject": f"zen:ticket:{ticket}",
            "time": iso(utc_now()), "detail": detail, "event": {"current": "OPEN", "previous": "NEW"},
        }  # fmt: skip
        rows.append((CONNECTION, f"new-{n}", str(body["type"]), f"ticket:{ticket}", json.dumps(body).encode()))
    with database.begin() as cx:
        for i in range(0, len(rows), 500):
            add_internal(cx, rows[i : i + 500])
