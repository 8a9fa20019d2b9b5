"""Our changes in Zendesk's words. Pure.

Source: Zendesk tickets reference, "Update many tickets", read 2026-11: `additional_tags` and `remove_tags` leave all
other tags alone; `tags` would replace them and is never sent.
"""

from __future__ import annotations

import html
import re
from typing import Any

from integrations.kernel.records import Note, TicketChange

_SAME = frozenset({"status", "priority", "type", "subject", "group_id", "assignee_id", "external_id"})


def marker(key: str) -> str:
    """What a note of ours ends with, by which it is found again.

    A small visible line on purpose: Zendesk cleans HTML (comments, unknown attributes and hidden elements go), plain
    text survives every channel and export, and people may know which program wrote.
    """
    return f"deskbridge-ref:{key}"


def marker_pattern(key: str) -> re.Pattern[str]:
    """Finds this key's marker, and no longer key's that begins with it."""
    return re.compile(re.escape(html.escape(marker(key))) + r"(?![A-Za-z0-9_-])")


def ticket(change: TicketChange, *, tags: bool = True, ticket_id: bool = True) -> dict[str, Any]:
    """One ticket object of an update."""
    body: dict[str, Any] = {"id": int(change.ticket_id)} if ticket_id else {}
    for name, value in change.fields.items():
        if name == "custom_fields":
            body["custom_fields"] = [{"id": int(field), "value": v} for field, v in sorted(value.items())]
        elif name in _SAME:
            body[name] = int(value) if name in ("group_id", "assignee_id") and value is not None else value
        else:
            raise ValueError(f"{name} cannot be written to a Zendesk ticket")
    if change.note:
        body["comment"] = {"html_body": _note(change.note), "public": False}
    if tags and change.add_tags:
        body["additional_tags"] = list(change.add_tags)
    if tags and change.remove_tags:
        body["remove_tags"] = list(change.remove_tags)
    return body


def _note(note: Note) -> str:
    """A note's text as HTML, its lines kept; the marker in a small last line."""
    lines = html.escape(note.body).replace("\n", "<br>")
    return f"<p>{lines}</p><p><small>{html.escape(marker(note.key))}</small></p>"
