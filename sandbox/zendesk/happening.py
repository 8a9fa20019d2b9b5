"""What webhooks are told of a change: the fixed shape of event subscriptions. Pure.

Source: vendor sheet 1.5: ids as text, enums in capitals, nine digits of a second, no custom fields and no address.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.zendesk.shapes import ACCOUNT_ID, Row

# The channel of a ticket has other names in events than in the API. Source: recorded deliveries (2).
CHANNELS = {"email": "mail", "api": "web_service"}
CHANGES = {  # field of the ticket -> the event that tells of it
    "status": "status_changed", "priority": "priority_changed", "type": "type_changed", "subject": "subject_changed",
    "group_id": "group_assignment_changed", "assignee_id": "agent_assignment_changed", "brand_id": "brand_changed",
    "requester_id": "requester_changed", "organization_id": "organization_changed",
    "external_id": "external_id_changed",
}  # fmt: skip


def wire(name: str, value: Any) -> Any:  # noqa: ANN401 - enums in capitals, ids as text
    """A ticket's value as events write it."""
    if name in ("status", "priority", "type"):
        return value.upper() if value else None
    return str(value) if isinstance(value, int) else value


def detail(ticket: Mapping[str, Any], actor_id: int) -> Row:
    """The ticket as an event carries it."""
    channel = ticket["via"]["channel"]
    return {
        "actor_id": str(actor_id), "assignee_id": wire("assignee_id", ticket["assignee_id"]), "brand_id":
        str(ticket["brand_id"]), "created_at": ticket["created_at"], "custom_status": str(ticket["custom_status_id"]),
        "description": ticket["description"], "external_id": ticket["external_id"],
        "form_id": str(ticket["ticket_form_id"]), "group_id": wire("group_id", ticket["group_id"]),
        "id": str(ticket["id"]), "is_public": ticket["is_public"],
        "organization_id": wire("organization_id", ticket["organization_id"]),
        "priority": wire("priority", ticket["priority"]), "requester_id": str(ticket["requester_id"]),
        "status": wire("status", ticket["status"]), "subject": ticket["subject"],
        "submitter_id": str(ticket["submitter_id"]), "tags": list(ticket["tags"]) or None,
        "type": wire("type", ticket["type"]), "updated_at": ticket["updated_at"],
        "via": {"channel": CHANNELS.get(channel, channel)},
    }  # fmt: skip


def person_detail(user: Mapping[str, Any], actor_id: int) -> Row:
    """A user as an event carries it (R: the page shows id, times, role, names and addresses)."""
    return {
        "actor_id": str(actor_id), "created_at": user["created_at"], "email": user["email"], "external_id":
        user["external_id"], "default_group_id": wire("", user["default_group_id"]), "id": str(user["id"]),
        "organization_id": wire("", user["organization_id"]), "role": user["role"], "updated_at": user["updated_at"],
    }  # fmt: skip


def organization_detail(organization: Mapping[str, Any], actor_id: int) -> Row:
    """A company as an event carries it (R)."""
    names = ("created_at", "external_id", "name", "shared_comments", "shared_tickets", "updated_at")
    return {"actor_id": str(actor_id), "id": str(organization["id"]), **{name: organization[name] for name in names}}


DETAILS = {"ticket": detail, "user": person_detail, "organization": organization_detail}


def envelope(kind: str, row: Mapping[str, Any], event: Row, actor_id: int, now: datetime) -> Row:
    """A delivery's body. kind: `ticket.created` and the like."""
    about = kind.partition(".")[0]
    return {
        "account_id": ACCOUNT_ID, "detail": DETAILS[about](row, actor_id), "event": event, "id": str(uuid.uuid4()),
        "subject": f"zen:{about}:{row['id']}", "time": now.strftime("%Y-%m-%dT%H:%M:%S.%f") + "515Z",
        "type": f"zen:event-type:{kind}", "zendesk_event_version": "2022-11-06",
    }  # fmt: skip


def comment_event(comment: Mapping[str, Any], author: Mapping[str, Any]) -> Row:
    """`event` of comment_added."""
    who = {"id": str(author["id"]), "is_staff": author["role"] != "end-user", "name": author["name"]}
    return {"comment": {"id": str(comment["id"]), "body": comment["plain_body"], "html_body": comment["html_body"],
                        "is_public": comment["public"], "author": who}}  # fmt: skip


def changes(ticket: Row, before: Row) -> list[tuple[str, Row]]:
    """(kind, event) for each thing in which a ticket differs from what it was."""
    found = [
        (kind, {"current": wire(name, ticket[name]), "previous": wire(name, before[name])})
        for name, kind in CHANGES.items()
        if ticket[name] != before[name]
    ]
    now, then = set(ticket["tags"]), set(before["tags"])
    if now != then:
        found.append(("tags_changed", {"tags_added": sorted(now - then), "tags_removed": sorted(then - now)}))
    old = {f["id"]: f["value"] for f in before["custom_fields"]}
    found += [
        ("custom_field_changed", {"current": f["value"], "previous": old.get(f["id"]), "field": {"id": str(f["id"])}})
        for f in ticket["custom_fields"]
        if f["value"] != old.get(f["id"])
    ]
    return found
