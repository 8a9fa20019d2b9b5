"""What a write must keep to, field by field. Raises Failed with the code of vendor sheet 4.3."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sandbox.salesforce.errors import Failed
from sandbox.salesforce.kinds import Field

_MAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
_NUMBERS = frozenset({"int", "double", "currency", "percent"})
_TEXTS = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "reference"})


def check(kind: str, fields: Mapping[str, Field], body: Mapping[str, Any], *, new: bool) -> None:
    """Names, types, lengths, picklists, addresses and, of a new record, what is required."""
    for name, value in body.items():
        if name not in fields:
            raise Failed("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind}")
        if not fields[name].writable:
            raise Failed("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {name}.", (name,))
        if value is not None:
            _value(fields[name], value)
    empty = (None, "")
    missing = [n for n, f in fields.items() if f.required and (new or n in body) and body.get(n) in empty]
    if missing:
        raise Failed("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", tuple(missing))


def _value(field: Field, value: Any) -> None:  # noqa: ANN401 - JSON
    if not _fits(field.kind, value):
        message = f"{field.name}: value not of required type: {field.kind}"
        raise Failed("INVALID_TYPE_ON_FIELD_IN_RECORD", message, (field.name,))
    if isinstance(value, str) and field.length and len(value) > field.length:
        message = f"{field.name}: data value too large (max length={field.length})"
        raise Failed("STRING_TOO_LONG", message, (field.name,))
    if field.kind == "email" and value and not _MAIL.fullmatch(value):
        raise Failed("INVALID_EMAIL_ADDRESS", f"{field.name}: invalid email address", (field.name,))
    if field.restricted and value not in field.values:
        message = f"{field.name}: bad value for restricted picklist field"
        raise Failed("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (field.name,))


def _fits(kind: str, value: Any) -> bool:  # noqa: ANN401 - JSON
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in _NUMBERS:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not isinstance(value, str):
        return False
    try:
        return kind in _TEXTS or bool(date.fromisoformat(value) if kind == "date" else datetime.fromisoformat(value))
    except ValueError:
        return False
