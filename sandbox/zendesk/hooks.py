"""Webhooks of both kinds at work: whom to tell, signed deliveries with Zendesk's own retries, and its circuit breaker.

Source: vendor sheet 1.2-1.5: 409 three times, 429 and 503 only with a Retry-After below 60 s, time-outs five times;
the breaker at 70 % failures or over 1,000 errors in 5 minutes (2; how long it stays open and how many calls a share is
taken of is R).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.kernel.clock import iso, utc_now
from sandbox.base import Context, Endpoint, Ledger, Sender
from sandbox.zendesk.happening import envelope
from sandbox.zendesk.shapes import ACCOUNT_ID, Row
from sandbox.zendesk.state import State

CONDITIONAL = "conditional_ticket_events"
PREFIX = "zen:event-type:"
KEPT = 100  # invocations of a webhook that can be looked at
WINDOW_S, OPEN_S, LEAST, FAILING, ERRORS = 300.0, 300.0, 100, 0.7, 1000
RETRY_S = 2.0  # the pause is not documented


def sign(secret: str, body: bytes) -> Mapping[str, str]:
    """The two headers of a signature, made now."""
    stamp = iso(utc_now().replace(microsecond=0))
    digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return {
        "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
    }


def retry(attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
    """Seconds until the next try, or None: given up."""
    if status is None:
        return RETRY_S if attempt <= 5 else None
    if status == 409:
        return RETRY_S if attempt <= 3 else None
    after = headers.get("Retry-After", "")
    if status in (429, 503) and after.isdigit() and int(after) < 60:
        return float(after) if attempt <= 3 else None
    return None


class Breaker:
    """Stops sending to an endpoint that fails."""

    def __init__(self, context: Context) -> None:
        self._factor = context.time_factor
        self._calls: deque[tuple[float, bool]] = deque()
        self._until = 0.0

    def is_open(self) -> bool:
        return time.monotonic() < self._until

    def told(self, ok: bool) -> None:
        """One more attempt's outcome."""
        now = time.monotonic()
        self._calls.append((now, ok))
        while self._calls[0][0] < now - WINDOW_S / self._factor:
            self._calls.popleft()
        failed = sum(not one for _, one in self._calls)
        if failed > ERRORS or (len(self._calls) >= LEAST and failed >= FAILING * len(self._calls)):
            self._until = now + OPEN_S / self._factor
            self._calls.clear()


@dataclass(slots=True)
class Hook:
    """A webhook, its secret and what became of its latest invocations, by id, oldest first."""

    row: Row
    secret: str
    breaker: Breaker
    invocations: dict[str, Row] = field(default_factory=dict)


class Hooks:
    """The webhooks of the account."""

    def __init__(self, state: State, sender: Sender, ledger: Ledger) -> None:
        self.webhooks: dict[str, Hook] = {}
        self._state = state
        self._sender = sender
        self._ledger = ledger
        state.listeners.append(self._on_event)

    def add(self, row: Row) -> Hook:
        """A new webhook with a secret of its own."""
        hook = self.webhooks[row["id"]] = Hook(row, new_secret(), Breaker(self._state.context))
        return hook

    def _on_event(self, row: Row, kind: str, event: Row, actor_id: int, position: int) -> None:
        """Send to every active webhook that is subscribed."""
        for hook in self.webhooks.values():
            if hook.row["status"] == "active" and PREFIX + kind in hook.row["subscriptions"]:
                body = envelope(kind, row, event, actor_id, self._state.moment())
                self._deliver(hook, body["id"], body)

    def conditional(self, hook_id: str, text: str) -> None:
        """What a trigger sends: an admin's rendered text, JSON or not. It has no id: the ledger keeps what was signed."""
        hook = self.webhooks.get(hook_id)
        if hook is not None and hook.row["status"] == "active":
            self._deliver(hook, f"trigger-{uuid.uuid4().hex}", text.encode())

    def _deliver(self, hook: Hook, key: str, body: Any) -> None:  # noqa: ANN401 - a document, or text as it goes
        invocation = secrets.token_hex(13).upper()
        hook.invocations[invocation] = {"id": invocation, "key": key, "at": self._state.now(), "attempts": []}
        while len(hook.invocations) > KEPT:
            del hook.invocations[next(iter(hook.invocations))]
        self._sender.send(self._endpoint(hook, key, invocation), key, body)

    def _endpoint(self, hook: Hook, key: str, invocation: str) -> Endpoint:
        """One delivery's way: the same invocation at each attempt, the signature made anew with the secret of then."""
        conditional = hook.row["subscriptions"] == [CONDITIONAL]
        signed_as: list[str] = []

        def signed(_: str, body: bytes) -> Mapping[str, str]:
            headers = sign(hook.secret, body)
            if conditional:
                stamp = headers["X-Zendesk-Webhook-Signature-Timestamp"].encode()
                signed_as.append(hashlib.sha256(stamp + body).hexdigest())
                self._ledger.delivery(key, signed_as=list(signed_as))
            return {
                **headers, **_authentication(hook.row), "X-Zendesk-Webhook-Id": hook.row["id"],
                "X-Zendesk-Webhook-Invocation-Id": invocation, "X-Zendesk-Account-Id": str(ACCOUNT_ID),
            }  # fmt: skip

        def attempted(status: int | None, seconds: float) -> None:
            ok = status is not None and status < 400
            hook.breaker.told(ok)
            record = hook.invocations.get(invocation)
            if record is not None:
                record["attempts"].append({"status": status, "at": self._state.now(), "seconds": seconds})

        return Endpoint(
            hook.row["id"], hook.row["endpoint"], hook.secret, signed, hook.row["http_method"],
            blocked=lambda: self._state.switches.breaker and hook.breaker.is_open(), attempted=attempted,
        )  # fmt: skip


def new_secret() -> str:
    """Base64 text; the text itself is the key."""
    return base64.b64encode(secrets.token_bytes(24)).decode()


def _authentication(row: Mapping[str, Any]) -> Mapping[str, str]:
    """Headers of the webhook's own authentication, if it has any."""
    wanted = row.get("authentication") or {}
    data = wanted.get("data", {})
    if wanted.get("type") == "bearer_token":
        return {"Authorization": f"Bearer {data['token']}"}
    if wanted.get("type") == "basic_auth":
        pair = f"{data['username']}:{data['password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if wanted.get("type") == "api_key":
        return {str(data["name"]): str(data["value"])}
    return {}
