"""Our changes as Intercom's calls, in the order in which they are safe to repeat. Pure.

Source: Intercom's OpenAPI document 2.15, read 2026-11: `PUT /conversations/{id}` takes read, title, custom attributes and
company; `/parts` closes, opens, snoozes and assigns; nothing there writes a priority or a kind.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integrations.kernel.records import Note, TicketChange

NOBODY = "0"


class NotPossible(ValueError):
    """A change Intercom has no call for. Its text is for people."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: path below the host, body."""

    method: str
    path: str
    body: Mapping[str, Any]


def marker(key: str) -> str:
    """What a note of ours ends with, by which it is found again: plain text, which survives Intercom's cleaning of HTML."""
    return f"deskbridge-ref:{key}"


def marker_pattern(key: str) -> re.Pattern[str]:
    """Finds this key's marker, and no longer key's that begins with it."""
    return re.compile(re.escape(html.escape(marker(key))) + r"(?![A-Za-z0-9_-])")


def calls(change: TicketChange, admin_id: str, now: datetime, snooze_h: float) -> list[Call]:
    """Everything of a change but its tags: values first, then who works on it and its state, the note last.

    Raises:
        NotPossible: before anything is sent.
    """
    base = f"/conversations/{change.ticket_id}"
    found = [Call("PUT", base, values)] if (values := _values(change.fields)) else []
    for name, kind in (("assignee_id", "admin"), ("group_id", "team")):
        if name in change.fields:
            to = str(change.fields[name] or NOBODY)
            found.append(Call("POST", f"{base}/parts", {
                "message_type": "assignment", "type": kind, "admin_id": admin_id, "assignee_id": to,
            }))  # fmt: skip
    if "status" in change.fields:
        found.append(Call("POST", f"{base}/parts", _state(change.fields["status"], admin_id, now, snooze_h)))
    if change.note:
        found.append(Call("POST", f"{base}/reply", _note(change.note, admin_id)))
    return found


def _values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the conversation's own update; empty when nothing of it is wanted."""
    body: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "custom_fields":
            body["custom_attributes"] = dict(sorted(value.items()))
        elif name == "subject":
            body["title"] = value or ""
        elif name not in ("status", "assignee_id", "group_id"):
            raise NotPossible(f"Intercom's API cannot write the {name} of a conversation. Leave it out of the rule.")
    return body


def _state(status: Any, admin_id: str, now: datetime, snooze_h: float) -> dict[str, Any]:  # noqa: ANN401 - of a rule
    if status == "open":
        return {"message_type": "open", "admin_id": admin_id}
    if status == "solved":
        return {"message_type": "close", "type": "admin", "admin_id": admin_id}
    if status == "hold":
        until = int((now + timedelta(hours=snooze_h)).timestamp())
        return {"message_type": "snoozed", "admin_id": admin_id, "snoozed_until": until}
    raise NotPossible(f"An Intercom conversation cannot be {status}: it is open, solved (closed) or on hold (snoozed).")


def _note(note: Note, admin_id: str) -> dict[str, Any]:
    """An internal note as HTML, its lines kept, the marker in a line of its own."""
    lines = html.escape(note.body).replace("\n", "<br>")
    body = f"<p>{lines}</p><p>{html.escape(marker(note.key))}</p>"
    return {"message_type": "note", "type": "admin", "admin_id": admin_id, "body": body}
