"""The log of events as a list, and their delivery to webhook endpoints, signed.

Source: vendor sheet 3.1; list parameters from the document derived from stripe-python 16.1.0.
"""

from __future__ import annotations

import fnmatch
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from integrations.kernel.clock import utc_now
from sandbox.base import Endpoint, Ledger, Sender
from sandbox.stripe import params
from sandbox.stripe.errors import Denied, Invalid
from sandbox.stripe.lists import COMPARE, PAGING, page
from sandbox.stripe.objects import Object
from sandbox.stripe.state import State
from sandbox.stripe.store import VERSION

TRIES = 12


def sign(secret: str, body: bytes) -> Mapping[str, str]:
    """Stripe-Signature, signed now. secret: while one is rolled, the new and the old one with a blank between."""
    stamp = str(int(utc_now().timestamp()))
    signed = f"{stamp}.".encode() + body
    v1 = [hmac.new(each.encode(), signed, hashlib.sha256).hexdigest() for each in secret.split()]
    return {"Stripe-Signature": ",".join([f"t={stamp}", *(f"v1={digest}" for digest in v1)])}


def retry(attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
    """Anything but 2xx is tried again with growing pauses: Stripe's three days, told in minutes."""
    return float(2 ** min(attempt, 6)) if attempt <= TRIES else None


class Deliveries:
    """Who is to be told of an event, and who has been."""

    def __init__(self, state: State, sender: Sender, ledger: Ledger) -> None:
        self._state = state
        self._sender = sender
        self._ledger = ledger
        self.endpoints: dict[str, Object] = {}
        self.secrets: dict[str, str] = {}
        self._keys: dict[str, list[str]] = {}  # event -> its deliveries' keys in the ledger
        state.listeners.append(self._deliver)

    def _deliver(self, event: Object) -> None:
        told = [
            e for e in self.endpoints.values()
            if e["status"] == "enabled" and {"*", event["type"]} & set(e["enabled_events"])
        ]  # fmt: skip
        keys = self._keys[event["id"]] = []
        for n, endpoint in enumerate(told):
            key = event["id"] if n == 0 else f"{event['id']}@{endpoint['id']}"
            keys.append(key)
            where = Endpoint(endpoint["id"], endpoint["url"], self.secrets[endpoint["id"]], sign)
            body = {**event, "pending_webhooks": len(told), "api_version": endpoint["api_version"] or VERSION}
            self._sender.send(where, key, body)

    def pending(self, event: Object) -> int:
        """Deliveries of an event that no endpoint has acknowledged yet."""
        records = self._ledger.deliveries
        return sum(not records.get(key, {}).get("acknowledged") for key in self._keys.get(event["id"], ()))

    def listing(self, asked: Mapping[str, Any]) -> Object:
        """A page of the last 30 days. Raises Invalid."""
        params.known(asked, (*PAGING, "created", "type", "types", "delivery_success"))
        kinds = params.texts(asked, "types")
        if asked.get("type") and kinds:
            raise Invalid("parameters_exclusive", "Only one of type and types may be given", 400, "type")
        kinds = kinds or [kind for kind in [params.text(asked, "type")] if kind]
        if len(kinds) > 20:
            raise Invalid("parameter_invalid_array", "At most 20 types may be given", 400, "types")
        rows = self._state.kept_events()
        if kinds:
            rows = [e for e in rows if any(fnmatch.fnmatchcase(e["type"], kind) for kind in kinds)]
        for bound, moment in params.moments(asked, "created").items():
            rows = [e for e in rows if COMPARE[bound](e["created"], moment)]
        success = params.choice(asked, "delivery_success", ("true", "false"))
        if success:
            rows = [e for e in rows if (self.pending(e) == 0) == (success == "true")]
        found = page(self._state, "events", rows, asked, "/v1/events")
        return {**found, "data": [self._shown(e) for e in found["data"]]}

    def one(self, event_id: str, asked: Mapping[str, Any]) -> Object:
        """One event. Raises Denied."""
        params.known(asked, ("expand",))
        self._state.kept_events()
        if event_id not in self._state.events:
            raise Denied("resource_missing", f"No such event: '{event_id}'", 404, "id")
        return self._shown(self._state.events[event_id])

    def _shown(self, event: Object) -> Object:
        return {**event, "pending_webhooks": self.pending(event)}
