"""Tickets whose mirror was in doubt while they were judged are judged once more: one coalesced delivery a moment.

Two cases. Two tellings of one moment differ: the ticket is read first. Or an event of our own writing told something the
mirror did not have: a delivery older than that write came late, so what was wanted meanwhile was compared with the past;
or a ticket was not known at all, so what others did to it before was lost on the way and no rule has seen it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import sqlalchemy as sa

from app.inbox import store
from app.inbox.parse import RECHECKED, Parsed, rejudge_row
from app.outbox.store import on_their_way
from app.tickets.store import Applied
from integrations.kernel.clock import iso
from integrations.kernel.events import Event


def ask(
    cx: sa.Connection, connection_id: str, applied: Mapping[str, Applied], events: Sequence[tuple[Parsed, Event]],
    own: Set[int],
) -> None:  # fmt: skip
    """Queue the judgements to be made again, known by the last delivery of each ticket. own: deliveries of our writes."""
    asked = {event.subject.id for _, event in events if event.kind == RECHECKED}  # is used up with this batch
    doubtful = {
        ticket_id
        for ticket_id, one in applied.items()
        if one.ticket.reread and (ticket_id in asked or not _was_in_doubt(one))
    }
    told = {e.subject.id for one, e in events if one.delivery.id in own and e.subject.id in applied}
    surprised = {ticket_id for ticket_id in told if _changed(applied[ticket_id])}
    surprised -= on_their_way(cx, connection_id, sorted(surprised)) if surprised else set()
    last = {event.subject.id: one.delivery.id for one, event in events}
    rows = [
        rejudge_row(connection_id, ticket_id, f"doubt:{last[ticket_id]}", RECHECKED, iso(applied[ticket_id].as_of))
        for ticket_id in sorted((doubtful | surprised) & last.keys())
    ]
    store.add_internal(cx, rows)


def _was_in_doubt(one: Applied) -> bool:
    return one.previous is not None and one.previous.reread


def _changed(one: Applied) -> bool:
    """Did we learn anything? That the ticket was saved is no news."""
    if one.previous is None:
        return True
    if not one.previous.complete:
        return False
    after = one.ticket.values
    return any(name in after and after[name] != v for name, v in one.previous.values.items() if name != "updated_at")
