"""What the simulated Zendesk holds, and all that can happen to a ticket. Each act makes the events the real one makes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from sandbox.base import Context
from sandbox.world import World
from sandbox.zendesk import happening, shapes
from sandbox.zendesk.people import ADMIN, OWN_USER, People
from sandbox.zendesk.shapes import FIELDS, HOST, Row
from sandbox.zendesk.store import Save
from sandbox.zendesk.tokens import Tokens

__all__ = ["ADMIN", "FIELDS", "HOST", "OWN_USER", "State"]

PLAIN = ("status", "priority", "type", "subject", "group_id", "assignee_id", "external_id", "requester_id",
         "organization_id", "brand_id")  # fmt: skip


class State(People):
    """The account. Acts answer the row itself; callers that are not the vendor must not change it."""

    def __init__(self, context: Context, world: World) -> None:
        super().__init__(context)
        self.tokens = Tokens(context)
        self.intruders: list[str] = []
        self.texts = world.texts
        self._ticket_ids = itertools.count(1001)
        self.move_in(world)

    def create_ticket(
        self, requester_id: int, subject: str, description: str, via: str = "email", actor_id: int = 0,
        **values: Any,  # noqa: ANN401 - JSON values
    ) -> Row:  # fmt: skip
        """A new ticket by its requester; sends ticket.created. values: fields of the ticket from the start."""
        with self.context.lock:
            ticket_id = next(self._ticket_ids)
            made = shapes.ticket(ticket_id, self.users[requester_id], subject, description, self.now(), via)
            ticket = {**made, **values}
            self.tickets[ticket_id] = ticket
            self.comments[ticket_id] = []
            self.audits[ticket_id] = []
            save = Save(ticket, None, None, actor_id or requester_id, via)
            save.comment = self._comment(save, {"body": description, "public": True})
            save.events += [
                {"id": self.next_id(), "type": "Create", "value": _text(ticket[name]), "field_name": name}
                for name in ("subject", *PLAIN[:3], "requester_id", "organization_id")
            ]
            self._end(save, [("created", {})])
            return ticket

    def comment(self, ticket_id: int, author_id: int, body: str, *, public: bool = True) -> None:
        """A comment; sends ticket.comment_added."""
        self.change(ticket_id, author_id, {"comment": {"body": body, "public": public}})

    def change(self, ticket_id: int, actor_id: int, update: Mapping[str, Any]) -> bool:
        """One save of a ticket, as an agent's or the API's: events for what it changed, in one sequence; did it?"""
        with self.context.lock:
            ticket = self.tickets[ticket_id]
            before = dict(ticket)
            _apply(ticket, update, self.users)
            wanted = update.get("comment")
            if ticket == before and not wanted:
                return False
            author = int((wanted or {}).get("author_id") or actor_id)
            save = Save(ticket, before, None, actor_id, self._via(actor_id))
            told = []
            if wanted:
                save.comment = self._comment(save, wanted, author)
                ticket["is_public"] = ticket["is_public"] or save.comment["public"]
                told.append(("comment_added", happening.comment_event(save.comment, self.users[author])))
            found = happening.changes(ticket, before)
            save.events += self._audited(ticket, before)
            self._end(save, [*told, *found])
            return True

    def _via(self, actor_id: int) -> str:
        if actor_id == OWN_USER:
            return "api"
        return "email" if self.users[actor_id]["role"] == "end-user" else "web"

    def _audited(self, ticket: Row, before: Row) -> list[Row]:
        return [
            {"id": self.next_id(), "type": "Change", "value": _text(ticket[name]), "field_name": name,
             "previous_value": _text(before[name])}
            for name in (*PLAIN, "tags")
            if ticket[name] != before[name]
        ]  # fmt: skip

    def _comment(self, save: Save, wanted: Mapping[str, Any], author_id: int = 0) -> Row:
        row = shapes.comment(
            self.next_id(), self.next_id(), author_id or save.actor_id, wanted, self.now(), save.via
        )  # fmt: skip
        self.comments[save.ticket["id"]].append(row)
        save.events.append({k: row[k] for k in (
            "id", "type", "author_id", "body", "html_body", "plain_body", "public", "attachments", "audit_id"
        )})  # fmt: skip
        return row

    def _end(self, save: Save, told: list[tuple[str, Row]]) -> None:
        """Write the audit, tell the events of the save, run what hangs on saves."""
        ticket = save.ticket
        ticket["updated_at"] = self.now()
        audit_id = save.comment["audit_id"] if save.comment else self.next_id()
        row = shapes.audit(audit_id, ticket["id"], save.actor_id, save.events, ticket["updated_at"], save.via)
        self.audits[ticket["id"]].append(row)
        self.touch(ticket)
        for position, (kind, event) in enumerate(told, 1):
            self.tell(ticket, f"ticket.{kind}", event, save.actor_id, position, audit_id)
        for saver in self.savers:
            saver(save)

    def merge(self, ticket_id: int, into: int, actor_id: int = ADMIN) -> bool:
        """Close a ticket into another: notes on both, and ticket.merged of the one that ends."""
        with self.context.lock:
            self.comment(into, actor_id, f"Request #{ticket_id} was closed and merged into this request.", public=False)
            words = f"This request was closed and merged into request #{into}."
            update = {"status": "closed", "additional_tags": ["closed_by_merge"],
                      "comment": {"body": words, "public": False}}  # fmt: skip
            self.change(ticket_id, actor_id, update)
            self.tell(self.tickets[ticket_id], "ticket.merged", {"target_ticket_id": str(into)}, actor_id)
            return True

    def soft_delete(self, ticket_id: int, actor_id: int = ADMIN, *, spam: bool = False) -> None:
        """Into the bin: the API no longer shows it, the export still does, as deleted."""
        with self.context.lock:
            ticket = self.deleted[ticket_id] = self.tickets.pop(ticket_id)
            ticket |= {"_status": ticket["status"], "status": "deleted", "updated_at": self.now()}
            self.touch(ticket)
            self.tell(ticket, f"ticket.{'marked_as_spam' if spam else 'soft_deleted'}", {}, actor_id)

    def restore(self, ticket_id: int, actor_id: int = ADMIN) -> None:
        """Out of the bin again."""
        with self.context.lock:
            ticket = self.tickets[ticket_id] = self.deleted.pop(ticket_id)
            ticket |= {"status": ticket.pop("_status"), "updated_at": self.now()}
            self.touch(ticket)
            self.tell(ticket, "ticket.undeleted", {}, actor_id)

    def permanently_delete(self, ticket_id: int, actor_id: int = ADMIN) -> None:
        """For ever; first into the bin if it is not there yet. Subject and text are wiped."""
        with self.context.lock:
            if ticket_id in self.tickets:
                self.soft_delete(ticket_id, actor_id)
            ticket = self.deleted[ticket_id]
            ticket |= {"subject": "SCRUBBED", "raw_subject": "SCRUBBED", "description": "SCRUBBED",
                       "updated_at": self.now()}  # fmt: skip
            self.comments[ticket_id], self.audits[ticket_id] = [], []
            self.touch(ticket)
            self.tell(ticket, "ticket.permanently_deleted", {}, actor_id)

    def merge_people(self, user_id: int, into: int, actor_id: int = ADMIN) -> Row:
        """One customer becomes part of another: addresses and tickets move, user.merged of the one that ends."""
        with self.context.lock:
            moved, self.identities[user_id] = self.identities[user_id], []
            self.identities[into] += [{**row, "user_id": into, "primary": False} for row in moved]
            for ticket in [t for t in self.tickets.values() if t["requester_id"] == user_id]:
                self.change(ticket["id"], actor_id, {"requester_id": into})
            self.users[user_id] |= {"active": False, "email": None}
            return self._changed(user_id, "merged", {"user": {"id": str(into)}}, actor_id)

    def move_person(self, user_id: int, organization_id: int | None, actor_id: int = ADMIN) -> Row:
        """To another company; open tickets go along."""
        with self.context.lock:
            self.users[user_id]["organization_id"] = organization_id
            for ticket in [t for t in self.tickets.values() if t["requester_id"] == user_id]:
                if ticket["status"] != "closed":
                    self.change(ticket["id"], actor_id, {"organization_id": organization_id})
            return self._changed(user_id, "organization_membership_created", {}, actor_id)

    def intrude(self, ticket_id: int) -> None:
        """The foreign actor of a test: adds its tags in the moment before a write of ours, in the same second."""
        for tag in self.intruders:
            self.change(ticket_id, ADMIN, {"additional_tags": [tag]})


def _apply(ticket: Row, update: Mapping[str, Any], users: Mapping[int, Row]) -> None:
    """Put an update's values into a ticket."""
    tags = {tag(t) for t in update.get("tags", ticket["tags"])}
    tags |= {tag(t) for t in update.get("additional_tags", ())}
    tags -= {tag(t) for t in update.get("remove_tags", ())}
    ticket["tags"] = sorted(tags)
    for name in PLAIN:
        if name in update:
            ticket[name] = update[name]
    if "requester_id" in update and "organization_id" not in update:
        ticket["organization_id"] = users[update["requester_id"]]["organization_id"]
    ticket["raw_subject"] = ticket["subject"]
    fields = {f["id"]: f["value"] for f in ticket["custom_fields"]}
    fields |= {int(f["id"]): f["value"] for f in update.get("custom_fields", ())}
    ticket["custom_fields"] = [{"id": f, "value": v} for f, v in fields.items()]
    ticket["fields"] = ticket["custom_fields"]
    if ticket["status"] == "new" and ticket["assignee_id"]:
        ticket["status"] = "open"


def tag(text: str) -> str:
    """As Zendesk keeps it: lower case, no spaces."""
    return str(text).strip().lower().replace(" ", "_")


def _text(value: Any) -> Any:  # noqa: ANN401 - audits write ids as text
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
