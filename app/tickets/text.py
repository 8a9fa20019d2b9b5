"""Ticket values as JSON that PostgreSQL takes: texts come from strangers and may hold what a database refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def to_json(values: Mapping[str, Any]) -> str:
    """JSON text; NUL and lone surrogates become the replacement character, numbers that are none become null."""
    text = json.dumps(values, separators=(",", ":"))
    if "\\u0000" in text or "\\ud" in text or "NaN" in text or "Infinity" in text:
        return json.dumps(_storable(values), separators=(",", ":"))
    return text


def _storable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return _UNSTORABLE.sub(_REPLACEMENT, value)
    if isinstance(value, Mapping):
        return {_storable(name): _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
