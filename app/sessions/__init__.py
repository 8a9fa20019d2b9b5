"""Who is signed in, and what may be used once. All of it in PostgreSQL: a flushed Redis lets nobody in again."""

from app.sessions.policy import Session, Subject
from app.sessions.service import (
    TooManyTries,
    allow,
    authenticate,
    bind,
    count_try,
    end_all,
    issue_code,
    issue_link,
    open_session,
    take_code,
)
from app.sessions.store import prune, use_once

__all__ = [
    "Session",
    "Subject",
    "TooManyTries",
    "allow",
    "authenticate",
    "bind",
    "count_try",
    "end_all",
    "issue_code",
    "issue_link",
    "open_session",
    "prune",
    "take_code",
    "use_once",
]
