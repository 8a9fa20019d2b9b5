"""What must be read at the helpdesk before tickets can be judged, and reading it: 100 tickets a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from app.inbox.parse import Parsed
from app.tickets import store as tickets
from integrations.kernel.ports import Helpdesk, TicketRead
from integrations.kernel.records import TicketRecord

READ_BATCH = 100


@dataclass(slots=True)
class Reads:
    """All reads of one connection in this batch."""

    answers: list[TicketRead] = field(default_factory=list)

    def add(self, answer: TicketRead) -> None:
        self.answers.append(answer)


def tickets_to_read(cx: sa.Connection, parsed: Sequence[Parsed]) -> list[tuple[str, list[str]]]:
    """(connection, up to 100 ticket ids) for each read: tickets unknown, incomplete or in doubt, and bare hints.

    A ticket never seen before that an event tells whole needs none.
    """
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
    reads = []
    for connection_id in sorted(by_connection):
        needed = set(tickets.needing_read(cx, connection_id, sorted(by_connection[connection_id])))
        told = needed & whole[connection_id]  # as a read would tell it; of one that is held already, a read decides
        told -= set(tickets.read(cx, connection_id, sorted(told)))
        ids = sorted((needed - told) | hints[connection_id])
        reads += [(connection_id, ids[i : i + READ_BATCH]) for i in range(0, len(ids), READ_BATCH)]
    return reads


def read_tickets(client: Callable[[str], Helpdesk], connection_id: str, ids: Sequence[str]) -> TicketRead:
    """One call. Runs in a thread that holds no database connection."""
    return client(connection_id).show_tickets(ids)
