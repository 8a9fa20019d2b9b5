"""The simulated Zendesk: authorisation, limits and routes around its state."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any

from flask import Flask, Response, g, jsonify, request

from sandbox.base import Context, Refusal, Sender, Simulator
from sandbox.world import build_world
from sandbox.zendesk import hooks, tickets
from sandbox.zendesk.state import HOST, OWN_USER, State

CLIENT_ID, CLIENT_SECRET = "deskbridge", "sandbox-client-secret-not-safe"
ACCOUNT_CALLS = 700  # a minute, Enterprise
LIMITS = {
    ("PUT", "update_many"): ("update", 100, 60.0),
    ("PUT", "tags"): ("update", 100, 60.0),
    ("DELETE", "tags"): ("update", 100, 60.0),
}


def build(context: Context) -> Flask:
    """The app; its state can be reached as `context.simulators["zendesk"].state`."""
    tokens: dict[str, float] = {}
    simulator = Simulator("zendesk", context, lambda: _before(simulator, tokens))
    state = State(context, build_world(context.seed))
    sender = Sender(context, simulator.ledger, hooks.retry)
    simulator.state = state  # type: ignore[attr-defined]
    simulator.sender = sender  # type: ignore[attr-defined]
    simulator.hooks = hooks.Hooks(state, sender, simulator.ledger)  # type: ignore[attr-defined]
    _oauth(simulator.app, context, tokens)
    tickets.routes(simulator.app, state, simulator.ledger)
    _webhooks(simulator.app, simulator.hooks)  # type: ignore[attr-defined]
    return simulator.app


def _before(simulator: Simulator, tokens: dict[str, float]) -> None:
    if request.path == "/oauth/tokens":
        return
    header = request.headers.get("Authorization", "")
    kind, _, value = header.partition(" ")
    if kind == "Bearer" and tokens.get(value, 0.0) > time.monotonic():
        pass
    elif not (kind == "Basic" and base64.b64decode(value).endswith(b"/token:sandbox-legacy-token")):
        raise Refusal(401, {"error": "invalid_token", "error_description": "The access token provided is expired"})
    if simulator.context.limits:
        _limits(simulator)


def _limits(simulator: Simulator) -> None:
    left, wait = simulator.windows.take("account", ACCOUNT_CALLS, 60.0)
    g.headers = {
        "X-Rate-Limit": str(ACCOUNT_CALLS), "X-Rate-Limit-Remaining": str(left), "ratelimit-limit": str(ACCOUNT_CALLS),
        "ratelimit-remaining": str(left), "ratelimit-reset": "30",
    }  # fmt: skip
    last = request.path.removesuffix(".json").rsplit("/", 1)[-1]
    if wait == 0 and (rule := LIMITS.get((request.method, last))):
        name, calls, window = rule
        _, wait = simulator.windows.take(name, calls, window)
    if wait > 0:
        raise Refusal(429, {"error": "TooManyRequests", "description": "Number of allowed API requests exceeded"},
                      {"Retry-After": str(int(wait) + 1)})  # fmt: skip


def _oauth(app: Flask, context: Context, tokens: dict[str, float]) -> None:
    @app.post("/oauth/tokens")
    def token() -> Response:
        asked: dict[str, Any] = request.get_json(silent=True) or {}
        if asked.get("grant_type") != "client_credentials":
            raise Refusal(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})
        if asked.get("client_id") != CLIENT_ID or asked.get("client_secret") != CLIENT_SECRET:
            raise Refusal(401, {"error": "invalid_client", "error_description": "client authentication failed"})
        life = int(asked.get("expires_in", 7200))
        if not 300 < life < 172_800:
            raise Refusal(400, {"error": "invalid_request", "error_description": "expires_in out of bounds"})
        value = secrets.token_hex(20)
        tokens[value] = time.monotonic() + life / context.time_factor
        return jsonify(access_token=value, token_type="bearer", scope=asked.get("scope", "read"), expires_in=life)

    @app.get("/api/v2/users/me")
    @app.get("/api/v2/users/me.json")
    def me() -> Response:
        return jsonify(user=context.simulators["zendesk"].state.users[OWN_USER])


def _webhooks(app: Flask, known: hooks.Hooks) -> None:
    @app.post("/api/v2/webhooks")
    def create() -> tuple[Response, int]:
        wanted = (request.get_json(silent=True) or {}).get("webhook", {})
        needed = ("name", "status", "endpoint", "http_method", "request_format", "subscriptions")
        if missing := [name for name in needed if not wanted.get(name)]:
            raise Refusal(400, {"errors": [{"code": "InvalidParameter", "title": f"{m} is required"} for m in missing]})
        kinds = wanted["subscriptions"]
        if "conditional_ticket_events" in kinds and len(kinds) > 1:
            raise Refusal(400, {"errors": [{"code": "InvalidSubscriptions", "title": "one kind of webhook only"}]})
        return jsonify(webhook=_shown(known.add(wanted))), 201

    @app.get("/api/v2/webhooks/<hook_id>/signing_secret")
    def secret(hook_id: str) -> Response:
        if hook_id not in known.webhooks:
            raise Refusal(404, {"errors": [{"code": "WebhookNotFound", "title": "webhook not found"}]})
        return jsonify(signing_secret={"algorithm": "SHA256", "secret": known.webhooks[hook_id]["_secret"]})

    @app.post("/api/v2/triggers")
    def trigger() -> tuple[Response, int]:
        wanted = (request.get_json(silent=True) or {}).get("trigger", {})
        trigger_id = str(len(known.triggers) + 1)
        known.triggers[trigger_id] = wanted
        return jsonify(
            trigger={**wanted, "id": int(trigger_id), "url": f"{HOST}/api/v2/triggers/{trigger_id}.json"}
        ), 201


def _shown(hook: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in hook.items() if not name.startswith("_")}
