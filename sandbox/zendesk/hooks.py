"""Webhooks of the simulated Zendesk: both kinds, signed, with Zendesk's own retries.

Source: vendor sheet 1.2-1.5: 409 three times, 429 and 503 only with a Retry-After below 60 s, time-outs five times.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from integrations.kernel.clock import iso, utc_now
from sandbox.base import Endpoint, Ledger, Sender
from sandbox.zendesk.state import State, detail


def sign(secret: str, body: bytes) -> Mapping[str, str]:
    """Headers of a delivery, signed now."""
    stamp = iso(utc_now().replace(microsecond=0))
    digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return {
        "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
        "X-Zendesk-Webhook-Invocation-Id": secrets.token_hex(13).upper(),
        "X-Zendesk-Account-Id": "22129848",
    }


def retry(attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
    """Seconds until the next try, or None: given up."""
    if status is None:
        return 2.0 if attempt <= 5 else None
    if status == 409:
        return 2.0 if attempt <= 3 else None
    after = headers.get("Retry-After", "")
    if status in (429, 503) and after.isdigit() and int(after) < 60:
        return float(after) if attempt <= 3 else None
    return None


class Hooks:
    """The webhooks of the account, and what fires them."""

    def __init__(self, state: State, sender: Sender, ledger: Ledger) -> None:
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.triggers: dict[str, dict[str, Any]] = {}
        self._state = state
        self._sender = sender
        self._ledger = ledger
        state.listeners.append(self.on_event)

    def add(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """A new webhook with a secret of its own."""
        now = self._state.now()
        hook = {
            **wanted,
            "id": uuid.uuid4().hex.upper()[:26],
            "created_at": now,
            "updated_at": now,
            "created_by": "500",
        }
        hook["_secret"] = base64.b64encode(secrets.token_bytes(24)).decode()
        self.webhooks[hook["id"]] = hook
        return hook

    def _endpoint(self, hook: Mapping[str, Any]) -> Endpoint:
        return Endpoint(hook["id"], hook["endpoint"], hook["_secret"], sign)

    def on_event(self, ticket: dict[str, Any], kind: str, event: dict[str, Any], actor_id: int, position: int) -> None:
        """Send to every active webhook that is subscribed, and run the triggers."""
        name = f"zen:event-type:ticket.{kind}"
        sequence = {"meta": {"sequence": {"id": f"{ticket['id']}{ticket['updated_at']}", "position": position}}}
        for hook in self.webhooks.values():
            if hook["status"] == "active" and name in hook["subscriptions"]:
                body = {
                    "account_id": 22129848, "detail": detail(ticket, actor_id), "event": {**event, **sequence},
                    "id": str(uuid.uuid4()), "subject": f"zen:ticket:{ticket['id']}",
                    "time": iso(utc_now()).replace("Z", "515Z"), "type": name, "zendesk_event_version": "2022-11-06",
                }  # fmt: skip
                self._sender.send(self._endpoint(hook), body["id"], body)
        if kind in ("created", "comment_added", "status_changed"):
            self._run_triggers(ticket, actor_id)

    def _run_triggers(self, ticket: dict[str, Any], actor_id: int) -> None:
        for trigger in self.triggers.values():
            for action in trigger["actions"]:
                if action["field"] == "notification_webhook" and trigger.get("active", True):
                    hook_id, template = action["value"]
                    key = f"trigger-{uuid.uuid4().hex}"
                    text = re.sub(r"\{\{([a-z_.]+)\}\}", lambda m: self._value(m[1], ticket, actor_id), template)
                    self._sender.send(self._endpoint(self.webhooks[hook_id]), key, _Raw(text).json())

    def _value(self, name: str, ticket: dict[str, Any], actor_id: int) -> str:
        users = self._state.users
        values = {
            "ticket.id": ticket["id"], "ticket.status": str(ticket["status"]).title(), "ticket.priority":
            str(ticket["priority"] or "").title(), "ticket.tags": " ".join(ticket["tags"]), "ticket.via": "Mail",
            "ticket.requester.email": users[ticket["requester_id"]]["email"],
            "current_user.email": users[actor_id]["email"],
        }  # fmt: skip
        return str(values.get(name, ""))


class _Raw:
    """A rendered template: an admin's text that happens to be JSON."""

    def __init__(self, text: str) -> None:
        self._text = text

    def json(self) -> Any:  # noqa: ANN401 - JSON
        import json

        return json.loads(self._text)
