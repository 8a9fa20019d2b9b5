"""Webhook endpoints: create, read, list, change, delete, and a roll of the secret."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.base.sender import LOOPBACK
from sandbox.stripe import params
from sandbox.stripe.errors import Invalid, missing
from sandbox.stripe.events import Deliveries
from sandbox.stripe.lists import PAGING, page
from sandbox.stripe.objects import Object
from sandbox.stripe.state import State

CREATES = ("url", "enabled_events", "api_version", "description", "metadata", "connect", "expand")
CHANGES = ("url", "enabled_events", "description", "metadata", "disabled", "expand")


class Endpoints:
    """The endpoints of the account."""

    def __init__(self, state: State, deliveries: Deliveries) -> None:
        self._state = state
        self._deliveries = deliveries

    def _get(self, endpoint_id: str) -> Object:
        if endpoint_id not in self._deliveries.endpoints:
            raise missing("webhook_endpoint", endpoint_id)
        return self._deliveries.endpoints[endpoint_id]

    def create(self, asked: Mapping[str, Any]) -> Object:
        """The only answer that tells the secret. Raises Invalid."""
        params.known(asked, CREATES)
        kinds, url = params.texts(asked, "enabled_events"), params.text(asked, "url")
        for name, value in (("url", url), ("enabled_events", kinds)):
            if not value:
                raise Invalid("parameter_missing", f"Missing required param: {name}.", 400, name)
        made: Object = {
            "id": self._state.new_id("we"), "object": "webhook_endpoint",
            "api_version": params.text(asked, "api_version"), "application": None, "created": self._state.now(),
            "description": params.text(asked, "description") or None, "enabled_events": kinds, "livemode": False,
            "metadata": params.table(asked, "metadata"), "status": "enabled", "url": _url(url or ""),
        }  # fmt: skip
        self._deliveries.endpoints[made["id"]] = made
        secret = self._deliveries.secrets[made["id"]] = f"whsec_{secrets.token_hex(16)}"
        return {**made, "secret": secret}

    def one(self, endpoint_id: str, asked: Mapping[str, Any]) -> Object:
        params.known(asked, ("expand",))
        return self._get(endpoint_id)

    def listing(self, asked: Mapping[str, Any]) -> Object:
        params.known(asked, PAGING)
        rows = list(self._deliveries.endpoints.values())
        return page(self._state, "webhook_endpoints", rows, asked, "/v1/webhook_endpoints")

    def change(self, endpoint_id: str, asked: Mapping[str, Any]) -> Object:
        """Raises Invalid."""
        params.known(asked, CHANGES)
        found = self._get(endpoint_id)
        if "url" in asked:
            found["url"] = _url(params.text(asked, "url") or "")
        if kinds := params.texts(asked, "enabled_events"):
            found["enabled_events"] = kinds
        if disabled := params.choice(asked, "disabled", ("true", "false")):
            found["status"] = "disabled" if disabled == "true" else "enabled"
        merged = {**found["metadata"], **params.table(asked, "metadata")}
        found["metadata"] = {name: value for name, value in merged.items() if value != ""}
        return found

    def delete(self, endpoint_id: str) -> Object:
        self._get(endpoint_id)
        del self._deliveries.endpoints[endpoint_id]
        return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}

    def roll_secret(self, endpoint_id: str) -> str:
        """A new secret; deliveries are signed with both until `forget_old_secret`. Stripe has no API for this."""
        self._get(endpoint_id)
        new = f"whsec_{secrets.token_hex(16)}"
        self._deliveries.secrets[endpoint_id] = f"{new} {self._deliveries.secrets[endpoint_id].split()[0]}"
        return new

    def forget_old_secret(self, endpoint_id: str) -> None:
        """The old one signs no more."""
        self._get(endpoint_id)
        self._deliveries.secrets[endpoint_id] = self._deliveries.secrets[endpoint_id].split()[0]


def _url(text: str) -> str:
    """Simulated vendors send to this machine only. Raises Invalid."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK:
        raise Invalid("url_invalid", f"Invalid URL: {text} (the sandbox sends to loopback addresses only)", 400, "url")
    return text
