"""Schemas of our own, for what the vendor's document does not describe: refusals and webhook deliveries.

Source: vendor sheet 3.1 to 3.3; stripe-python 16.1.0 `error.py` and `_webhook.py`, read 2026-11.
"""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final = {"type": "string", "minLength": 1}

ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "request_log_url"],
            "additionalProperties": False,
            "properties": {
                "code": _TEXT,
                "doc_url": {"type": "string", "pattern": "^https://stripe.com/docs/error-codes/[a-z-]+$"},
                "message": _TEXT,
                "param": _TEXT,
                "request_log_url": {"type": "string", "pattern": "^https://dashboard.stripe.com/"},
                "type": {
                    "enum": [
                        "api_error", "card_error", "idempotency_error", "invalid_request_error", "rate_limit_error",
                    ],
                },
            },
        },
    },
}  # fmt: skip

DELIVERY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "object", "api_version", "created", "data", "livemode", "pending_webhooks", "request", "type"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^evt_"},
        "object": {"const": "event"},
        "api_version": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}"},
        "created": {"type": "integer"},
        "data": {
            "type": "object",
            "required": ["object"],
            "additionalProperties": False,
            "properties": {"object": {"type": "object", "required": ["id", "object"]},
                           "previous_attributes": {"type": "object", "minProperties": 1}},
        },
        "livemode": {"const": False},
        "pending_webhooks": {"type": "integer", "minimum": 1},
        "request": {
            "type": "object",
            "required": ["id", "idempotency_key"],
            "properties": {"id": {"type": ["string", "null"]}, "idempotency_key": {"type": ["string", "null"]}},
        },
        "type": {"type": "string", "pattern": r"^[a-z_]+(\.[a-z_]+)+$"},
    },
}  # fmt: skip

SIGNATURE: Final = r"t=\d+(,v1=[0-9a-f]{64})+"  # of the header Stripe-Signature
