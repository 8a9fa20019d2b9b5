"""Intercom's topics into our events, as a table: one row a topic; what is handled is what is listed.

Source: Intercom developer docs, "Webhook topics", read 2026-11 (vendor sheet 2.1). What a value was before is told only
where it follows from the topic; it is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from integrations.intercom import people
from integrations.intercom.words import (
    PRIORITIES,
    Item,
    as_of,
    id_of,
    is_whole,
    moment,
    parts,
    plain,
    requester,
    tag_list,
    tags,
    values_of,
    words,
)
from integrations.kernel.errors import MalformedPayload
from integrations.kernel.events import Change, Event
from integrations.kernel.ids import VendorRef
from integrations.kernel.records import TicketRecord

Told = tuple[dict[str, Change], dict[str, Any]]
Row = tuple[str, Callable[[Item], Told]]


def _nothing(_: Item) -> Told:
    return {}, {}


def _comment(*, public: bool, staff: bool) -> Callable[[Item], Told]:
    """The newest part with words in it. A private one is never called public, whatever the topic says."""

    def told(item: Item) -> Told:
        part = next((p for p in reversed(parts(item)) if p.get("body")), {})
        is_public = public and part.get("part_type") != "note"
        note = {"comment": plain(part.get("body")) or "", "comment_public": is_public, "comment_by_staff": staff}
        return {}, note

    return told


def _status(previous: str, current: str) -> Callable[[Item], Told]:
    return lambda _: ({"status": Change(previous, current)}, {})


def _priority(item: Item) -> Told:
    """There are two values, so what it was is the other one."""
    now = PRIORITIES.get(item.get("priority", ""))
    return ({"priority": Change("normal" if now == "high" else "high", now)}, {}) if now else ({}, {})


def _tags(item: Item) -> Told:
    """Old webhooks list what was added; today's tell when and by whom each tag was put on."""
    added = tags(item, "tags_added") or words(t.get("name") for t in _newest_tags(item))
    return {}, {"tags_added": added, "tags_removed": []}


def _newest_tags(item: Item) -> list[Item]:
    dated = [tag for tag in tag_list(item) if tag.get("applied_at")]
    newest = max((tag["applied_at"] for tag in dated), default=None)
    return [tag for tag in dated if tag["applied_at"] == newest]


TRANSLATE: dict[str, Row] = {
    "conversation.user.created": ("ticket.created", _nothing),
    "conversation.admin.single.created": ("ticket.created", _nothing),
    "conversation.user.replied": ("ticket.commented", _comment(public=True, staff=False)),
    "conversation.admin.replied": ("ticket.commented", _comment(public=True, staff=True)),
    "conversation.operator.replied": ("ticket.commented", _comment(public=True, staff=True)),
    "conversation.admin.noted": ("ticket.commented", _comment(public=False, staff=True)),
    "conversation.admin.assigned": ("ticket.assignee_changed", _nothing),
    "conversation.admin.open.assigned": ("ticket.assignee_changed", _nothing),
    "conversation.admin.closed": ("ticket.status_changed", _nothing),
    "conversation.admin.opened": ("ticket.status_changed", _nothing),
    "conversation.admin.snoozed": ("ticket.status_changed", _nothing),
    "conversation.admin.unsnoozed": ("ticket.status_changed", _status("hold", "open")),
    "conversation.priority.updated": ("ticket.priority_changed", _priority),
    "conversation.rating.added": ("ticket.rated", _nothing),
    "conversation.deleted": ("ticket.deleted", _nothing),
    "conversation_part.tag.created": ("ticket.tags_changed", _tags),
    "conversation_part.redacted": ("ticket.description_changed", _nothing),
    "contact.user.created": ("person.created", _nothing),
    "contact.lead.created": ("person.created", _nothing),
    "contact.created": ("person.created", _nothing),  # this and the next: webhooks from before version 2
    "user.created": ("person.created", _nothing),
    "contact.user.updated": ("person.changed", _nothing),
    "contact.email.updated": ("person.identities_changed", _nothing),
    "user.email.updated": ("person.identities_changed", _nothing),
    "contact.merged": ("person.merged", _nothing),
    "contact.archived": ("person.changed", _nothing),
    "contact.deleted": ("person.deleted", _nothing),
    "user.deleted": ("person.deleted", _nothing),
    "company.created": ("organization.created", _nothing),
    "company.updated": ("organization.changed", _nothing),
    "company.deleted": ("organization.deleted", _nothing),
}
SEEN = "requester.seen"  # the requester and the company that a conversation carries, beside its own event
KINDS = frozenset(kind for kind, _ in TRANSLATE.values()) | {SEEN}
PING = "ping"
_BARE = ("ticket.deleted", "person.deleted", "organization.deleted")  # they carry ids only
_LANES = {"ticket": "ticket", "person": "contact", "organization": "company"}


def subject_of(document: Mapping[str, Any]) -> VendorRef | None:
    """What a delivery is about; None for a topic that is not in the table, or without an id."""
    row = TRANSLATE.get(str(document.get("topic")))
    item = item_of(document)
    kind = row[0].partition(".")[0] if row else ""
    subject = id_of(item) or (id_of({"id": item.get(f"{item.get('type')}_id")}))
    return VendorRef("intercom", kind, subject) if kind and subject else None


def lane_of(subject: VendorRef) -> str:
    """What must stay in order: everything of one conversation, of one contact, of one company."""
    return f"{_LANES[subject.type]}:{subject.id}"


def item_of(document: Mapping[str, Any]) -> Item:
    """The object a delivery carries; empty when there is none."""
    data = document.get("data")
    item = data.get("item") if isinstance(data, Mapping) else None
    return item if isinstance(item, Mapping) else {}


def event(document: Mapping[str, Any], connection_id: str, event_key: str) -> Sequence[Event]:
    """The canonical events of a delivery: its own, before it the people it shows; empty for an unknown topic.

    Raises:
        MalformedPayload: a known topic without its object or its time.
    """
    row = TRANSLATE.get(str(document.get("topic")))
    if row is None:
        return ()
    kind, tell = row
    subject, item = subject_of(document), item_of(document)
    if subject is None:
        raise MalformedPayload(f"{kind} without the id of its object")
    try:
        occurred_at = moment(document.get("created_at") or document.get("first_sent_at"))
        changes, note = tell(item)
        record = None if kind in _BARE else _record(subject, item, str(document["topic"]))
        shown = _shown(item) if subject.type == "ticket" and record is not None else ()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedPayload("an event with a time or a list in no known shape") from error

    def made(kind: str, subject: VendorRef, **more: Any) -> Event:  # noqa: ANN401 - fields of an event
        return Event(kind, "intercom", connection_id, event_key, subject, occurred_at, **more)

    beside = [made(SEEN, ref, record=seen) for ref, seen in shown]
    actor = _actor(str(document["topic"]), item)
    return (*beside, made(kind, subject, actor=actor, record=record, changes=changes, note=note))


def ticket(item: Item) -> TicketRecord:
    """A conversation. Complete where it tells everything, so that it need not be read.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: no conversation.
    """
    return TicketRecord(str(item["id"]), as_of(item), values_of(item), complete=is_whole(item))


def _record(subject: VendorRef, item: Item, topic: str) -> Any:  # noqa: ANN401 - a record of kernel.records
    """What a delivery tells of its object; None when it does not say as of when."""
    if not item.get("updated_at"):
        return None
    if subject.type == "ticket":
        return ticket(item)
    if subject.type == "person":
        return replace(people.contact(item), active=topic != "contact.archived")
    return people.company(item)


def _shown(item: Item) -> list[tuple[VendorRef, Any]]:
    """The requester and the company in a conversation; a requester of whom a whole one tells no more than the id, bare."""
    person, company = people.seen_in(item), people.company_in(item)
    found: list[tuple[VendorRef, Any]] = []
    if company is not None:
        found.append((VendorRef("intercom", "organization", company.id), company))
    if (who := requester(item)) and (person is not None or is_whole(item)):
        found.append((VendorRef("intercom", "person", who), person))
    return found


def _actor(topic: str, item: Item) -> str:
    """Who did it: the contact, the author of the newest part, or whoever put the newest tag on; "" when not told.

    Old webhooks show a tagged part with its author, who need not have tagged it.
    """
    if topic.startswith("conversation.user.") or topic == "conversation.rating.added":
        return requester(item) or ""
    if topic == "conversation_part.tag.created":
        return next((who for tag in _newest_tags(item) if (who := id_of(tag.get("applied_by")))), "")
    if topic.startswith("conversation.admin.") and not parts(item):
        source = item.get("source") or item.get("conversation_message")
        return (id_of(source.get("author")) or "") if isinstance(source, Mapping) else ""
    newest = parts(item)[-1] if parts(item) else {}
    author = newest.get("author")
    return id_of(author) or "" if topic.startswith("conversation") else ""
