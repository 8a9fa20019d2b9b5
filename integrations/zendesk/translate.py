"""Zendesk's words into ours, as a table: one row an event type; what is handled is what is listed.

Source: Zendesk developer docs, "Webhook event types: ticket events", read 2026-11. Ids come as text or numbers, enums in
capitals, times with up to nine fractional digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from integrations.kernel.clock import iso, parse_iso
from integrations.kernel.errors import MalformedPayload
from integrations.kernel.events import Change, Event
from integrations.kernel.ids import VendorRef
from integrations.kernel.records import TicketRecord, TicketValues

PREFIX = "zen:event-type:"
Body = Mapping[str, Any]
Told = tuple[dict[str, Change], dict[str, Any]]

_PLAIN = {
    "external_id": "external_id", "group_id": "group_id", "organization_id": "organization_id",
    "requester_id": "requester_id", "submitter_id": "submitter_id", "assignee_id": "assignee_id",
    "brand_id": "brand_id", "form_id": "form_id", "subject": "subject", "description": "description",
}  # fmt: skip
_ENUMS = ("status", "priority", "type")


def _nothing(_: Body) -> Told:
    return {}, {}


def _change(field: str, *, enum: bool = False) -> Callable[[Body], Told]:
    def told(event: Body) -> Told:
        read = _enum if enum else _text
        return {field: Change(read(event.get("previous")), read(event.get("current")))}, {}

    return told


def _tags(event: Body) -> Told:
    return {}, {"tags_added": _words(event.get("tags_added")), "tags_removed": _words(event.get("tags_removed"))}


def _comment(event: Body) -> Told:
    comment = event.get("comment")
    if not isinstance(comment, Mapping):
        raise MalformedPayload("a comment event without its comment")
    author = comment.get("author")
    staff = bool(author.get("is_staff")) if isinstance(author, Mapping) else None
    # A comment that does not say it is public is treated as private.
    return {}, {
        "comment": str(comment.get("body") or ""),
        "comment_public": comment.get("is_public") is True,
        "comment_by_staff": staff,
    }


def _custom_field(event: Body) -> Told:
    field = event.get("field")
    field_id = _text(field.get("id")) if isinstance(field, Mapping) else None
    if not field_id:
        return {}, {}
    return {f"custom_fields.{field_id}": Change(event.get("previous"), event.get("current"))}, {}


TRANSLATE: dict[str, tuple[str, Callable[[Body], Told]]] = {
    "ticket.created": ("ticket.created", _nothing),
    "ticket.comment_added": ("ticket.commented", _comment),
    "ticket.status_changed": ("ticket.status_changed", _change("status", enum=True)),
    "ticket.custom_status_changed": ("ticket.custom_status_changed", _nothing),
    "ticket.priority_changed": ("ticket.priority_changed", _change("priority", enum=True)),
    "ticket.type_changed": ("ticket.type_changed", _change("type", enum=True)),
    "ticket.subject_changed": ("ticket.subject_changed", _change("subject")),
    "ticket.description_changed": ("ticket.description_changed", _change("description")),
    "ticket.tags_changed": ("ticket.tags_changed", _tags),
    "ticket.custom_field_changed": ("ticket.custom_field_changed", _custom_field),
    "ticket.external_id_changed": ("ticket.external_id_changed", _change("external_id")),
    "ticket.requester_changed": ("ticket.requester_changed", _change("requester_id")),
    "ticket.organization_changed": ("ticket.organization_changed", _change("organization_id")),
    "ticket.agent_assignment_changed": ("ticket.assignee_changed", _change("assignee_id")),
    "ticket.group_assignment_changed": ("ticket.group_changed", _change("group_id")),
    "ticket.brand_changed": ("ticket.brand_changed", _change("brand_id")),
    "ticket.form_changed": ("ticket.form_changed", _change("form_id")),
    "ticket.csat_received": ("ticket.rated", _nothing),
    "ticket.next_sla_breach_changed": ("ticket.sla_changed", _nothing),
    "ticket.merged": ("ticket.merged", _nothing),
    "ticket.undeleted": ("ticket.restored", _nothing),
    "ticket.soft_deleted": ("ticket.deleted", _nothing),
    "ticket.permanently_deleted": ("ticket.purged", _nothing),
    "ticket.marked_as_spam": ("ticket.deleted", _nothing),
}
KINDS = frozenset(kind for kind, _ in TRANSLATE.values()) | {"ticket.hinted"}
# After these the event does not carry what must be known: the ticket is read.
READ_AFTER = frozenset({"ticket.requester_changed", "ticket.restored", "ticket.merged"})

_SUBJECT = re.compile(r"zen:ticket:([0-9]{1,20})")


def event(document: Body, connection_id: str, event_key: str) -> Sequence[Event]:
    """The canonical event of an event-subscribed delivery; empty for a type that is not in the table.

    Raises:
        MalformedPayload: a known type without its subject, its time or its detail.
    """
    row = TRANSLATE.get(str(document["type"]).removeprefix(PREFIX))
    if row is None:
        return ()
    kind, tell = row
    subject = _SUBJECT.fullmatch(str(document.get("subject")))
    detail, told = document.get("detail"), document.get("event")
    if subject is None or not isinstance(detail, Mapping):
        raise MalformedPayload("a ticket event without subject or detail")
    try:
        occurred_at = parse_iso(str(document.get("time")))
    except ValueError as error:
        raise MalformedPayload("a ticket event without its time") from error
    changes, note = tell(told if isinstance(told, Mapping) else {})
    return (
        Event(
            kind=kind,
            vendor="zendesk",
            connection_id=connection_id,
            event_key=event_key,
            subject=VendorRef("zendesk", "ticket", subject[1]),
            occurred_at=occurred_at,
            actor=_text(detail.get("actor_id")) or "",
            record=None if kind in READ_AFTER else record_of(subject[1], detail, changes),
            changes=changes,
            note=note,
        ),
    )


def record_of(ticket_id: str, detail: Body, changes: Mapping[str, Change]) -> TicketRecord | None:
    """What an event's detail tells of its ticket; None when it does not say as of when."""
    updated = detail.get("updated_at")
    if not isinstance(updated, str):
        return None
    values = values_of(detail)
    custom = {n.removeprefix("custom_fields."): c.current for n, c in changes.items() if n.startswith("custom_fields.")}
    if custom:
        values["custom_fields"] = custom
    return TicketRecord(ticket_id, parse_iso(updated), values)


def values_of(data: Body) -> TicketValues:
    """Ticket values from an event's detail or an API ticket: the same names in both, where they are given."""
    values: dict[str, Any] = {ours: _text(data[theirs]) for theirs, ours in _PLAIN.items() if theirs in data}
    values |= {name: _enum(data[name]) for name in _ENUMS if name in data}
    if "ticket_form_id" in data:
        values["form_id"] = _text(data["ticket_form_id"])
    if "tags" in data:
        values["tags"] = _words(data["tags"])
    via = data.get("via")
    if isinstance(via, Mapping) and via.get("channel"):
        values["channel"] = str(via["channel"]).lower()
    if "is_public" in data:
        values["is_public"] = data["is_public"] is True
    for name in ("created_at", "updated_at"):
        if isinstance(data.get(name), str):
            values[name] = iso(parse_iso(data[name]))
    if isinstance(data.get("custom_fields"), list):
        values["custom_fields"] = {str(f["id"]): f.get("value") for f in data["custom_fields"]}
    return values  # type: ignore[return-value]


def _text(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    return None if value is None or value == "" else str(value)


def _enum(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    return value.lower() if isinstance(value, str) and value else None


def _words(value: Any) -> list[str]:  # noqa: ANN401 - a JSON value
    return sorted({str(word).lower() for word in value}) if isinstance(value, list) else []
