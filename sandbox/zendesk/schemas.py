"""Schemas of our own, for what no document of Zendesk's beside this project describes, and which traffic they judge.

Tokens, the webhooks API, refusals and deliveries. Source: vendor sheet 1.1 to 1.6, read 2026-11.
"""

from __future__ import annotations

import re
from typing import Any, Final

_TEXT: Final = {"type": "string", "minLength": 1}
_TIME: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
_ID_TEXT: Final = {"type": ["string", "null"], "pattern": "^[0-9]+$"}


def _object(required: dict[str, Any], **others: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    """An object with these names and no others."""
    return {
        "type": "object", "required": list(required), "properties": {**required, **others},
        "additionalProperties": False,
    }  # fmt: skip


TOKEN_ASKED: Final = _object(
    {"grant_type": {"const": "client_credentials"}, "client_id": _TEXT, "client_secret": _TEXT},
    scope=_TEXT, expires_in={"type": "integer", "exclusiveMinimum": 300, "exclusiveMaximum": 172_800},
)  # fmt: skip
TOKEN: Final = _object(
    {"access_token": _TEXT, "token_type": {"const": "bearer"}, "scope": _TEXT, "expires_in": {"type": "integer"}},
    refresh_token={"type": "null"},
)
TOKEN_REFUSED: Final = _object({"error": _TEXT, "error_description": _TEXT})

_WEBHOOK_WANTED: Final = {
    "name": _TEXT, "status": {"enum": ["active", "inactive"]}, "endpoint": {"type": "string", "pattern": "^https?://"},
    "http_method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
    "request_format": {"enum": ["json", "xml", "form_encoded"]},
    "subscriptions": {
        "type": "array", "minItems": 1, "uniqueItems": True,
        "anyOf": [
            {"items": {"type": "string", "pattern": r"^zen:event-type:[a-z_]+\.[a-z_]+$"}},
            {"maxItems": 1, "items": {"const": "conditional_ticket_events"}},
        ],
    },
}  # fmt: skip
_WEBHOOK_MORE: Final = {
    "description": {"type": "string"}, "custom_headers": {"type": "object"},
    "authentication": {"type": "object", "required": ["type"]},
}  # fmt: skip
_WEBHOOK: Final = _object(
    {**_WEBHOOK_WANTED, "id": {"type": "string", "pattern": "^[0-9A-Z]{26}$"}, "created_at": _TIME, "updated_at": _TIME,
     "created_by": _TEXT, "updated_by": _TEXT, "external_source": {"type": "null"}},
    **_WEBHOOK_MORE,
)  # fmt: skip
_META: Final = {"type": "object", "required": ["has_more", "after_cursor", "before_cursor"]}
WEBHOOK_ASKED: Final = _object({"webhook": _object(_WEBHOOK_WANTED, **_WEBHOOK_MORE)})
WEBHOOK_CHANGED: Final = _object(
    {"webhook": {"type": "object", "properties": {**_WEBHOOK_WANTED, **_WEBHOOK_MORE}, "additionalProperties": False}}
)
WEBHOOK: Final = _object({"webhook": _WEBHOOK})
WEBHOOKS: Final = _object(
    {"webhooks": {"type": "array", "items": _WEBHOOK}, "meta": _META, "links": {"type": "object"}}
)
SECRET: Final = _object({"signing_secret": _object({"algorithm": {"const": "SHA256"}, "secret": _TEXT})})
_STATUS: Final = {"enum": ["pending", "success", "client_error", "error", "timeout"]}
_CODE: Final = {"type": ["integer", "null"]}
INVOCATIONS: Final = _object({
    "invocations": {"type": "array", "items": _object(
        {"id": _TEXT, "status": _STATUS, "status_code": _CODE, "latest_completed_at": {"type": ["string", "null"]}}
    )},
    "meta": _META,
})  # fmt: skip
ATTEMPTS: Final = _object({
    "attempts": {"type": "array", "items": _object(
        {"id": _TEXT, "invocation_id": _TEXT, "status": _STATUS, "status_code": _CODE, "completed_at": _TIME}
    )},
})  # fmt: skip
HOOK_ERROR: Final = _object(
    {"errors": {"type": "array", "minItems": 1, "items": _object({"code": _TEXT, "title": _TEXT})}}
)

ERROR: Final = {  # of the Support API
    "anyOf": [
        _object({"error": _TEXT}, description=_TEXT, details={
            "type": "object", "minProperties": 1,
            "additionalProperties": {"type": "array", "minItems": 1,
                                     "items": _object({"description": _TEXT, "error": _TEXT})},
        }),
        TOKEN_REFUSED,
    ],
}  # fmt: skip

DELIVERY: Final = _object({
    "account_id": {"type": "integer"}, "detail": {"type": "object", "required": ["id", "actor_id", "updated_at"],
                                                  "properties": {"id": _ID_TEXT, "actor_id": _ID_TEXT,
                                                                 "requester_id": _ID_TEXT, "updated_at": _TIME,
                                                                 "tags": {"type": ["array", "null"]}}},
    "event": {"type": "object"}, "id": {"type": "string", "pattern": "^[0-9a-f-]{36}$"},
    "subject": {"type": "string", "pattern": "^zen:(ticket|user|organization):[0-9]+$"},
    "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$"},
    "type": {"type": "string", "pattern": r"^zen:event-type:(ticket|user|organization)\.[a-z_]+$"},
    "zendesk_event_version": {"const": "2022-11-06"},
})  # fmt: skip

# (method, path, schema of the request's body, schema by status); None: empty. 4xx of the webhooks API: HOOK_ERROR.
OPERATIONS: Final[tuple[tuple[str, str, Any, dict[int, Any]], ...]] = (
    ("POST", r"/oauth/tokens", TOKEN_ASKED, {200: TOKEN, 400: TOKEN_REFUSED, 401: TOKEN_REFUSED}),
    ("POST", r"/api/v2/webhooks", WEBHOOK_ASKED, {201: WEBHOOK}),
    ("GET", r"/api/v2/webhooks", None, {200: WEBHOOKS}),
    ("GET", r"/api/v2/webhooks/[^/]+", None, {200: WEBHOOK}),
    ("PUT", r"/api/v2/webhooks/[^/]+", WEBHOOK_ASKED, {204: None}),
    ("PATCH", r"/api/v2/webhooks/[^/]+", WEBHOOK_CHANGED, {204: None}),
    ("DELETE", r"/api/v2/webhooks/[^/]+", None, {204: None}),
    ("GET", r"/api/v2/webhooks/[^/]+/signing_secret", None, {200: SECRET}),
    ("POST", r"/api/v2/webhooks/[^/]+/signing_secret", None, {201: SECRET}),
    ("GET", r"/api/v2/webhooks/[^/]+/invocations", None, {200: INVOCATIONS}),
    ("GET", r"/api/v2/webhooks/[^/]+/invocations/[^/]+/attempts", None, {200: ATTEMPTS}),
)
PREFIXES: Final = ("/oauth/", "/api/v2/webhooks")  # what the document knows nothing of


def find(method: str, path: str) -> tuple[Any, dict[int, Any]] | None:
    """(schema of the request's body, schemas by status) of an operation of ours; None for one that we do not know."""
    path = path.partition("?")[0].removesuffix(".json")
    for verb, pattern, asked, answers in OPERATIONS:
        if verb == method and re.fullmatch(pattern, path):
            return asked, {400: HOOK_ERROR, 404: HOOK_ERROR, 401: ERROR, 403: ERROR, 429: ERROR, **answers}
    return None
