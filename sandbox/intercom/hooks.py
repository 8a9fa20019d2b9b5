"""Deliveries of the simulated Intercom: one address, the app's; signed, with Intercom's own few retries.

Source: vendor sheet 2.1: five seconds to answer, one retry after a minute; 410 ends the subscription; 429 is waited out for
up to two hours; more than 1,000 errors in a row within 15 minutes pause it for 15 minutes.
"""

from __future__ import annotations

import hmac
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.base import Context, Endpoint, Ledger, Sender
from sandbox.intercom.shapes import WORKSPACE, Object

CLIENT_SECRET = "sandbox-intercom-client-secret-not-safe"
TIMEOUT_S = 5.0
RETRY_S = 60.0
THROTTLE_S, THROTTLE_MOST_S = 60.0, 7200.0
ERRORS, ERRORS_IN_S, PAUSE_S = 1000, 900.0, 900.0
_TAG = re.compile(r"<[^>]*>")


def sign(secret: str, body: bytes) -> Mapping[str, str]:
    """Headers of a delivery. No time is signed."""
    digest = hmac.new(secret.encode(), body, "sha1").hexdigest()
    return {"X-Hub-Signature": f"sha1={digest}", "User-Agent": "intercom-parrot-service-client/1.0"}


def notification(topic: str, item: Object, now: int) -> Object:
    """The envelope. Bodies of conversations are plain text here, HTML in the API."""
    shown = dict(item)
    if "source" in item:
        source = item["source"]
        shown["source"] = {**source, **{name: _TAG.sub("", source[name]) for name in ("subject", "body")}}
    return {
        "type": "notification_event", "app_id": WORKSPACE, "data": {"type": "notification_event_data", "item": shown},
        "links": {}, "id": f"notif_{uuid.uuid4()}", "topic": topic, "delivery_status": "pending",
        "delivery_attempts": 1, "delivered_at": 0, "first_sent_at": now, "created_at": now, "self": None,
    }  # fmt: skip


class Watched:
    """The ledger, which also tells the subscription that a delivery was taken."""

    def __init__(self, ledger: Ledger, hooks: Hooks) -> None:
        self._ledger = ledger
        self._hooks = hooks

    def delivery(self, key: str, **changes: Any) -> None:  # noqa: ANN401 - fields of a record
        if changes.get("acknowledged"):
            self._hooks.errors.clear()
        self._ledger.delivery(key, **changes)

    def attempt(self, key: str) -> None:
        self._ledger.attempt(key)


class Hooks:
    """The app's one subscription. state: active, disabled (after a 410), paused (too many errors)."""

    def __init__(self, context: Context, ledger: Ledger) -> None:
        self._context = context
        self._ledger = ledger
        self.url, self.secret = "", CLIENT_SECRET
        self.topics: frozenset[str] | None = None
        self.disabled = False
        self.errors: list[float] = []
        self._paused_until = 0.0
        self._throttled: dict[str, float] = {}
        self.sender = Sender(context, Watched(ledger, self), self.retry, timeout_s=TIMEOUT_S)  # type: ignore[arg-type]

    @property
    def state(self) -> str:
        if self.disabled:
            return "disabled"
        return "paused" if time.monotonic() < self._paused_until else "active"

    def subscribe(self, url: str, topics: Sequence[str] | None = None) -> str:
        """As an admin does in the Developer Hub; all topics when left out. Answers the client secret."""
        self.url, self.topics, self.disabled = url, frozenset(topics) if topics is not None else None, False
        return self.secret

    def on_event(self, topic: str, item: Object) -> None:
        """Deliver, where it is subscribed; while paused nothing is sent, ever."""
        if not self.url or (self.topics is not None and topic not in self.topics and topic != "ping"):
            return
        body = notification(topic, item, int(self._context.now().timestamp()))
        if self.state != "active":
            self._ledger.delivery(body["id"], lost=True)
            return
        self.sender.send(Endpoint("app", self.url, self.secret, sign), body["id"], body)

    def retry(self, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        """Seconds until the next try, or None: given up."""
        if status == 410:
            self.disabled = True
            return None
        if status == 429:
            waited = THROTTLE_S * (2 ** (attempt - 1) - 1)
            return THROTTLE_S * 2 ** (attempt - 1) if waited < THROTTLE_MOST_S else None
        self._failed()
        return RETRY_S if attempt == 1 else None

    def _failed(self) -> None:
        now = time.monotonic()
        self.errors.append(now)
        window_s = ERRORS_IN_S / self._context.time_factor
        while self.errors and self.errors[0] < now - window_s:
            self.errors.pop(0)
        if len(self.errors) > ERRORS:
            self._paused_until = now + PAUSE_S / self._context.time_factor
            self.errors.clear()
