"""Who asks, about what, and whether they may: judged anew on every request, from the mirror."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app import agents, sessions
from app.agents import Agent
from app.identity import Requester
from app.runtime import Runtime
from app.sessions import Session, Subject
from app.sessions.service import OtherSubject, SessionEnded
from app.tickets import store as tickets
from app.tickets.store import Ticket
from app.ui.words import Reader, reader
from integrations.kernel.errors import InputError, NotAllowed
from sidebar_app import policy
from sidebar_app.token import verify

ID_DIGITS = 19
MOST_TICKETS = 200


class BadAddress(InputError):
    code, public = "sidebar.address", "This is no ticket or person. Reload the app."


class NobodyNamed(NotAllowed):
    code = "sidebar.nobody"
    public = "Zendesk did not say who you are, so nothing is shown. Reload the app; if it stays, ask an admin."


class UsedBefore(SessionEnded):
    code, public = "sidebar.used", "This page was opened with a link that was used before. Reload the app."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says of itself. bearer: "" without one. locale, zone: as the browser said."""

    connection_id: str
    subject: Subject
    bearer: str
    locale: str
    zone: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that may be answered. ticket: None on a page without one, and while the mirror does not know it.

    requester_id: whose payers may be shown, "" for nobody. writable: may this agent say who pays, on this page?
    """

    session: Session
    agent: Agent
    subject: Subject
    ticket: Ticket | None
    requester_id: str
    writable: bool
    reader: Reader

    @property
    def requester(self) -> Requester | None:
        return Requester(self.session.connection_id, self.requester_id) if self.requester_id else None

    @property
    def by(self) -> str:
        """How what this agent does is signed."""
        return f"{self.session.connection_id}/{self.agent.id}"

    @property
    def is_known(self) -> bool:
        """Has the ticket reached us?"""
        return self.subject.kind == "people" or self.ticket is not None


def enter(runtime: Runtime, connection_id: str, token: str, now: datetime) -> tuple[str, str]:
    """Open a session for whom Zendesk says opened the app; answers its bearer and where in Zendesk.

    Raises:
        UnknownConnection, AppNotConnected, TokenRefused, UsedBefore, NobodyNamed: and nothing was opened.
    """
    account = runtime.connections.account(connection_id, "zendesk")
    opened = verify(token, account.config, now)
    if not opened.person_id:
        raise NobodyNamed
    with runtime.database.begin() as cx:
        if not sessions.use_once(cx, f"zendesk/{connection_id}", opened.once, opened.expires_at):
            raise UsedBefore
        bearer = sessions.open_session(
            cx, connection_id, opened.person_id, now, location=opened.location, claims=opened.claims
        )
    return bearer, opened.location


def visit(cx: sa.Connection, asked: Asked, now: datetime, *, slide: bool = False, bind: bool = False) -> Visit:
    """The one check of every route but the page itself.

    Args:
        slide: the page is being looked at, so its session lives longer.
        bind: the page says for the first time what it is about.

    Raises:
        SessionEnded, OtherSubject, NotStaff, StaffUnknown, NotReadable: what the page shows as a sentence.
    """
    session = sessions.authenticate(cx, asked.bearer, now, slide=slide)
    if session.connection_id != asked.connection_id or policy.KINDS.get(session.location) != asked.subject.kind:
        raise OtherSubject
    if not (asked.subject.id.isascii() and asked.subject.id.isdigit() and len(asked.subject.id) <= ID_DIGITS):
        raise BadAddress
    known = agents.find(cx, asked.connection_id, [session.person_id])
    agent = policy.check_agent(known.get(session.person_id), now)
    if bind:
        sessions.bind(cx, session, asked.subject)
    elif session.subject != str(asked.subject):
        raise OtherSubject
    told = reader(asked.locale, asked.zone, now)
    if asked.subject.kind == "people":
        check_person(cx, agent, asked)
        return Visit(session, agent, asked.subject, None, asked.subject.id, writable=False, reader=told)
    ticket = _ticket(cx, agent, asked)
    requester = str(ticket.requester_id or "") if ticket else ""
    writable = ticket is not None and policy.may_link(agent)
    return Visit(session, agent, asked.subject, ticket, requester, writable, told)


def check_opener(cx: sa.Connection, connection_id: str, bearer: str, now: datetime) -> Session:
    """The session of the page in the navigation bar, whose agent still works there. It shows nobody's billing."""
    session = sessions.authenticate(cx, bearer, now, slide=True)
    if session.connection_id != connection_id or session.location != "nav_bar":
        raise OtherSubject
    policy.check_agent(agents.find(cx, connection_id, [session.person_id]).get(session.person_id), now)
    return session


def _ticket(cx: sa.Connection, agent: Agent, asked: Asked) -> Ticket | None:
    """The ticket, when this agent may read it; None while it is not wholly known, which shows nothing of it."""
    found = tickets.read(cx, asked.connection_id, [asked.subject.id]).get(asked.subject.id)
    if found is None or not (found.complete or found.gone):
        return None
    if found.gone or not policy.may_read(agent, found.values):
        raise policy.NotReadable
    return found


def check_person(cx: sa.Connection, agent: Agent, asked: Asked) -> None:
    """Without a ticket, a person is shown to who may read all tickets, or one of that person's. Raises NotReadable."""
    if policy.may_read(agent, {}):
        return
    ids = tickets.open_tickets_of(cx, asked.connection_id, [asked.subject.id], after_id="", limit=MOST_TICKETS)
    found: dict[str, Any] = dict(tickets.read(cx, asked.connection_id, ids))
    if not any(policy.may_read(agent, one.values) for one in found.values()):
        raise policy.NotReadable
