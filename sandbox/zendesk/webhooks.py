"""The webhooks API: make, read, change and delete webhooks, their secrets, and what became of their invocations.

Source: vendor sheet 1.2-1.5. No document of Zendesk's beside this project describes it: sandbox/zendesk/schemas.py does.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.base import Refusal
from sandbox.base.sender import LOOPBACK
from sandbox.zendesk import params
from sandbox.zendesk.errors import hook_error
from sandbox.zendesk.gate import acting
from sandbox.zendesk.hooks import CONDITIONAL, PREFIX, Hook, Hooks, new_secret
from sandbox.zendesk.kinds import KINDS
from sandbox.zendesk.routing import Api
from sandbox.zendesk.shapes import Row
from sandbox.zendesk.triggers import Triggers

NEEDED = ("name", "status", "endpoint", "http_method", "request_format", "subscriptions")
KNOWN = frozenset({*NEEDED, "description", "authentication", "custom_headers"})
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
AUTHENTICATION = {"bearer_token": {"token"}, "basic_auth": {"username", "password"}, "api_key": {"name", "value"}}


def routes(api: Api, hooks: Hooks, triggers: Triggers) -> None:
    """Put them on the app."""
    own = Webhooks(api, hooks, triggers)
    api.route("POST", "/webhooks", own.create, 201)
    api.route("GET", "/webhooks", own.listing)
    api.route("GET", "/webhooks/<hook_id>", own.show)
    api.route("PUT", "/webhooks/<hook_id>", own.replace)
    api.route("PATCH", "/webhooks/<hook_id>", own.change)
    api.route("DELETE", "/webhooks/<hook_id>", own.delete)
    api.route("GET", "/webhooks/<hook_id>/signing_secret", own.secret)
    api.route("POST", "/webhooks/<hook_id>/signing_secret", own.reset_secret, 201)
    api.route("GET", "/webhooks/<hook_id>/invocations", own.invocations)
    api.route("GET", "/webhooks/<hook_id>/invocations/<invocation_id>/attempts", own.attempts)


class Webhooks:
    """Views over the hooks."""

    def __init__(self, api: Api, hooks: Hooks, triggers: Triggers) -> None:
        self._state = api.state
        self._hooks = hooks
        self._triggers = triggers

    def _get(self, hook_id: str) -> Hook:
        if hook_id not in self._hooks.webhooks:
            raise hook_error(404, "WebhookNotFound", f"Webhook with ID {hook_id} not found")
        return self._hooks.webhooks[hook_id]

    def create(self) -> Row:
        params.known()
        wanted = params.wrapped("webhook")
        _check(wanted, NEEDED)
        now, user = self._state.now(), str(acting())
        row = {
            **wanted, "id": uuid.uuid4().hex.upper()[:26], "created_at": now, "created_by": user, "updated_at": now,
            "updated_by": user, "external_source": None,
        }  # fmt: skip
        return {"webhook": shown(self._hooks.add(row).row)}

    def listing(self) -> Row:
        params.known(*params.PAGING, "filter[name_contains]", "filter[status]")
        rows = [shown(hook.row) for hook in self._hooks.webhooks.values()]
        meta = {"has_more": False, "after_cursor": "", "before_cursor": ""}
        return {"webhooks": rows, "meta": meta, "links": {"prev": None, "next": None}}

    def show(self, hook_id: str) -> Row:
        params.known()
        return {"webhook": shown(self._get(hook_id).row)}

    def replace(self, hook_id: str) -> None:
        self._change(hook_id, NEEDED)

    def change(self, hook_id: str) -> None:
        self._change(hook_id, ())

    def _change(self, hook_id: str, needed: tuple[str, ...]) -> None:
        params.known()
        row, wanted = self._get(hook_id).row, params.wrapped("webhook")
        _check({**row, **wanted} if not needed else wanted, needed)
        if is_conditional(row) != is_conditional({**row, **wanted}):
            raise hook_error(400, "InvalidSubscriptions", "the kind of a webhook cannot be changed")
        row |= {**wanted, "updated_at": self._state.now(), "updated_by": str(acting())}

    def delete(self, hook_id: str) -> None:
        params.known()
        self._get(hook_id)
        if self._triggers.using(hook_id):
            raise hook_error(400, "WebhookInUse", "the webhook is connected to a trigger")
        del self._hooks.webhooks[hook_id]

    def secret(self, hook_id: str) -> Row:
        params.known()
        return {"signing_secret": {"algorithm": "SHA256", "secret": self._get(hook_id).secret}}

    def reset_secret(self, hook_id: str) -> Row:
        hook = self._get(hook_id)
        hook.secret = new_secret()
        return self.secret(hook_id)

    def invocations(self, hook_id: str) -> Row:
        params.known(*params.PAGING, "filter[status]")
        rows = [
            {"id": i["id"], "status": _state(i["attempts"]), "status_code": i["attempts"][-1]["status"] if i["attempts"]
             else None, "latest_completed_at": i["attempts"][-1]["at"] if i["attempts"] else None}
            for i in reversed(self._get(hook_id).invocations.values())
        ]  # fmt: skip
        return {"invocations": rows, "meta": {"has_more": False, "after_cursor": "", "before_cursor": ""}}

    def attempts(self, hook_id: str, invocation_id: str) -> Row:
        params.known()
        found = self._get(hook_id).invocations.get(invocation_id)
        if found is None:
            raise hook_error(404, "InvocationNotFound", f"Invocation with ID {invocation_id} not found")
        rows = [
            {"id": f"{invocation_id}-{n}", "invocation_id": invocation_id, "status": _state([one]),
             "status_code": one["status"], "completed_at": one["at"]}
            for n, one in enumerate(found["attempts"], 1)
        ]  # fmt: skip
        return {"attempts": rows}


def is_conditional(row: Mapping[str, Any]) -> bool:
    """Is it connected to triggers, rather than subscribed to events?"""
    return row.get("subscriptions") == [CONDITIONAL]


def shown(row: Mapping[str, Any]) -> Row:
    """Stored credentials cannot be read back."""
    answer = dict(row)
    if isinstance(answer.get("authentication"), dict):
        answer["authentication"] = {k: v for k, v in answer["authentication"].items() if k != "data"}
    return answer


def _state(attempts: list[Row]) -> str:
    if not attempts:
        return "pending"
    status = attempts[-1]["status"]
    return "timeout" if status is None else "success" if status < 400 else "client_error" if status < 500 else "error"


def _check(wanted: Mapping[str, Any], needed: tuple[str, ...]) -> None:
    """Raises 400 in the webhooks API's form."""
    missing = [name for name in needed if not wanted.get(name)]
    if missing:
        errors = [{"code": "InvalidParameter", "title": f"{name} is required"} for name in missing]
        raise Refusal(400, {"errors": errors})
    if needed and (unknown := sorted(set(wanted) - KNOWN)):
        raise hook_error(400, "InvalidParameter", f"{unknown[0]} is not expected")
    for name, allowed in (("status", ("active", "inactive")), ("http_method", METHODS),
                          ("request_format", ("json", "xml", "form_encoded"))):  # fmt: skip
        if wanted[name] not in allowed:
            raise hook_error(400, "InvalidParameter", f"{name} must be one of {', '.join(allowed)}")
    parts = urlsplit(str(wanted["endpoint"]))
    if parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK:
        raise hook_error(400, "InvalidEndpoint", "endpoint: the sandbox sends to loopback addresses only")
    _subscriptions(wanted)
    _credentials(wanted.get("authentication"))


def _subscriptions(wanted: Mapping[str, Any]) -> None:
    kinds = wanted["subscriptions"]
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise hook_error(400, "InvalidSubscriptions", "subscriptions must be a list")
    if CONDITIONAL in kinds:
        if len(kinds) > 1:
            raise hook_error(400, "InvalidSubscriptions", f"{CONDITIONAL} excludes all other subscriptions")
        return
    if unknown := [kind for kind in kinds if kind.removeprefix(PREFIX) not in KINDS or not kind.startswith(PREFIX)]:
        raise hook_error(400, "InvalidSubscriptions", f"{unknown[0]} is not an event type")
    if (wanted["http_method"], wanted["request_format"]) != ("POST", "json"):
        raise hook_error(400, "InvalidParameter", "event subscriptions are sent by POST as json")


def _credentials(wanted: Any) -> None:  # noqa: ANN401 - JSON
    if wanted is None:
        return
    data, kind = (wanted.get("data"), wanted.get("type")) if isinstance(wanted, dict) else (None, None)
    if not isinstance(data, dict) or kind not in AUTHENTICATION or set(data) != AUTHENTICATION[kind]:
        raise hook_error(400, "InvalidParameter", "authentication: a known type with its data is required")
