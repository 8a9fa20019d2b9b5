"""Before anything else: whose credentials are these, may they do that, and is there room in the rate limits.

Source: vendor sheet 1.1 (scopes, API tokens), 1.8 (limits; the names of the endpoint headers but one are R).
"""

from __future__ import annotations

import base64
import binascii
import math

from flask import g, request

from sandbox.base import Simulator
from sandbox.zendesk import errors
from sandbox.zendesk.state import OWN_USER, State

LEGACY_TOKEN = "sandbox-legacy-token"
SCOPED = frozenset({"tickets", "users", "organizations", "triggers", "webhooks"})  # others need a plain read or write
ADMINS = ("/api/v2/incremental/", "/api/v2/webhooks", "/api/v2/triggers")
PUBLIC = ("/oauth/tokens",)

# (name, calls, with the High Volume add-on, seconds, each user and ticket by itself)
Rule = tuple[str, int, int, float, bool]
UPDATES: Rule = ("tickets-update", 100, 300, 60.0, False)
ONE_TICKET: Rule = ("ticket-update", 30, 30, 600.0, True)
EXPORT: Rule = ("incremental-exports", 10, 30, 60.0, False)
DELETES: Rule = ("tickets-delete", 400, 400, 60.0, False)
_TICKET = "/api/v2/tickets/<int:ticket_id>"
RULES: dict[tuple[str, str], tuple[Rule, ...]] = {
    ("PUT", _TICKET): (UPDATES, ONE_TICKET),
    ("PUT", f"{_TICKET}/tags"): (UPDATES, ONE_TICKET),
    ("POST", f"{_TICKET}/tags"): (UPDATES, ONE_TICKET),
    ("DELETE", f"{_TICKET}/tags"): (UPDATES, ONE_TICKET),
    ("PUT", "/api/v2/tickets/update_many"): (UPDATES,),  # whether batches count is not said: they do here
    ("DELETE", _TICKET): (DELETES,),
    ("GET", "/api/v2/incremental/tickets/cursor"): (EXPORT,),
}


def enter(simulator: Simulator, state: State) -> None:
    """Raises Refusal: 401, 403, 429. Afterwards `g.user_id` is who acts, 0 for nobody (users/me only)."""
    g.headers = {}
    if request.path in PUBLIC:
        return
    g.user_id, scopes = _who(state)
    if not g.user_id:
        if rule_of() != "/api/v2/users/me":
            raise errors.unknown_user()
        return
    if simulator.context.limits:
        _limits(simulator, state)
    _permit(state, scopes)


def rule_of() -> str:
    """The route of this request, without `.json`; "" for none."""
    return request.url_rule.rule.removesuffix(".json") if request.url_rule else ""


def _who(state: State) -> tuple[int, frozenset[str] | None]:
    """(user, scopes); scopes None: everything the user may; user 0: nobody. Raises 401 for a token that is none or has
    ended, of either kind.
    """
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        token = state.tokens.find(value.strip())
        if token is None:
            raise errors.unknown_token()
        return token.user_id, token.scopes
    if kind.lower() == "basic":
        return _legacy(state, value), None
    return 0, None


def _legacy(state: State, value: str) -> int:
    """`{email}/token:{token}` of somebody who may work; 0 for what is no API token. Raises 401 for a wrong one."""
    try:
        name, _, token = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return 0
    email = name.removesuffix("/token")
    if email == name:
        return 0
    staff = (u for u in state.users.values() if u["role"] != "end-user" and u["active"])
    found = next((int(u["id"]) for u in staff if str(u["email"]).lower() == email.lower()), 0)
    if not found or token != LEGACY_TOKEN or not state.switches.legacy_tokens:
        raise errors.unknown_user()
    return found


def _permit(state: State, scopes: frozenset[str] | None) -> None:
    """Raises 403 where the scope is missing or the user is no admin."""
    part = request.path.split("/")[3].removesuffix(".json") if request.path.startswith("/api/v2/") else ""
    verb = "read" if request.method == "GET" else "write"
    own = f"{part}:{verb}" if part in SCOPED else verb
    if scopes is not None and not scopes & {verb, own}:
        raise errors.missing_scope(own)
    if request.path.startswith(ADMINS) and state.users[g.user_id]["role"] != "admin":
        raise errors.not_permitted()


def _limits(simulator: Simulator, state: State) -> None:
    """Count this call; the account's headers are on every answer. Raises 429."""
    calls = state.switches.calls_per_minute
    left, wait = simulator.windows.take("account", calls, 60.0)
    resets = math.ceil(simulator.windows.resets_in("account", 60.0))
    g.headers |= {
        "X-Rate-Limit": str(calls), "X-Rate-Limit-Remaining": str(left), "ratelimit-limit": str(calls),
        "ratelimit-remaining": str(left), "ratelimit-reset": str(resets),
    }  # fmt: skip
    if wait > 0:
        raise errors.too_many(math.ceil(wait))
    for name, usual, more, window_s, each in RULES.get((request.method, rule_of()), ()):
        allowed = more if state.switches.high_volume else usual
        key = f"{name} {g.user_id} {(request.view_args or {}).get('ticket_id')}" if each else name
        left, wait = simulator.windows.take(key, allowed, window_s)
        resets = math.ceil(simulator.windows.resets_in(key, window_s))
        g.headers[f"zendesk-ratelimit-{name}"] = f"total={allowed}; remaining={left}; resets={resets}"
        if wait > 0:
            raise errors.too_many(math.ceil(wait))


def acting() -> int:
    """Who is doing this."""
    return int(g.get("user_id") or OWN_USER)
