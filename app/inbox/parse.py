"""Stored deliveries into canonical events: a vendor's own by its webhook module, our internal ones by their body."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.inbox.store import Delivery, Lane
from integrations import registry
from integrations.kernel.clock import iso, parse_iso
from integrations.kernel.errors import MalformedPayload
from integrations.kernel.events import Event
from integrations.kernel.ids import VendorRef
from integrations.kernel.records import TicketRecord

INTERNAL = "deskbridge:"  # kinds of deliveries of our own making; no vendor's event type has a colon after this word
REJUDGE = INTERNAL + "rejudge"
VIEWED = "ticket.viewed"  # somebody opened a ticket we do not hold: it is read and mirrored, and runs no rules
RECHECKED = "ticket.rechecked"  # the kind of event a ticket is judged by when what we held of it was in doubt
FAN_OUT = INTERNAL + "fan_out"
CAUGHT_UP = INTERNAL + "caught_up"
SURVIVOR = "survivor"  # in the note of a merge: the id of whoever the person was merged into


@dataclass(frozen=True, slots=True)
class Parsed:
    """A delivery and its events: none for a kind we do not know, `error` when it cannot be read at all."""

    lane: Lane
    delivery: Delivery
    vendor: str
    events: tuple[Event, ...] = ()
    error: str = ""

    def subjects(self) -> set[tuple[str, str, str]]:
        """(connection, type, id) of everything these events are about; of a merge, both people."""
        found = {(e.connection_id, e.subject.type, e.subject.id) for e in self.events}
        return found | {
            (e.connection_id, "person", str(e.note["survivor"])) for e in self.events if "survivor" in e.note
        }

    def tickets(self) -> set[tuple[str, str]]:
        """(connection, ticket) of every ticket these events are about."""
        return {(e.connection_id, e.subject.id) for e in self.events if e.subject.type == "ticket"}


def parse_lane(lane: Lane, vendor_of: Callable[[str], str]) -> list[Parsed]:
    """All deliveries of a claimed lane, in order."""
    vendor = vendor_of(lane.connection_id)
    return [_parse(lane, delivery, vendor) for delivery in lane.deliveries]


def _parse(lane: Lane, delivery: Delivery, vendor: str) -> Parsed:
    if not delivery.body:
        return Parsed(lane, delivery, vendor, error="its body is gone: older than BODY_DAYS")
    try:
        document = json.loads(delivery.body)  # the door let only strict JSON in
        if delivery.kind.startswith(INTERNAL):
            made = _caught_up if delivery.kind == CAUGHT_UP else _internal
            return Parsed(lane, delivery, vendor, made(delivery, vendor, document))
        webhook = registry.webhook_module(vendor)
        events = webhook.parse(document, delivery.connection_id, delivery.event_key, delivery.received_at)
    except (MalformedPayload, ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
        return Parsed(lane, delivery, vendor, error=f"{type(problem).__name__}: {problem}"[:300])
    return Parsed(lane, delivery, vendor, tuple(events))


def rejudge_row(
    connection_id: str, ticket_id: str, cause: str, kind: str, occurred_at: str
) -> tuple[str, str, str, str, bytes]:
    """A delivery that makes a ticket be judged again because a fact of its payer changed."""
    body = {"ticket_id": ticket_id, "kind": kind, "occurred_at": occurred_at}
    return connection_id, f"rejudge:{cause}:{ticket_id}", REJUDGE, f"ticket:{ticket_id}", json.dumps(body).encode()


def fan_out_row(
    connection_id: str, requesters: Sequence[str], after: str, cause: str, event: Event
) -> tuple[str, str, str, str, bytes]:
    """A delivery that goes on with a fan-out too large for one step."""
    body = {
        "requesters": list(requesters), "after": after, "cause": cause, "kind": event.kind,
        "occurred_at": iso(event.occurred_at),
    }  # fmt: skip
    key = f"fan_out:{cause}:{after}"
    return connection_id, key, FAN_OUT, key, json.dumps(body).encode()


def _internal(delivery: Delivery, vendor: str, body: dict[str, str]) -> tuple[Event, ...]:
    kind = delivery.kind.removeprefix(INTERNAL)
    subject = VendorRef(vendor, "ticket" if kind == "rejudge" else kind, body.get("ticket_id", ""))
    event = Event(
        kind=body["kind"],
        vendor=vendor,
        connection_id=delivery.connection_id,
        event_key=delivery.event_key,
        subject=subject,
        occurred_at=parse_iso(body["occurred_at"]),
        note={**body, "internal": kind},
    )
    return (event,)


def _caught_up(delivery: Delivery, vendor: str, body: dict[str, Any]) -> tuple[Event, ...]:
    """A ticket that was read because nobody told us of its change: an event for each kind that would have told."""
    at = parse_iso(body["occurred_at"])
    record = TicketRecord(body["ticket_id"], at, body["values"], complete=True)
    subject = VendorRef(vendor, "ticket", record.id)
    return tuple(
        Event(kind, vendor, delivery.connection_id, f"{delivery.event_key}:{kind}", subject, at, "", record,
              note={"internal": "caught_up", "caught_up": True})
        for kind in body["kinds"]
    )  # fmt: skip
