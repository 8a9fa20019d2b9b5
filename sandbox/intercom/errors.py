"""Refusals in Intercom's shape. Source: Intercom's OpenAPI document 2.15, `error`; the codes as its examples have them."""

from __future__ import annotations

import uuid

from sandbox.base import Refusal


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Refusal:
    """One error in a list."""
    error = {"code": code, "message": message}
    return Refusal(status, {"type": "error.list", "request_id": str(uuid.uuid4()), "errors": [error]}, headers)


def not_found(message: str, code: str = "not_found") -> Refusal:
    return refusal(404, code, message)


def invalid(message: str, code: str = "parameter_invalid") -> Refusal:
    return refusal(400, code, message)
