"""A payer's facts changed: its open tickets are judged again, in capped chunks, each in its own lane."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import sqlalchemy as sa

from app import identity
from app.identity import IdentitySettings
from app.inbox import store
from app.inbox.parse import fan_out_row, rejudge_row
from app.tickets import store as tickets
from integrations.kernel.clock import iso
from integrations.kernel.events import Event

CHUNK = 200  # tickets woken in one step; a company with thousands of open tickets takes several


def start(cx: sa.Connection, payer_connection_id: str, causes: Mapping[str, Event], settings: IdentitySettings) -> None:
    """Wake the tickets of everybody these payers pay for. causes: payer -> what changed its facts."""
    if not causes:
        return
    store.wait_for_judges(cx)
    keys = [(payer_connection_id, payer_id) for payer_id in causes]
    found = identity.requesters_of_many(cx, keys, settings)
    for (_, payer_id), requesters in sorted(found.items()):
        people: dict[str, list[str]] = defaultdict(list)
        for requester in sorted(requesters):
            people[requester.connection_id].append(requester.person_id)
        for connection_id, ids in sorted(people.items()):
            _chunk(cx, connection_id, ids, "", causes[payer_id])


def wake(cx: sa.Connection, connection_id: str, people: list[str], cause: Event) -> None:
    """Judge the tickets of these people again: something about them changed."""
    _chunk(cx, connection_id, people, "", cause)


def go_on(cx: sa.Connection, connection_id: str, event: Event) -> None:
    """The next chunk of a fan-out: its event carries who and after which ticket."""
    _chunk(cx, connection_id, event.note["requesters"], event.note["after"], event)


def _chunk(cx: sa.Connection, connection_id: str, requesters: list[str], after: str, cause: Event) -> None:
    """Solved tickets are woken too: whether they are judged is each rule's own word (`also_solved`)."""
    ids = tickets.open_tickets_of(cx, connection_id, requesters, after_id=after, limit=CHUNK)
    key = str(cause.note.get("cause", cause.event_key))
    rows = [rejudge_row(connection_id, ticket_id, key, cause.kind, iso(cause.occurred_at)) for ticket_id in ids]
    if len(ids) == CHUNK:
        rows.append(fan_out_row(connection_id, requesters, ids[-1], key, cause))
    store.add_internal(cx, rows)
