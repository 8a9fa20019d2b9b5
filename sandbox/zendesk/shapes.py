"""Rows as Zendesk's API tells them, nulls included. Pure.

Source: recorded answers of a real account (2023-2024) and Zendesk's Support API document 2.0.0, read 2026-11.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

HOST = "https://acme.zendesk.com"
ACCOUNT_ID = 22129848
FIELDS = {360001: "text", 360002: "text", 360003: "checkbox"}
NOWHERE: dict[str, Any] = {"from": {}, "to": {}, "rel": None}
Row = dict[str, Any]


def user(user_id: int, name: str, email: str | None, made: str, **values: Any) -> Row:  # noqa: ANN401 - fields
    """A user; `values` are fields that differ from those of an unverified customer without a company."""
    role = values.get("role", "end-user")
    return {
        "id": user_id, "url": f"{HOST}/api/v2/users/{user_id}.json", "name": name, "email": email,
        "created_at": made, "updated_at": made, "time_zone": "Copenhagen", "iana_time_zone": "Europe/Copenhagen",
        "phone": None, "shared_phone_number": None, "photo": None, "locale_id": 1, "locale": "en-US",
        "organization_id": None, "role": role, "verified": False, "external_id": None, "tags": [], "alias": None,
        "active": True, "shared": False, "shared_agent": False, "last_login_at": None, "two_factor_auth_enabled": None,
        "signature": None, "details": None, "notes": None, "role_type": {"admin": 4, "agent": 0}.get(role),
        "custom_role_id": None, "moderator": role != "end-user", "ticket_restriction": None if role == "admin" else
        ("requested" if role == "end-user" else None), "only_private_comments": False,
        "restricted_agent": role == "end-user", "suspended": False, "default_group_id": None, "report_csv": False,
        "user_fields": {}, **values,
    }  # fmt: skip


def anonymous() -> Row:
    """What `users/me` says of credentials that are nobody's."""
    return {
        "id": None, "url": f"{HOST}/api/v2/users/.json", "name": "Anonymous user", "email": "invalid@example.com",
        "created_at": None, "updated_at": None, "time_zone": "Copenhagen", "iana_time_zone": "Europe/Copenhagen",
        "phone": None, "shared_phone_number": None, "photo": None, "locale_id": 1, "locale": "en-US",
        "organization_id": None, "role": "end-user", "verified": False,
    }  # fmt: skip


def identity(identity_id: int, user_id: int, value: str, made: str, *, verified: bool, primary: bool) -> Row:
    """An e-mail address of a user."""
    return {
        "id": identity_id, "url": f"{HOST}/api/v2/users/{user_id}/identities/{identity_id}.json", "user_id": user_id,
        "type": "email", "value": value, "verified": verified, "primary": primary, "created_at": made,
        "updated_at": made, "undeliverable_count": 0, "deliverable_state": "deliverable",
    }  # fmt: skip


def organization(organization_id: int, name: str, domains: Iterable[str], made: str) -> Row:
    """A company."""
    return {
        "id": organization_id, "url": f"{HOST}/api/v2/organizations/{organization_id}.json", "name": name,
        "shared_tickets": False, "shared_comments": False, "external_id": None, "created_at": made, "updated_at": made,
        "domain_names": list(domains), "details": None, "notes": None, "group_id": None, "tags": [],
        "organization_fields": {},
    }  # fmt: skip


def group(group_id: int, name: str, made: str) -> Row:
    """A group of agents."""
    return {
        "id": group_id, "url": f"{HOST}/api/v2/groups/{group_id}.json", "name": name, "description": "",
        "is_public": True, "default": False, "deleted": False, "created_at": made, "updated_at": made,
    }  # fmt: skip


def membership(membership_id: int, user_id: int, group_id: int, made: str, *, default: bool) -> Row:
    """An agent in a group."""
    return {
        "id": membership_id, "url": f"{HOST}/api/v2/group_memberships/{membership_id}.json", "user_id": user_id,
        "group_id": group_id, "default": default, "created_at": made, "updated_at": made,
    }  # fmt: skip


def ticket(ticket_id: int, requester: Mapping[str, Any], subject: str, text: str, made: str, channel: str) -> Row:
    """A new ticket of a requester."""
    return {
        "url": f"{HOST}/api/v2/tickets/{ticket_id}.json", "id": ticket_id, "external_id": None,
        "via": {"channel": channel, "source": dict(NOWHERE)}, "created_at": made, "updated_at": made,
        "generated_timestamp": 0, "type": None, "subject": subject, "raw_subject": subject, "description": text,
        "priority": None, "status": "new", "recipient": None, "requester_id": requester["id"],
        "submitter_id": requester["id"], "assignee_id": None, "organization_id": requester["organization_id"],
        "group_id": None, "collaborator_ids": [], "follower_ids": [], "email_cc_ids": [], "forum_topic_id": None,
        "problem_id": None, "has_incidents": False, "is_public": True, "due_at": None, "tags": [],
        "custom_fields": [{"id": f, "value": None} for f in FIELDS], "satisfaction_rating": None,
        "sharing_agreement_ids": [], "custom_status_id": 1, "fields": [{"id": f, "value": None} for f in FIELDS],
        "followup_ids": [], "ticket_form_id": 1, "brand_id": 1, "allow_channelback": False, "allow_attachments": True,
        "from_messaging_channel": False,
    }  # fmt: skip


def comment(comment_id: int, audit_id: int, author_id: int, body: Mapping[str, Any], made: str, channel: str) -> Row:
    """A comment; body: `body` or `html_body`, and `public`, as an update carries them."""
    marked = body.get("html_body")
    plain = str(body.get("body")) if marked is None else text_of(str(marked))
    inner = html.escape(plain, quote=False).replace("\n", "<br>") if marked is None else marked
    return {
        "id": comment_id, "type": "Comment", "author_id": author_id, "body": plain,
        "html_body": f'<div class="zd-comment" dir="auto">{inner}</div>', "plain_body": plain,
        "public": body.get("public", True), "attachments": [], "audit_id": audit_id,
        "via": {"channel": channel, "source": dict(NOWHERE)}, "created_at": made,
        "metadata": {"system": {}, "custom": {}},
    }  # fmt: skip


def text_of(marked: str) -> str:
    """HTML as plain text: a line for each break and paragraph, no tags."""
    lines = re.sub(r"<br\s*/?>|</(?:p|div|li)>", "\n", marked)
    return html.unescape(re.sub(r"<[^>]*>", "", lines)).strip()


def audit(audit_id: int, ticket_id: int, author_id: int, events: list[Row], made: str, channel: str) -> Row:
    """One save of a ticket with what it changed."""
    return {
        "id": audit_id, "ticket_id": ticket_id, "created_at": made, "author_id": author_id,
        "metadata": {"system": {}, "custom": {}}, "events": events,
        "via": {"channel": channel, "source": dict(NOWHERE)},
    }  # fmt: skip
