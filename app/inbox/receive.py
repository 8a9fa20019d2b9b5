"""Store a verified delivery once. One statement, one round trip, committed before the door answers.

This path takes a bare psycopg connection: it is the one place where the cost of SQLAlchemy would show.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout

from integrations.kernel.errors import Overloaded
from integrations.kernel.events import Envelope

# A copy of a known event only counts itself: `copies` rises, the body is not stored again.
_STORE = sql.SQL(
    """
    WITH known AS (
        INSERT INTO delivery_key AS d (connection_id, event_key, kind, lane, money)
        VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (connection_id, event_key) DO UPDATE SET copies = d.copies + 1
        RETURNING id, copies
    ), kept AS (
        INSERT INTO delivery_body (delivery_id, headers, body) SELECT id, %s::jsonb, %s FROM known WHERE copies = 1
    )
    SELECT id, copies FROM known
    """
)

# What is kept of the request's headers: enough to see a delivery's way, never a signature or a credential.
KEPT_HEADERS = ("content-type", "user-agent", "x-zendesk-webhook-id", "x-zendesk-webhook-invocation-id")


def store(
    pool: ConnectionPool, connection_id: str, envelope: Envelope, headers: Mapping[str, str], body: bytes
) -> tuple[int, bool]:
    """Answer (delivery id, was it new). On return the bytes are on disk.

    Raises:
        Overloaded: the database cannot be written now; nothing was stored.
    """
    kept = json.dumps({name: headers[name] for name in KEPT_HEADERS if name in headers})
    values = (
        connection_id, envelope.event_key, envelope.kind[:128], envelope.lane or f"alone:{envelope.event_key}",
        envelope.money, kept, body,
    )  # fmt: skip
    try:
        with pool.connection() as cx:
            row = cx.execute(_STORE, values, prepare=True).fetchone()
    except (psycopg.Error, PoolTimeout) as error:
        raise Overloaded(cause=type(error).__name__) from error
    assert row is not None  # noqa: S101 - an upsert with RETURNING always answers
    return int(row[0]), int(row[1]) == 1
