"""Refusals in Zendesk's words: `error` and `description` in the Support API, `errors[]` in the webhooks API.

Source: vendor sheet 1.6; recorded 404; the sentences of 401 and 403 as widely quoted (R).
"""

from __future__ import annotations

from sandbox.base import Refusal


def refusal(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> Refusal:
    """The Support API's plain form."""
    return Refusal(status, {"error": error, "description": description}, headers)


def not_found() -> Refusal:
    return refusal(404, "RecordNotFound", "Not found")


def invalid(field: str, why: str, error: str = "InvalidValue") -> Refusal:
    """422 with the field that is wrong."""
    details = {field: [{"description": f"{field}: {why}", "error": error}]}
    return Refusal(422, {"error": "RecordInvalid", "description": "Record validation errors", "details": details})


def bad_request(description: str, error: str = "InvalidParameter") -> Refusal:
    return refusal(400, error, description)


def conflict() -> Refusal:
    """409: safe_update with a stamp that is not the ticket's."""
    return refusal(409, "UpdateConflict", "Safe Update prevented the update: the ticket has changed since it was read")


def unknown_token() -> Refusal:
    words = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return Refusal(401, {"error": "invalid_token", "error_description": words}, {"WWW-Authenticate": "Bearer"})


def unknown_user() -> Refusal:
    return Refusal(401, {"error": "Couldn't authenticate you"})


def missing_scope(needed: str) -> Refusal:
    return refusal(403, "Forbidden", f"Missing the following required scopes: {needed}")


def not_permitted() -> Refusal:
    return refusal(403, "Forbidden", "You do not have access to this page.")


def too_many(wait_s: int, headers: dict[str, str] | None = None) -> Refusal:
    words = "Number of allowed API requests per minute exceeded"
    return refusal(429, "APIRateLimitExceeded", words, {"Retry-After": str(wait_s), **(headers or {})})


def hook_error(status: int, code: str, title: str) -> Refusal:
    """The webhooks API's form."""
    return Refusal(status, {"errors": [{"code": code, "title": title}]})
