"""The simulated Intercom: authorisation, version and limits around its routes."""

from __future__ import annotations

import time

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.base import Context, Simulator
from sandbox.intercom import routes
from sandbox.intercom.errors import refusal
from sandbox.intercom.hooks import Hooks
from sandbox.intercom.state import State
from sandbox.world import build_world

ACCESS_TOKEN = "sandbox-intercom-token-not-safe"
VERSIONS = frozenset({"2.15", "2.16"})
WINDOW_CALLS, WINDOW_S = 10_000 // 6, 10.0  # 10,000 a minute and app, in windows of ten seconds


def build(context: Context) -> Flask:
    """The app; its state can be reached as `context.simulators["intercom"].state`."""
    simulator = Simulator("intercom", context, lambda: _before(simulator))
    state = State(context, build_world(context.seed, context.now(), getattr(context, "scale", 1)))
    hooks = Hooks(context, simulator.ledger)
    state.listeners.append(hooks.on_event)
    state.subscribe = hooks.subscribe  # type: ignore[attr-defined]  # an act like the others
    simulator.state = state  # type: ignore[attr-defined]
    simulator.hooks = hooks  # type: ignore[attr-defined]
    simulator.sender = hooks.sender  # type: ignore[attr-defined]
    routes.people(simulator.app, state)
    routes.conversations(simulator.app, state, simulator.ledger)
    routes.tags(simulator.app, state, simulator.ledger)
    _refusing(simulator.app)
    return simulator.app


def _before(simulator: Simulator) -> None:
    """Raises Refusal: 401, 400 for a version that is none, 429."""
    if request.headers.get("Authorization") != f"Bearer {ACCESS_TOKEN}":
        raise refusal(401, "unauthorized", "Access Token Invalid")
    version = request.headers.get("Intercom-Version", "")
    if version not in VERSIONS:
        raise refusal(400, "intercom_version_invalid", "The requested version could not be found")
    g.headers = {"Intercom-Version": version}
    if simulator.context.limits:
        left, wait = simulator.windows.take("app", WINDOW_CALLS, WINDOW_S)
        span = wait or WINDOW_S / simulator.context.time_factor
        g.headers |= {
            "X-RateLimit-Limit": str(WINDOW_CALLS), "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(int(time.time() + span) + 1),
        }  # fmt: skip
        if wait > 0:
            raise refusal(429, "rate_limit_exceeded", "Exceeded rate limit")


def _refusing(app: Flask) -> None:
    """Every refusal in Intercom's shape, also those of the framework."""

    @app.errorhandler(HTTPException)
    def framework(error: HTTPException) -> Response:
        told = refusal(error.code or 404, "not_found", "Resource Not Found")
        response = jsonify(told.body)
        response.status_code = told.status
        return response
