"""Before anything else: whose key is it, may it do that, and is there room in the rate limit.

Source: vendor sheet 3.3 (25 calls a second in a sandbox; 429 comes before the idempotency layer) and 3.9.
"""

from __future__ import annotations

import base64
import binascii
import re

from flask import g, request

from sandbox.base import Simulator
from sandbox.stripe.errors import RATE, Denied, new_request_id, refusal
from sandbox.stripe.state import State
from sandbox.stripe.store import VERSION

API_KEY = "rk_test_sandbox_not_safe"
SECRET_KEY = "sk_test_sandbox_not_safe"
CALLS = 25  # a second, a sandbox account's limit
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?")


def key_of(header: str) -> str:
    """The key of a Bearer header, or the user of a Basic one; "" when there is none."""
    kind, _, value = header.partition(" ")
    if kind == "Bearer":
        return value.strip()
    if kind == "Basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def enter(simulator: Simulator, state: State) -> None:
    """Raises Refusal: 401, 400 for a version that is none, 429, 403."""
    key, version = key_of(request.headers.get("Authorization", "")), request.headers.get("Stripe-Version", VERSION)
    if not key:
        raise refusal(Denied("", "You did not provide an API key.", 401))
    if key not in (API_KEY, SECRET_KEY):
        raise refusal(Denied("api_key_invalid", f"Invalid API Key provided: {key[:8]}{'*' * 8}", 401))
    if not _VERSION.fullmatch(version):
        raise refusal(Denied("", f"Invalid Stripe API version: {version}", 400))
    g.request_id = new_request_id()
    g.headers = {"Request-Id": g.request_id, "Stripe-Version": version}
    if simulator.context.limits:
        _, wait = simulator.windows.take("account", CALLS, 1.0)
        if wait > 0:
            headers = {"Stripe-Rate-Limited-Reason": "global-rate"}
            raise refusal(Denied("rate_limit", "Request rate limit exceeded.", 429, kind=RATE), headers)
    if key.startswith("rk_"):
        permit(state)


def permit(state: State) -> None:
    """403 where the restricted key lacks the permission. Raises Refusal."""
    parts = request.path.strip("/").split("/")
    resource = parts[1] if len(parts) > 1 else ""
    needed = f"{resource}:{'read' if request.method == 'GET' else 'write'}"
    if needed in state.denied:
        raise refusal(Denied(
            "", f"The provided key 'rk_test_********safe' does not have the required permissions for this endpoint on "
            f"account 'acct_S1'. Having the '{needed}' permission would allow this request to continue.", 403,
        ))  # fmt: skip
