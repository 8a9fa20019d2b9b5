"""Zendesk's values in our words: ids come as text or numbers, enums in capitals, times with up to nine digits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.kernel.clock import iso, parse_iso
from integrations.kernel.records import TicketValues

_TEXTS = {
    "external_id": "external_id", "group_id": "group_id", "organization_id": "organization_id",
    "requester_id": "requester_id", "submitter_id": "submitter_id", "assignee_id": "assignee_id",
    "brand_id": "brand_id", "form_id": "form_id", "ticket_form_id": "form_id", "subject": "subject",
    "description": "description",
}  # fmt: skip
# Events and the API have different words for the same channels (seen in recordings of both).
_CHANNELS = {"mail": "email", "web_service": "api", "web_form": "web"}
_ENUMS = ("status", "priority", "type")
# States of Zendesk's storage, seen in events (2), as what they are for whoever works with the ticket.
_STORED_AS = {"archived": "closed", "scrubbed": "deleted"}


def values_of(data: Mapping[str, Any]) -> TicketValues:
    """Ticket values from an event's detail or an API ticket: the same names in both, where they are given.

    Raises:
        ValueError, KeyError, TypeError: a time or a list in no shape of theirs.
    """
    values: dict[str, Any] = {ours: text(data[theirs]) for theirs, ours in _TEXTS.items() if theirs in data}
    values |= {name: enum(data[name]) for name in _ENUMS if name in data}
    if values.get("status") in _STORED_AS:
        values["status"] = _STORED_AS[values["status"]]
    if "tags" in data:
        values["tags"] = words(data["tags"])
    via = data.get("via")
    if isinstance(via, Mapping) and via.get("channel"):
        channel = str(via["channel"]).lower()
        values["channel"] = _CHANNELS.get(channel, channel)
    if "is_public" in data:
        values["is_public"] = data["is_public"] is True
    for name in ("created_at", "updated_at"):
        if isinstance(data.get(name), str):
            values[name] = iso(parse_iso(data[name]))
    if isinstance(data.get("custom_fields"), list):
        values["custom_fields"] = {str(f["id"]): clean(f.get("value")) for f in data["custom_fields"]}
    return values  # type: ignore[return-value]


def text(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    """Text, or None for no value."""
    return None if value is None or value == "" else str(value).replace("\x00", "")


def enum(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    """A word in lower case."""
    return value.lower() if isinstance(value, str) and value else None


def words(value: Any) -> list[str]:  # noqa: ANN401 - a JSON value
    """Tags: sorted, lower case, each once."""
    return sorted({str(word).lower().replace("\x00", "") for word in value}) if isinstance(value, list) else []


def clean(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    """Without the one character that no PostgreSQL text can hold."""
    if isinstance(value, list):
        return [clean(one) for one in value]
    return value.replace("\x00", "") if isinstance(value, str) else value
