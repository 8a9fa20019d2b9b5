"""Ticket values as one flat mapping, each custom field under its own name, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CUSTOM = "custom_fields"
_DOT = CUSTOM + "."


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name; `custom_fields` itself says only that they are known. Tags: a sorted, lower-case set."""
    told = {name: value for name, value in values.items() if name != CUSTOM}
    if "tags" in told:
        told["tags"] = sorted({str(tag).lower() for tag in told["tags"] or ()})
    if CUSTOM in values:
        told[CUSTOM] = {}
        told |= {f"{_DOT}{field_id}": value for field_id, value in (values[CUSTOM] or {}).items()}
    return told


def nested(told: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse: a TicketValues."""
    values = {name: value for name, value in told.items() if not name.startswith(_DOT) and name != CUSTOM}
    custom = {name.removeprefix(_DOT): value for name, value in told.items() if name.startswith(_DOT)}
    return {**values, CUSTOM: custom} if custom or CUSTOM in told else values
