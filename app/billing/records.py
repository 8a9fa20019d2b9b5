"""Records to JSON rows: money as {"minor", "currency"}, times as ISO text, decimals as text."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.kernel.billing import KIND_OF, Gone
from integrations.kernel.clock import iso
from integrations.kernel.money import Money


def to_json(value: Any) -> Any:  # noqa: ANN401 - any part of a record
    """A record, or any part of one, as JSON."""
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    return value


def row(connection_id: str, record: Any, as_of: datetime) -> dict[str, Any]:  # noqa: ANN401 - a kernel.billing record
    """The row of a record; a `Gone` keeps what was known and marks it."""
    gone = isinstance(record, Gone)
    data = {} if gone else to_json(record)
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return {
        "connection_id": connection_id,
        "kind": record.kind if gone else KIND_OF[type(record)],
        "id": record.id,
        "payer_id": record.payer_id or "",
        "charge_id": getattr(record, "charge_id", ""),
        "as_of": as_of,
        "digest": hashlib.sha256(f"{gone}{text}".encode()).digest()[:16],
        "gone": gone,
        "data": data,
    }
