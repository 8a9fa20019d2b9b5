"""An admin's template: `{{placeholders}}` replaced by the ticket's values, nothing escaped. Pure but for the rows it reads.

Source: vendor sheet 1.4: the placeholders seen in use (2); tags as one text with spaces, status and priority as display
words (R). Whether quotation marks are escaped is unclear: they are not, so that a template that relies on it breaks here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.zendesk.shapes import HOST, Row
from sandbox.zendesk.state import State
from sandbox.zendesk.store import Save

_PLACE = re.compile(r"\{\{\s*([a-z0-9_.]+)\s*\}\}")
_FIELD = re.compile(r"ticket\.ticket_field_(?:option_title_)?(\d+)")
VIA = {"email": "Mail", "web": "Web form", "api": "Web service (API)"}


def render(text: str, state: State, save: Save) -> str:
    """A template's text for a save; a placeholder that there is not becomes empty."""
    return _PLACE.sub(lambda found: _value(found[1], state, save), text)


def _value(name: str, state: State, save: Save) -> str:
    ticket = save.ticket
    if field := _FIELD.fullmatch(name):
        rows = {f["id"]: f["value"] for f in ticket["custom_fields"]}
        return _text(rows.get(int(field[1])))
    if name in _TICKET:
        return _text(_TICKET[name](ticket))
    about, _, what = name.removeprefix("ticket.").partition(".")
    if name.startswith("current_user."):
        return _text(state.users[save.actor_id].get(what))
    row = _related(about, state, ticket)
    names = {"language": "locale"}
    return _text(row.get(names.get(what, what))) if row and what in ("name", "email", "external_id", "language") else ""


def _related(about: str, state: State, ticket: Row) -> Row | None:
    if about in ("requester", "assignee"):
        return state.users.get(ticket[f"{about}_id"])
    if about == "organization":
        return state.organizations.get(ticket["organization_id"])
    if about == "group":
        return state.groups.get(ticket["group_id"])
    return {"name": "Acme"} if about == "brand" else None


def _text(value: Any) -> str:  # noqa: ANN401 - a ticket's value
    return "" if value is None else str(value)


_TICKET: dict[str, Callable[[Row], Any]] = {
    "ticket.id": lambda t: t["id"],
    "ticket.title": lambda t: t["subject"],
    "ticket.description": lambda t: t["description"],
    "ticket.status": lambda t: str(t["status"]).title(),
    "ticket.priority": lambda t: str(t["priority"] or "").title(),
    "ticket.ticket_type": lambda t: str(t["type"] or "").title(),
    "ticket.tags": lambda t: " ".join(t["tags"]),
    "ticket.link": lambda t: f"{HOST}/agent/tickets/{t['id']}",
    "ticket.url": lambda t: f"{HOST.removeprefix('https://')}/agent/tickets/{t['id']}",
    "ticket.via": lambda t: VIA.get(t["via"]["channel"], t["via"]["channel"]),
    "ticket.external_id": lambda t: t["external_id"],
    "ticket.due_date": lambda t: t["due_at"],
    "ticket.in_business_hours": lambda t: "true",
}
