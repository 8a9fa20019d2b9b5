"""Routes of tickets, their tags, comments and audits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from sandbox.base import Ledger
from sandbox.zendesk import checks, pages, params
from sandbox.zendesk.errors import bad_request, invalid, not_found
from sandbox.zendesk.gate import acting
from sandbox.zendesk.routing import Api
from sandbox.zendesk.shapes import Row
from sandbox.zendesk.state import State

SIDE = ("users", "groups", "organizations")
NEW = checks.SINGLE - checks.GUARD - {"id"} | {"description"}


def routes(api: Api, ledger: Ledger) -> Tickets:
    """Put them on the app."""
    own = Tickets(api.state, ledger)
    api.route("POST", "/tickets", own.create, 201)
    api.route("GET", "/tickets/show_many", own.show_many)
    api.route("GET", "/tickets/<int:ticket_id>", own.show)
    api.route("PUT", "/tickets/<int:ticket_id>", own.update)
    api.route("DELETE", "/tickets/<int:ticket_id>", own.delete)
    api.route("GET", "/tickets/<int:ticket_id>/tags", own.tags)
    api.route("PUT", "/tickets/<int:ticket_id>/tags", own.add_tags)
    api.route("POST", "/tickets/<int:ticket_id>/tags", own.set_tags, 201)
    api.route("DELETE", "/tickets/<int:ticket_id>/tags", own.remove_tags)
    api.route("GET", "/tickets/<int:ticket_id>/comments", own.comments)
    api.route("GET", "/tickets/<int:ticket_id>/audits", own.audits)
    return own


def beside(state: State, tickets: Sequence[Row], wanted: set[str]) -> dict[str, Any]:
    """Side-loads: everybody and everything that these tickets name, each once."""
    found: dict[str, Any] = {}
    names = {"users": ("requester_id", "submitter_id", "assignee_id"), "groups": ("group_id",),
             "organizations": ("organization_id",)}  # fmt: skip
    for kind in sorted(wanted):
        rows = getattr(state, kind)
        ids = {t[name] for t in tickets for name in names[kind] if t[name]}
        found[kind] = [rows[i] for i in sorted(ids) if i in rows]
    return found


class Tickets:
    """Reads and writes of tickets, by whoever asks."""

    def __init__(self, state: State, ledger: Ledger) -> None:
        self.state = state
        self.ledger = ledger

    def get(self, ticket_id: int) -> Row:
        """Raises 404, for deleted ones too."""
        if ticket_id not in self.state.tickets:
            raise not_found()
        return self.state.tickets[ticket_id]

    def write(
        self, ticket_id: int, wanted: Mapping[str, Any], actor_id: int, known: frozenset[str] = checks.SINGLE
    ) -> bool:  # fmt: skip
        """One checked save; did it change anything? The intruder of a test comes just before. Raises Refusal."""
        ticket = self.get(ticket_id)
        self.state.intrude(ticket_id)
        checks.update(self.state, ticket, wanted, known)
        changed = self.state.change(ticket_id, actor_id, wanted)
        if changed:
            self.ledger.changed(str(ticket_id))
        return changed

    def create(self) -> Row:
        params.known()
        wanted = params.wrapped("ticket")
        checks.values(self.state, wanted, NEW)
        comment = wanted.get("comment") or {}
        text = comment.get("body") or comment.get("html_body") or wanted.get("description")
        if not text:
            raise invalid("base", "Description: cannot be blank", "BlankValue")
        values = {
            n: v for n, v in wanted.items() if n in checks.SINGLE - {"comment", "requester_id", "subject", "tags"}
        }
        tags = sorted({t.strip().lower().replace(" ", "_") for t in wanted.get("tags", ())})
        actor, subject = acting(), wanted.get("subject") or text[:80]
        made = self.state.create_ticket(
            wanted.get("requester_id") or actor, subject, text, "api", actor, tags=tags, submitter_id=actor, **values
        )
        return {"ticket": made, "audit": self.state.audits[made["id"]][-1]}

    def show(self, ticket_id: int) -> Row:
        params.known("include")
        ticket = self.get(ticket_id)
        return {"ticket": ticket, **beside(self.state, [ticket], params.includes(*SIDE))}

    def show_many(self) -> Row:
        params.known("ids", "include", "per_page")
        found = [self.state.tickets[i] for i in dict.fromkeys(params.numbers()) if i in self.state.tickets]
        loaded = beside(self.state, found, params.includes(*SIDE))
        return {"tickets": found, **loaded, "next_page": None, "previous_page": None, "count": len(found)}

    def update(self, ticket_id: int) -> Row:
        params.known()
        self.write(ticket_id, params.wrapped("ticket"), acting())
        audits = self.state.audits[ticket_id]
        return {"ticket": self.get(ticket_id), "audit": audits[-1]}

    def delete(self, ticket_id: int) -> None:
        params.known()
        self.get(ticket_id)
        self.state.soft_delete(ticket_id, acting())

    def tags(self, ticket_id: int) -> Row:
        params.known()
        return {"tags": self.get(ticket_id)["tags"]}

    def _tags(self, ticket_id: int, name: str) -> Row:
        params.known()
        asked = params.body()
        if unknown := sorted(set(asked) - checks.GUARD - {"tags"}):
            raise bad_request(f"{unknown[0]} is not expected in the request body")
        checks.tags(self.state, "tags", asked.get("tags"))
        guard = {n: asked[n] for n in checks.GUARD if n in asked}
        self.write(ticket_id, {name: asked["tags"], **guard}, acting(), checks.MANY)
        return {"tags": self.get(ticket_id)["tags"]}

    def add_tags(self, ticket_id: int) -> Row:
        return self._tags(ticket_id, "additional_tags")

    def set_tags(self, ticket_id: int) -> Row:
        return self._tags(ticket_id, "tags")

    def remove_tags(self, ticket_id: int) -> None:
        self._tags(ticket_id, "remove_tags")

    def comments(self, ticket_id: int) -> Row:
        params.known(*params.PAGING, "include_inline_images")
        self.get(ticket_id)
        falling = params.choice("sort", ("created_at", "-created_at")) == "-created_at"
        falling = falling or params.choice("sort_order", ("asc", "desc")) == "desc"
        found = pages.page("comments", self.state.comments[ticket_id], descending=falling)
        if "users" in params.includes("users"):
            authors = sorted({c["author_id"] for c in found["comments"]})
            found["users"] = [self.state.users[i] for i in authors]
        return found

    def audits(self, ticket_id: int) -> Row:
        params.known(*params.PAGING)
        self.get(ticket_id)
        falling = request.args.get("sort_order") == "desc" or request.args.get("sort") == "-created_at"
        rows = sorted(self.state.audits[ticket_id], key=lambda row: row["id"])
        return pages.page("audits", rows, descending=falling)
