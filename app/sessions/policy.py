"""What a session is and how long it lives. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LIFE: Final = timedelta(minutes=15)  # trust 2.6: a bearer of our own
LONGEST: Final = timedelta(hours=10)  # however often it is slid
CODE_LIFE: Final = timedelta(seconds=60)
LINK_LIFE: Final = timedelta(minutes=60)
SLIDE_AFTER: Final = timedelta(seconds=45)  # a poll each 20 s writes a row every third time only
TRIES_AN_HOUR: Final = 10  # guesses at a payer's facts, by person
MOVES: Final = frozenset({"new_ticket_sidebar"})  # there the requester changes under the page


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page is about. kind: tickets or people."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in at one connection. subject: what the page is about, once it has said so."""

    id: str
    door: str
    connection_id: str
    person_id: str
    location: str
    subject: str
    expires_at: datetime
    ends_at: datetime

    def may_become(self, subject: Subject) -> bool:
        """May this page be about that? Once it is about something it stays so, but on a page for a new ticket."""
        return self.subject in ("", str(subject)) or (self.location in MOVES and subject.kind == "people")

    def slid(self, now: datetime) -> datetime:
        """Until when it lives when it is used now."""
        return min(now + LIFE, self.ends_at)
