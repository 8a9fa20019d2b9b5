"""Schemas of our own, for what the vendor's document does not describe: deliveries, and refusals the way we rely on them.

Source: vendor sheet 2.1 and 2.3; the recorded deliveries validate against the first.
"""

from __future__ import annotations

from typing import Any

NUMBER = {"type": "integer"}
TEXT = {"type": "string", "minLength": 1}

DELIVERY: dict[str, Any] = {
    "type": "object",
    "required": ["type", "id", "topic", "app_id", "created_at", "first_sent_at", "delivery_attempts", "data", "self"],
    "properties": {
        "type": {"const": "notification_event"}, "id": {"type": "string", "pattern": "^notif_[A-Za-z0-9-]+$"},
        "topic": {"type": "string", "pattern": "^[a-z_.]+$"}, "app_id": TEXT, "created_at": NUMBER,
        "first_sent_at": NUMBER, "delivery_attempts": NUMBER, "delivered_at": NUMBER, "delivery_status": TEXT,
        "links": {"type": "object"}, "self": {"type": ["string", "null"]},
        "data": {
            "type": "object", "required": ["type", "item"],
            "properties": {
                "type": {"const": "notification_event_data"},
                "item": {"type": "object", "required": ["type", "id"], "properties": {"type": TEXT, "id": TEXT}},
            },
        },
    },
    "additionalProperties": False,
}  # fmt: skip
SIGNATURE = r"sha1=[0-9a-f]{40}"

ERROR: dict[str, Any] = {
    "type": "object", "required": ["type", "request_id", "errors"], "additionalProperties": False,
    "properties": {
        "type": {"const": "error.list"}, "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array", "minItems": 1,
            "items": {
                "type": "object", "required": ["code", "message"], "additionalProperties": False,
                "properties": {"code": TEXT, "message": TEXT, "field": {"type": ["string", "null"]}},
            },
        },
    },
}  # fmt: skip
