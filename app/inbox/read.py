"""What must be read at the helpdesk before tickets can be judged, and reading it: 100 tickets a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import sqlalchemy as sa

from app.customers import store as customers
from app.inbox.parse import SURVIVOR, Parsed
from app.inbox.rest import waits
from app.tickets import store as tickets
from integrations.kernel.ports import Helpdesk, PeopleRead, TicketRead
from integrations.kernel.records import TicketRecord

READ_BATCH = 100
TICKET, PERSON = "ticket", "person"
Subject = tuple[str, str, str]  # (connection, type, id)
Wanted = tuple[str, str, Sequence[str]]  # (connection, type, up to 100 ids)
Clients = Callable[[str], Helpdesk]


@dataclass(slots=True)
class Reads:
    """All reads of one connection in this batch."""

    answers: list[TicketRead] = field(default_factory=list)
    people: list[PeopleRead] = field(default_factory=list)

    def add(self, answer: TicketRead | PeopleRead) -> None:
        """Put an answer where it belongs."""
        if isinstance(answer, PeopleRead):
            self.people.append(answer)
        else:
            self.answers.append(answer)

    def of(self, subjects: Set[Subject]) -> Reads:
        """What was read of these tickets, with the people and companies of theirs, and of these people."""
        ids = {one for _, kind, one in subjects if kind == TICKET}
        people = {one for _, kind, one in subjects if kind == PERSON}
        return Reads(
            [_part(answer, ids) for answer in self.answers if ids & _named(answer)],
            [PeopleRead(tuple(p for p in answer.people if p.id in people), tuple(sorted({*answer.gone} & people)))
             for answer in self.people],
        )  # fmt: skip


def to_read(cx: sa.Connection, parsed: Sequence[Parsed]) -> list[Wanted]:
    """What to read: tickets unknown, incomplete or in doubt, and bare hints; people whom their event does not carry."""
    return [*_tickets_to_read(cx, parsed), *_people_to_read(cx, parsed)]


def _tickets_to_read(cx: sa.Connection, parsed: Sequence[Parsed]) -> list[Wanted]:
    """A ticket never seen before that an event tells whole needs no read."""
    by_connection: dict[str, set[str]] = defaultdict(set)
    hints: dict[str, set[str]] = defaultdict(set)
    whole: dict[str, set[str]] = defaultdict(set)
    for one in parsed:
        for event in one.events:
            if event.subject.type != "ticket" or event.kind in ("ticket.deleted", "ticket.purged"):
                continue
            by_connection[event.connection_id].add(event.subject.id)
            if event.record is None and "internal" not in event.note:
                hints[event.connection_id].add(event.subject.id)
            elif isinstance(event.record, TicketRecord) and event.record.complete:
                whole[event.connection_id].add(event.subject.id)
    reads: list[Wanted] = []
    for connection_id in sorted(by_connection):
        needed = set(tickets.needing_read(cx, connection_id, sorted(by_connection[connection_id])))
        told = needed & whole[connection_id]  # as a read would tell it; of one that is held already, a read decides
        told -= set(tickets.read(cx, connection_id, sorted(told)))
        reads += _chunks(connection_id, TICKET, (needed - told) | hints[connection_id])
    return reads


def _people_to_read(cx: sa.Connection, parsed: Sequence[Parsed]) -> list[Wanted]:
    """Whose own event does not tell them; and whom a ticket only names, where the mirror does not know them."""
    wanted: dict[str, set[str]] = defaultdict(set)
    named: dict[str, set[str]] = defaultdict(set)
    for one in parsed:
        for event in one.events:
            if event.subject.type != PERSON or event.kind == "person.deleted":
                continue
            if event.record is None and not event.kind.startswith("person."):
                named[event.connection_id].add(event.subject.id)
            elif event.kind == "person.merged" or event.record is None:
                wanted[event.connection_id] |= {event.subject.id, str(event.note.get(SURVIVOR) or event.subject.id)}
    for connection_id, ids in named.items():
        wanted[connection_id] |= ids - customers.people(cx, connection_id, sorted(ids)).keys()
    return [chunk for connection_id, ids in sorted(wanted.items()) for chunk in _chunks(connection_id, PERSON, ids)]


def _chunks(connection_id: str, kind: str, ids: Set[str]) -> list[Wanted]:
    ordered = sorted(ids)
    return [(connection_id, kind, ordered[i : i + READ_BATCH]) for i in range(0, len(ordered), READ_BATCH)]


def read_all(
    pool: ThreadPoolExecutor, client: Clients, wanted: Sequence[Wanted]
) -> tuple[dict[str, Reads], dict[Subject, Exception]]:
    """Read in parallel, in threads that hold no database connection; answers also why which could not be read.

    An answer nobody understands may be one ticket's doing: each is read by itself then.
    """
    reads: dict[str, Reads] = defaultdict(Reads)
    unread: dict[Subject, Exception] = {}
    calls = [(cid, kind, ids, pool.submit(_read, client, cid, kind, ids)) for cid, kind, ids in wanted]
    again: list[Wanted] = []
    for connection_id, kind, ids, call in calls:
        try:
            reads[connection_id].add(call.result())
        except Exception as problem:  # noqa: BLE001 - whatever it is, it concerns these tickets only
            if len(ids) > 1 and not waits(problem):
                again += [(connection_id, kind, [one]) for one in ids]
            else:
                unread |= {(connection_id, kind, one): problem for one in ids}
    if again:
        more, still = read_all(pool, client, again)
        for connection_id, read in more.items():
            reads[connection_id].answers += read.answers
            reads[connection_id].people += read.people
        unread |= still
    return reads, unread


def _read(client: Clients, connection_id: str, kind: str, ids: Sequence[str]) -> TicketRead | PeopleRead:
    return client(connection_id).show_people(ids) if kind == PERSON else client(connection_id).show_tickets(ids)


def _named(answer: TicketRead) -> set[str]:
    return {ticket.id for ticket in answer.tickets} | set(answer.gone)


def _part(answer: TicketRead, ids: Set[str]) -> TicketRead:
    tickets = tuple(ticket for ticket in answer.tickets if ticket.id in ids)
    people = {t.values.get("requester_id") for t in tickets}
    companies = {t.values.get("organization_id") for t in tickets}
    return TicketRead(
        tickets,
        tuple(person for person in answer.people if person.id in people),
        tuple(company for company in answer.organizations if company.id in companies),
        tuple(ticket_id for ticket_id in answer.gone if ticket_id in ids),
    )
