"""What must be read at the helpdesk before tickets can be judged, and reading it: 100 tickets a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import sqlalchemy as sa

from app.inbox.parse import Parsed
from app.inbox.rest import waits
from app.tickets import store as tickets
from integrations.kernel.ports import Helpdesk, TicketRead

READ_BATCH = 100
Clients = Callable[[str], Helpdesk]


@dataclass(slots=True)
class Reads:
    """All reads of one connection in this batch."""

    answers: list[TicketRead] = field(default_factory=list)

    def of(self, ids: Set[str]) -> Reads:
        """What was read of these tickets, with the people and companies of theirs."""
        return Reads([_part(answer, ids) for answer in self.answers if ids & _named(answer)])


def tickets_to_read(cx: sa.Connection, parsed: Sequence[Parsed]) -> list[tuple[str, list[str]]]:
    """(connection, up to 100 ticket ids) for each read: tickets unknown, incomplete or in doubt, and bare hints."""
    by_connection: dict[str, set[str]] = defaultdict(set)
    hints: dict[str, set[str]] = defaultdict(set)
    for one in parsed:
        for event in one.events:
            if event.subject.type != "ticket" or event.kind in ("ticket.deleted", "ticket.purged"):
                continue
            by_connection[event.connection_id].add(event.subject.id)
            if event.record is None and "internal" not in event.note:
                hints[event.connection_id].add(event.subject.id)
    reads = []
    for connection_id in sorted(by_connection):
        needed = set(tickets.needing_read(cx, connection_id, sorted(by_connection[connection_id])))
        ids = sorted(needed | hints[connection_id])
        reads += [(connection_id, ids[i : i + READ_BATCH]) for i in range(0, len(ids), READ_BATCH)]
    return reads


def read_all(
    pool: ThreadPoolExecutor, client: Clients, wanted: Sequence[tuple[str, Sequence[str]]]
) -> tuple[dict[str, Reads], dict[tuple[str, str], Exception]]:
    """Read in parallel, in threads that hold no database connection; answers also why which ticket could not be read.

    An answer nobody understands may be one ticket's doing: each of its tickets is read by itself then.
    """
    reads: dict[str, Reads] = defaultdict(Reads)
    unread: dict[tuple[str, str], Exception] = {}
    calls = [(cid, ids, pool.submit(_read, client, cid, ids)) for cid, ids in wanted]
    again: list[tuple[str, Sequence[str]]] = []
    for connection_id, ids, call in calls:
        try:
            reads[connection_id].answers.append(call.result())
        except Exception as problem:  # noqa: BLE001 - whatever it is, it concerns these tickets only
            if len(ids) > 1 and not waits(problem):
                again += [(connection_id, [ticket_id]) for ticket_id in ids]
            else:
                unread |= {(connection_id, ticket_id): problem for ticket_id in ids}
    if again:
        more, still = read_all(pool, client, again)
        for connection_id, read in more.items():
            reads[connection_id].answers += read.answers
        unread |= still
    return reads, unread


def _read(client: Clients, connection_id: str, ids: Sequence[str]) -> TicketRead:
    return client(connection_id).show_tickets(ids)


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
