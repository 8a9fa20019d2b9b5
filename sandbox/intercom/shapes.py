"""Objects of the simulated Intercom in its own shapes. Source: Intercom's OpenAPI document 2.15, read 2026-11."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.world import Group, Organization, Person

Object = dict[str, Any]

WORKSPACE = "sbx00001"
OWN_ADMIN = "999"  # the admin whose token it is
ATTRIBUTES = {"plan": "string", "refund_reason": "string", "seats": "integer", "checked": "boolean"}


def contact_id(person_id: int) -> str:
    """A person's id at Intercom: another one than at Zendesk."""
    return f"6a{person_id:022x}"


def company_id(organization_id: int) -> str:
    """A company's id at Intercom."""
    return f"6c{organization_id:022x}"


def contact(person: Person, made: int) -> Object:
    """A user of the customer's product."""
    found = contact_id(person.id)
    companies = []
    if person.organization_id:
        company = company_id(person.organization_id)
        companies.append({"id": company, "type": "company", "url": f"/companies/{company}"})
    unknown = dict.fromkeys((
        "phone", "owner_id", "avatar", "last_seen_at", "last_replied_at", "last_contacted_at", "last_email_opened_at",
        "last_email_clicked_at", "language_override", "browser", "browser_version", "browser_language", "os",
    ))  # fmt: skip
    return {
        "type": "contact", "id": found, "workspace_id": WORKSPACE, "external_id": person.external_id, "role": "user",
        "email": person.emails[0][0], "email_domain": person.emails[0][0].partition("@")[2], "name": person.name,
        "has_hard_bounced": False, "marked_email_as_spam": False, "unsubscribed_from_emails": False,
        "created_at": made, "updated_at": made, "signed_up_at": made, "custom_attributes": {}, **unknown,
        "tags": _listed(found, "tags", []), "notes": _listed(found, "notes", []),
        "companies": _listed(found, "companies", companies),
        "location": {"type": "location", "country": None, "region": None, "city": None},
        "social_profiles": {"type": "list", "data": []},
    }  # fmt: skip


def _listed(contact: str, name: str, data: Sequence[Object]) -> Object:
    url = f"/contacts/{contact}/{name}"
    return {"type": "list", "data": list(data), "url": url, "total_count": len(data), "has_more": False}


def company(organization: Organization, made: int) -> Object:
    """A company, known to the customer by an id of their own."""
    return {
        "type": "company", "id": company_id(organization.id), "company_id": f"org-{organization.id}",
        "app_id": WORKSPACE, "name": organization.name, "remote_created_at": made, "created_at": made,
        "updated_at": made, "monthly_spend": 0, "session_count": 0, "user_count": 1, "custom_attributes": {},
        "tags": {"type": "tag.list", "tags": []}, "segments": {"type": "segment.list", "segments": []}, "plan": {},
    }  # fmt: skip


def admin(admin_id: str, name: str, email: str, teams: Sequence[int]) -> Object:
    """A member of the staff."""
    return {
        "type": "admin", "id": admin_id, "name": name, "email": email, "job_title": "Support",
        "away_mode_enabled": False, "away_mode_reassign": False, "has_inbox_seat": True, "team_ids": list(teams),
    }  # fmt: skip


def team(group: Group) -> Object:
    """A team, its members by number."""
    return {"type": "team", "id": str(group.id), "name": group.name, "admin_ids": list(group.agents)}


def me(own: Mapping[str, Any], made: int, zone: str, *, verified: bool) -> Object:
    """The token's admin and its workspace."""
    app = {
        "type": "app", "id_code": WORKSPACE, "name": "Acme", "region": "US", "timezone": zone, "created_at": made,
        "identity_verification": verified,
    }  # fmt: skip
    return {**own, "email_verified": True, "avatar": {"type": "avatar", "image_url": None}, "app": app}


def author(of: Mapping[str, Any]) -> Object:
    """Whoever wrote a part: an admin, or a contact under its role's name."""
    kind = "admin" if of["type"] == "admin" else of["role"]
    return {"type": kind, "id": of["id"], "name": of["name"], "email": of["email"]}


def reference(of: Mapping[str, Any]) -> Object:
    """A contact as a conversation names it."""
    return {"type": "contact", "id": of["id"], "external_id": of["external_id"]}


def conversation(
    number: int, of: Mapping[str, Any], company: Object | None, text: str, subject: str, now: int
) -> Object:
    """A conversation that a contact began in the Messenger, or by e-mail where it has a subject."""
    source = {
        "type": "email" if subject else "conversation", "id": str(number * 10), "delivered_as": "customer_initiated",
        "subject": f"<p>{subject}</p>" if subject else "", "body": f"<p>{text}</p>", "author": author(of),
        "attachments": [], "url": None, "redacted": False,
    }  # fmt: skip
    nothing = dict.fromkeys((
        "title", "snoozed_until", "first_contact_reply", "admin_assignee_id", "team_assignee_id", "sla_applied",
        "statistics", "conversation_rating", "teammates", "ai_agent",
    ))  # fmt: skip
    return {
        "type": "conversation", "id": str(number), "created_at": now, "updated_at": now, "waiting_since": now,
        "source": source, "contacts": {"type": "contact.list", "contacts": [reference(of)]}, "open": True,
        "state": "open", "read": False, "tags": {"type": "tag.list", "tags": []}, "priority": "not_priority",
        "custom_attributes": {}, "company": company, "ai_agent_participated": False, **nothing,
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": False},
    }  # fmt: skip


def part(number: int, kind: str, by: Mapping[str, Any], body: str | None, state: str, now: int) -> Object:
    """A part: a comment, a note, or something that was done."""
    return {
        "type": "conversation_part", "id": str(number), "part_type": kind, "body": f"<p>{body}</p>" if body else None,
        "created_at": now, "updated_at": now, "notified_at": now, "assigned_to": None, "author": author(by),
        "attachments": [], "external_id": None, "redacted": False, "state": state, "tags": [],
        "app_package_code": None,
    }  # fmt: skip


def with_parts(of: Mapping[str, Any], parts: Sequence[Object]) -> Object:
    """A conversation with the newest of its parts."""
    listed = {"type": "conversation_part.list", "conversation_parts": list(parts[-500:]), "total_count": len(parts)}
    return {**of, "conversation_parts": listed}
