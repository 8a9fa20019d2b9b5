"""What the simulated Zendesk holds. Every change goes through `change`, which makes the events the real one makes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from integrations.kernel.clock import iso
from sandbox.base import Context
from sandbox.world import World

HOST = "https://acme.zendesk.com"
OWN_USER = 999  # the user behind the OAuth client
FIELDS = {360001: "text", 360002: "text", 360003: "checkbox"}
Listener = Callable[[dict[str, Any], str, dict[str, Any], int, int], None]


class State:
    """Tickets, people and companies in Zendesk's own shapes."""

    def __init__(self, context: Context, world: World) -> None:
        self.context = context
        self.tickets: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.audits: dict[int, list[dict[str, Any]]] = {}
        self.users = {p.id: self._user(p) for p in (*world.people, *world.agents)}
        self.users[OWN_USER] = self._user_row(
            OWN_USER, "Deskbridge", "deskbridge@acme.example", True, "admin", None, None
        )
        self.identities = {
            p.id: [
                {"id": p.id * 10 + n, "user_id": p.id, "type": "email", "value": a, "verified": v, "primary": n == 0}
                for n, (a, v) in enumerate(p.emails)
            ]
            for p in (*world.people, *world.agents)
        }
        self.organizations = {o.id: self._organization(o.id, o.name, o.domains) for o in world.organizations}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.listeners: list[Listener] = []
        self._ticket_ids = itertools.count(1001)
        self._ids = itertools.count(5_000_000)
        self.intruders: list[str] = []
        self.texts = world.texts

    def now(self) -> str:
        return iso(self.context.now().replace(microsecond=0))

    def next_id(self) -> int:
        return next(self._ids)

    def _user(self, p: Any) -> dict[str, Any]:  # noqa: ANN401 - a Person of the world
        return self._user_row(p.id, p.name, p.emails[0][0], p.emails[0][1], p.role, p.organization_id, p.external_id)

    def _user_row(
        self,
        user_id: int,
        name: str,
        email: str,
        verified: bool,
        role: str,
        organization: int | None,
        external: str | None,
    ) -> dict[str, Any]:
        made = iso(self.context.now().replace(microsecond=0) - timedelta(days=400))
        return {
            "id": user_id, "url": f"{HOST}/api/v2/users/{user_id}.json", "name": name, "email": email,
            "created_at": made, "updated_at": made, "time_zone": "Copenhagen", "iana_time_zone": "Europe/Copenhagen",
            "phone": None, "shared_phone_number": None, "photo": None, "locale_id": 1, "locale": "en-US",
            "organization_id": organization, "role": role, "verified": verified, "external_id": external, "tags": [],
            "alias": None, "active": True, "shared": False, "shared_agent": False, "last_login_at": None,
            "two_factor_auth_enabled": None, "signature": None, "details": None, "notes": None, "role_type": None,
            "custom_role_id": None, "moderator": role != "end-user", "ticket_restriction": None,
            "only_private_comments": False, "restricted_agent": role == "end-user", "suspended": False,
            "default_group_id": None, "report_csv": False, "user_fields": {},
        }  # fmt: skip

    def _organization(self, organization_id: int, name: str, domains: tuple[str, ...]) -> dict[str, Any]:
        made = iso(self.context.now().replace(microsecond=0) - timedelta(days=500))
        return {
            "id": organization_id, "url": f"{HOST}/api/v2/organizations/{organization_id}.json", "name": name,
            "shared_tickets": False, "shared_comments": False, "external_id": None, "created_at": made,
            "updated_at": made, "domain_names": list(domains), "details": None, "notes": None, "group_id": None,
            "tags": [], "organization_fields": {},
        }  # fmt: skip

    def create_ticket(self, requester_id: int, subject: str, description: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401
        """A new ticket by its requester; sends ticket.created."""
        with self.context.lock:
            ticket_id, now = next(self._ticket_ids), self.now()
            ticket = {
                "url": f"{HOST}/api/v2/tickets/{ticket_id}.json", "id": ticket_id, "external_id": None,
                "via": {"channel": "email", "source": {"from": {}, "to": {}, "rel": None}}, "created_at": now,
                "updated_at": now, "type": None, "subject": subject, "raw_subject": subject,
                "description": description, "priority": None, "status": "new", "recipient": None,
                "requester_id": requester_id, "submitter_id": requester_id, "assignee_id": None,
                "organization_id": self.users[requester_id]["organization_id"], "group_id": None, "collaborator_ids": [],
                "follower_ids": [], "email_cc_ids": [], "forum_topic_id": None, "problem_id": None,
                "has_incidents": False, "is_public": True, "due_at": None, "tags": [],
                "custom_fields": [{"id": f, "value": None} for f in FIELDS], "satisfaction_rating": None,
                "sharing_agreement_ids": [], "custom_status_id": 1, "followup_ids": [], "ticket_form_id": 1,
                "brand_id": 1, "allow_channelback": False, "allow_attachments": True, "from_messaging_channel": False,
                **values,
            }  # fmt: skip
            self.tickets[ticket_id] = ticket
            self.comments[ticket_id] = []
            self.audits[ticket_id] = []
            self._comment(ticket, requester_id, description, public=True)
            self._tell(ticket, "created", {}, requester_id, 0)
            return ticket

    def comment(self, ticket_id: int, author_id: int, body: str, *, public: bool = True) -> None:
        """A comment; sends ticket.comment_added."""
        with self.context.lock:
            self.change(ticket_id, author_id, {"comment": {"body": body, "public": public}})

    def change(self, ticket_id: int, actor_id: int, update: Mapping[str, Any]) -> bool:
        """One save of a ticket, as an agent's or the API's: events for what it changed, in one sequence; did it?"""
        with self.context.lock:
            ticket = self.tickets[ticket_id]
            before = dict(ticket)
            tags = set(update.get("tags", ticket["tags"]))
            tags |= {_tag(t) for t in update.get("additional_tags", ())}
            tags -= {_tag(t) for t in update.get("remove_tags", ())}
            ticket["tags"] = sorted(tags)
            for name in (
                "status",
                "priority",
                "type",
                "subject",
                "group_id",
                "assignee_id",
                "external_id",
                "requester_id",
            ):
                if name in update:
                    ticket[name] = update[name]
            fields = {f["id"]: f["value"] for f in ticket["custom_fields"]}
            fields |= {int(f["id"]): f["value"] for f in update.get("custom_fields", ())}
            ticket["custom_fields"] = [{"id": f, "value": v} for f, v in fields.items()]
            if ticket["status"] == "new" and ticket["assignee_id"]:
                ticket["status"] = "open"
            comment = update.get("comment")
            changed = ticket != before
            if not changed and not comment:
                return False
            ticket["updated_at"] = self.now()
            self.audits[ticket_id].append({"author_id": actor_id, "at": ticket["updated_at"], "update": dict(update)})
            position = 0
            if comment:
                added = self._comment(
                    ticket, actor_id, comment.get("html_body") or comment.get("body", ""),
                    public=comment.get("public", True) is True, html=bool(comment.get("html_body")),
                )  # fmt: skip
                position += 1
                self._tell(ticket, "comment_added", {"comment": self._comment_event(added)}, actor_id, position)
            self._tell_changes(ticket, before, actor_id, position)
            return True

    def _tell_changes(self, ticket: dict[str, Any], before: dict[str, Any], actor_id: int, position: int) -> None:
        for name, kind in (("status", "status_changed"), ("priority", "priority_changed"), ("type", "type_changed"),
                           ("subject", "subject_changed"), ("group_id", "group_assignment_changed"),
                           ("assignee_id", "agent_assignment_changed"), ("requester_id", "requester_changed")):  # fmt: skip
            if ticket[name] != before[name]:
                position += 1
                event = {"current": _wire(name, ticket[name]), "previous": _wire(name, before[name])}
                self._tell(ticket, kind, event, actor_id, position)
        if ticket["tags"] != before["tags"]:
            added, removed = set(ticket["tags"]) - set(before["tags"]), set(before["tags"]) - set(ticket["tags"])
            event = {"tags_added": sorted(added), "tags_removed": sorted(removed)}
            self._tell(ticket, "tags_changed", event, actor_id, position + 1)
        old = {f["id"]: f["value"] for f in before["custom_fields"]}
        for f in ticket["custom_fields"]:
            if f["value"] != old.get(f["id"]):
                event = {"current": f["value"], "previous": old.get(f["id"]), "field": {"id": str(f["id"])}}
                self._tell(ticket, "custom_field_changed", event, actor_id, position + 2)

    def _comment(
        self, ticket: dict[str, Any], author_id: int, body: str, *, public: bool, html: bool = False
    ) -> dict[str, Any]:
        comment = {
            "id": self.next_id(), "type": "Comment", "author_id": author_id, "body": body, "html_body": body if html
            else f"<div>{body}</div>", "plain_body": body, "public": public, "attachments": [], "audit_id": self.next_id(),
            "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}}, "created_at": self.now(),
            "metadata": {"system": {}, "custom": {}},
        }  # fmt: skip
        self.comments[ticket["id"]].append(comment)
        return comment

    def _comment_event(self, comment: dict[str, Any]) -> dict[str, Any]:
        author = self.users[comment["author_id"]]
        staff = author["role"] != "end-user"
        who = {"id": str(author["id"]), "is_staff": staff, "name": author["name"]}
        return {"id": str(comment["id"]), "body": comment["plain_body"], "is_public": comment["public"], "author": who}

    def _tell(self, ticket: dict[str, Any], kind: str, event: dict[str, Any], actor_id: int, position: int) -> None:
        for listener in self.listeners:
            listener(ticket, kind, event, actor_id, position)

    def intrude(self, ticket_id: int) -> None:
        """The foreign actor of a test: adds its tag in the moment before a write of ours, in the same second."""
        for tag in self.intruders:
            self.change(ticket_id, 500, {"additional_tags": [tag]})


def _tag(text: str) -> str:
    return str(text).lower().replace(" ", "_")


def _wire(name: str, value: Any) -> Any:  # noqa: ANN401 - enums in capitals, ids as text
    if name in ("status", "priority", "type"):
        return value.upper() if value else None
    return str(value) if isinstance(value, int) else value


def detail(ticket: Mapping[str, Any], actor_id: int) -> dict[str, Any]:
    """The ticket as an event carries it: ids as text, enums in capitals, no custom fields, no address."""
    return {
        "actor_id": str(actor_id), "assignee_id": _wire("assignee_id", ticket["assignee_id"]), "brand_id": "1",
        "created_at": ticket["created_at"], "custom_status": "1", "description": ticket["description"],
        "external_id": ticket["external_id"], "form_id": "1", "group_id": _wire("group_id", ticket["group_id"]),
        "id": str(ticket["id"]), "is_public": ticket["is_public"],
        "organization_id": _wire("organization_id", ticket["organization_id"]),
        "priority": _wire("priority", ticket["priority"]), "requester_id": str(ticket["requester_id"]),
        "status": _wire("status", ticket["status"]), "subject": ticket["subject"],
        "submitter_id": str(ticket["submitter_id"]), "tags": list(ticket["tags"]),
        "type": _wire("type", ticket["type"]), "updated_at": ticket["updated_at"],
        "via": {"channel": ticket["via"]["channel"]},
    }  # fmt: skip


def age(text: str, now: datetime) -> float:
    """Seconds since an ISO time."""
    return (now - datetime.fromisoformat(text)).total_seconds()
