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

ENDED = frozenset({"person.deleted", "person.merged"})


def work(cx: sa.Connection, connection_id: str, events: Sequence[Event], reads: Sequence[PeopleRead]) -> None:
    """Put what was told and read into the mirror, then wake the tickets of everybody it concerns."""
    mine = [e for e in events if e.subject.type == PERSON]
    if not mine:
        return
    told = [e.record for e in mine if isinstance(e.record, PersonRecord)]
    customers.apply_people(cx, connection_id, [*told, *(p for answer in reads for p in answer.people)])
    gone = {person_id for answer in reads for person_id in answer.gone}
    for event in mine:
        survivor = str(event.note.get(SURVIVOR) or "")
        if event.kind == "person.merged" and survivor:
            customers.merge_people(cx, connection_id, {event.subject.id: survivor}, event.occurred_at)
        elif event.kind in ENDED or event.subject.id in gone:
            customers.mark_people_gone(cx, connection_id, [event.subject.id], event.occurred_at)
    agents.want(cx, connection_id, sorted({e.subject.id for e in mine}))
    for event in sorted(mine, key=lambda e: e.event_key):
        people = {event.subject.id, str(event.note.get(SURVIVOR) or event.subject.id)}
        fan_out.wake(cx, connection_id, sorted(people), event)
