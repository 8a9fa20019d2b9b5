"""Use cases of sessions. The caller owns the transaction; secrets leave once and are kept as digests only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.sessions import store
from app.sessions.policy import CODE_LIFE, LIFE, LINK_LIFE, LONGEST, SLIDE_AFTER, TRIES_AN_HOUR, Session, Subject
from integrations.kernel.errors import AuthError, NotAllowed
from integrations.kernel.ids import new_id

SECRET_BYTES = 32


class SessionEnded(AuthError):
    code, public = "session.ended", "Your session ended. Reload the app."


class OtherSubject(NotAllowed):
    code, public = "session.other_subject", "This page belongs to another ticket. Reload the app."


class TooManyTries(NotAllowed):
    code, status = "session.tries", 429
    public = "Too many tries in the last hour. Ask the customer again, or ask a colleague."


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def open_session(
    cx: sa.Connection, connection_id: str, person_id: str, now: datetime, *, location: str = "", door: str = "sidebar",
    claims: Sequence[str] = (),
) -> str:  # fmt: skip
    """A new session; answers its secret, which is nowhere else."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    store.insert_session(cx, {
        "id": new_id("ses"), "digest": digest(secret), "door": door, "connection_id": connection_id,
        "person_id": person_id, "location": location, "claims": sorted(claims), "created_at": now,
        "expires_at": now + LIFE, "ends_at": now + LONGEST,
    })  # fmt: skip
    return secret


def authenticate(
    cx: sa.Connection, secret: str, now: datetime, *, door: str = "sidebar", slide: bool = False
) -> Session:
    """The session of a secret. slide: the page is being looked at, so it lives longer. Raises SessionEnded."""
    found = store.find(cx, digest(secret), now) if secret else None
    if found is None or found.door != door:
        raise SessionEnded
    if slide and found.slid(now) - found.expires_at > SLIDE_AFTER:
        store.slide(cx, found.id, found.slid(now))
    return found


def bind(cx: sa.Connection, session: Session, subject: Subject) -> None:
    """This page is about that from now on. Raises OtherSubject."""
    if not session.may_become(subject):
        raise OtherSubject
    if session.subject != str(subject) and not store.set_subject(cx, session.id, session.subject, str(subject)):
        raise OtherSubject


def count_try(cx: sa.Connection, session: Session, now: datetime) -> None:
    """One guess at somebody's facts. Raises TooManyTries, and then nothing is to be compared."""
    purpose = f"facts/{session.connection_id}/{session.person_id}"
    if not allow(cx, purpose, TRIES_AN_HOUR, timedelta(hours=1), now):
        raise TooManyTries


def allow(cx: sa.Connection, purpose: str, most: int, window: timedelta, now: datetime) -> bool:
    """Count one of at most so many in a window; False when there were as many already."""
    if store.uses(cx, purpose, now) >= most:
        return False
    return store.use_once(cx, purpose, secrets.token_bytes(SECRET_BYTES), now + window)


def end_all(cx: sa.Connection, session: Session) -> int:
    """End every session of this person, on every page; answers how many there were."""
    return store.delete_of(cx, session.connection_id, session.person_id)


def issue_code(cx: sa.Connection, session: Session, now: datetime) -> str:
    """A code that opens our own pages once, within a minute."""
    return _code(cx, session.connection_id, session.person_id, now + CODE_LIFE)


def issue_link(cx: sa.Connection, connection_id: str, person_id: str, now: datetime) -> str:
    """A code for a link that is sent to one named person: once, within an hour."""
    return _code(cx, connection_id, person_id, now + LINK_LIFE)


def _code(cx: sa.Connection, connection_id: str, person_id: str, expires_at: datetime) -> str:
    code = secrets.token_urlsafe(SECRET_BYTES)
    store.put_code(cx, {
        "digest": digest(code), "connection_id": connection_id, "person_id": person_id, "expires_at": expires_at,
    })  # fmt: skip
    return code


def take_code(cx: sa.Connection, code: str, now: datetime) -> tuple[str, str]:
    """(connection, person) of a code; it is used up. Raises SessionEnded."""
    found = store.take_code(cx, digest(code), now)
    if found is None:
        raise SessionEnded
    return found
