"""Events of people: merged, deleted, renamed, another address. The mirror follows, and with it who pays for whom.

An event that does not carry the person is followed by a read; whoever the helpdesk no longer has is marked as gone. Then
the open tickets of everybody concerned are judged again, and the staff is read again where one of them is staff.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app import agents
from app.customers import store as customers
from app.inbox import fan_out
from app.inbox.parse import SURVIVOR
from app.inbox.read import PERSON
from integrations.kernel.events import Event
from integrations.kernel.ports import PeopleRead
from integrations.kernel.records import PersonRecord


def concerns(event: Event) -> bool:
    """Does it say that something about a person changed? A person seen beside a ticket is no event of theirs."""
    return event.subject.type == PERSON and event.kind.startswith("person.")


def work(cx: sa.Connection, connection_id: str, events: Sequence[Event], reads: Sequence[PeopleRead]) -> None:
    """Put what was told and read into the mirror, then wake the tickets of everybody for whom it changed something."""
    told = [e.record for e in events if isinstance(e.record, PersonRecord)]
    read = [person for answer in reads for person in answer.people]
    changed = customers.apply_people(cx, connection_id, [*told, *read])
    mine = [event for event in events if concerns(event)]
    if not mine:
        return
    gone = {person_id for answer in reads for person_id in answer.gone}
    for event in mine:
        survivor = str(event.note.get(SURVIVOR) or "")
        if event.kind == "person.merged" and survivor:
            customers.merge_people(cx, connection_id, {event.subject.id: survivor}, event.occurred_at)
            changed |= {event.subject.id, survivor}
        elif event.kind == "person.deleted" or event.subject.id in gone:
            customers.mark_people_gone(cx, connection_id, [event.subject.id], event.occurred_at)
            changed.add(event.subject.id)
    agents.want(cx, connection_id, sorted({e.subject.id for e in mine}))
    for event in sorted(mine, key=lambda e: e.event_key):
        people = {event.subject.id, str(event.note.get(SURVIVOR) or event.subject.id)} & changed
        if people:
            fan_out.wake(cx, connection_id, sorted(people), event)
