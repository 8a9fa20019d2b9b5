"""All SQL of sessions, codes and used tokens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.sessions.models import one_time_code, session, used_token
from app.sessions.policy import Session


def use_once(cx: sa.Connection, purpose: str, digest: bytes, expires_at: datetime) -> bool:
    """Mark a token as used; False when it was used before. expires_at: after it the token itself is worth nothing."""
    statement = insert(used_token).values(purpose=purpose, digest=digest, expires_at=expires_at)
    return cx.execute(statement.on_conflict_do_nothing().returning(used_token.c.purpose)).first() is not None


def insert_session(cx: sa.Connection, values: Mapping[str, Any]) -> None:
    """A new session."""
    cx.execute(sa.insert(session).values(**values))


def find(cx: sa.Connection, digest: bytes, now: datetime) -> Session | None:
    """The live session of a secret's digest."""
    row = cx.execute(_LIVE, {"digest": digest, "now": now}).first()
    if row is None:
        return None
    return Session(
        row.id, row.door, row.connection_id, row.person_id, row.location, row.subject, row.expires_at, row.ends_at
    )


_LIVE = sa.select(session).where(
    session.c.digest == sa.bindparam("digest", type_=session.c.digest.type),
    session.c.expires_at > sa.bindparam("now", type_=sa.DateTime(timezone=True)),
)


def slide(cx: sa.Connection, session_id: str, expires_at: datetime) -> None:
    """Let a session live until then."""
    cx.execute(sa.update(session).where(session.c.id == session_id).values(expires_at=expires_at))


def set_subject(cx: sa.Connection, session_id: str, before: str, after: str) -> bool:
    """Compare and set; False when another request of the page was faster with something else."""
    statement = sa.update(session).where(session.c.id == session_id, session.c.subject == before)
    return cx.execute(statement.values(subject=after)).rowcount == 1


def uses(cx: sa.Connection, purpose: str, now: datetime) -> int:
    """How many live uses there are of a purpose; others who count the same wait until the commit."""
    cx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"uses/{purpose}", 0))))
    live = sa.select(sa.func.count()).where(used_token.c.purpose == purpose, used_token.c.expires_at > now)
    return int(cx.execute(live).scalar_one())


def delete_of(cx: sa.Connection, connection_id: str, person_id: str) -> int:
    """End every session of a person; answers how many there were."""
    mine = sa.delete(session).where(session.c.connection_id == connection_id, session.c.person_id == person_id)
    return cx.execute(mine).rowcount


def last_claims(cx: sa.Connection, connection_id: str) -> tuple[datetime, list[str]] | None:
    """When the newest session began, and the names of what its token carried."""
    query = sa.select(session.c.created_at, session.c.claims).where(
        session.c.connection_id == connection_id, session.c.door == "sidebar"
    )
    row = cx.execute(query.order_by(session.c.created_at.desc()).limit(1)).first()
    return (row.created_at, list(row.claims)) if row else None


def put_code(cx: sa.Connection, values: Mapping[str, Any]) -> None:
    """A code that can be exchanged once."""
    cx.execute(sa.insert(one_time_code).values(**values))


def take_code(cx: sa.Connection, digest: bytes, now: datetime) -> tuple[str, str] | None:
    """(connection, person) of a live code, which is gone now."""
    statement = sa.delete(one_time_code).where(one_time_code.c.digest == digest)
    row = cx.execute(statement.returning(one_time_code)).first()
    return (row.connection_id, row.person_id) if row is not None and row.expires_at > now else None


def prune(cx: sa.Connection, now: datetime) -> int:
    """Forget what is over; answers how many rows. A day is kept, so that `flask zendesk claims` has something to show."""
    day_ago = now - timedelta(days=1)
    return sum(
        cx.execute(sa.delete(table).where(table.c.expires_at < day_ago)).rowcount
        for table in (session, used_token, one_time_code)
    )
