"""Zendesk's event types into ours, as a table: one row a type; what is handled is what is listed.

Source: Zendesk developer docs, "Webhook event types", read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from integrations.kernel.clock import parse_iso
from integrations.kernel.errors import MalformedPayload
from integrations.kernel.events import Change, Event
from integrations.kernel.ids import VendorRef
from integrations.kernel.records import TicketRecord
from integrations.zendesk.words import clean, enum, text, values_of, words

PREFIX = "zen:event-type:"
SUBJECT = re.compile(r"zen:([a-z_]{1,40}):([0-9]{1,20})")
Body = Mapping[str, Any]
Told = tuple[dict[str, Change], dict[str, Any]]


def _nothing(_: Body) -> Told:
    return {}, {}


def _change(field: str, *, read: Callable[[Any], Any] = text) -> Callable[[Body], Told]:
    def told(event: Body) -> Told:
        return {field: Change(read(event.get("previous")), read(event.get("current")))}, {}

    return told


def _tags(event: Body) -> Told:
    return {}, {"tags_added": words(event.get("tags_added")), "tags_removed": words(event.get("tags_removed"))}


def _comment(event: Body) -> Told:
    comment = event.get("comment")
    if not isinstance(comment, Mapping):
        raise MalformedPayload("a comment event without its comment")
    author = comment.get("author")
    staff = bool(author.get("is_staff")) if isinstance(author, Mapping) else None
    # A comment that does not say it is public is treated as private.
    return {}, {
        "comment": text(comment.get("body")) or "",
        "comment_public": comment.get("is_public") is True,
        "comment_by_staff": staff,
    }


def _custom_field(event: Body) -> Told:
    field = event.get("field")
    field_id = text(field.get("id")) if isinstance(field, Mapping) else None
    if not field_id:
        return {}, {}
    return {f"custom_fields.{field_id}": Change(clean(event.get("previous")), clean(event.get("current")))}, {}


TRANSLATE: dict[str, tuple[str, Callable[[Body], Told]]] = {
    "ticket.created": ("ticket.created", _nothing),
    "ticket.comment_added": ("ticket.commented", _comment),
    "ticket.status_changed": ("ticket.status_changed", _change("status", read=enum)),
    "ticket.custom_status_changed": ("ticket.custom_status_changed", _nothing),
    "ticket.priority_changed": ("ticket.priority_changed", _change("priority", read=enum)),
    "ticket.type_changed": ("ticket.type_changed", _change("type", read=enum)),
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
    "user.created": ("person.created", _nothing),
    "user.merged": ("person.merged", _nothing),
    "user.deleted": ("person.deleted", _nothing),
    "user.name_changed": ("person.changed", _change("name")),
    "user.role_changed": ("person.changed", _change("role", read=enum)),
    "user.external_id_changed": ("person.changed", _change("external_id")),
    "user.identity_created": ("person.identities_changed", _nothing),
    "user.identity_changed": ("person.identities_changed", _nothing),
    "user.identity_deleted": ("person.identities_changed", _nothing),
    "organization.created": ("organization.created", _nothing),
    "organization.deleted": ("organization.deleted", _nothing),
    "organization.name_changed": ("organization.changed", _change("name")),
    "organization.external_id_changed": ("organization.changed", _change("external_id")),
}
KINDS = frozenset(kind for kind, _ in TRANSLATE.values()) | {"ticket.hinted"}
# After these the event does not carry what must be known: the ticket is read.
READ_AFTER = frozenset({"ticket.requester_changed", "ticket.restored", "ticket.merged"})
_SUBJECTS = {"ticket": "ticket", "user": "person", "organization": "organization"}


def event(document: Body, connection_id: str, event_key: str) -> Sequence[Event]:
    """The canonical event of an event-subscribed delivery; empty for a type that is not in the table.

    Raises:
        MalformedPayload: a known type without its subject, its time or its detail.
    """
    name = str(document["type"]).removeprefix(PREFIX)
    row = TRANSLATE.get(name)
    if row is None:
        return ()
    kind, tell = row
    subject = SUBJECT.fullmatch(str(document.get("subject")))
    detail, told = document.get("detail"), document.get("event")
    if subject is None or subject[1] != name.partition(".")[0] or not isinstance(detail, Mapping):
        raise MalformedPayload(f"a {subject[1] if subject else 'Zendesk'} event without its own subject or detail")
    changes, note = tell(told if isinstance(told, Mapping) else {})
    try:
        occurred_at = parse_iso(str(document.get("time")))
        record = record_of(subject[2], detail, changes) if subject[1] == "ticket" and kind not in READ_AFTER else None
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedPayload("an event with a time or a list in no known shape") from error
    ref = VendorRef("zendesk", _SUBJECTS[subject[1]], subject[2])
    actor = text(detail.get("actor_id")) or ""
    return (Event(kind, "zendesk", connection_id, event_key, ref, occurred_at, actor, record, changes, note),)


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
