"""The simulated Zendesk over HTTP: gate, tokens, tickets with jobs, people, search, export, webhooks and triggers."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.base import Context, Refusal, Sender, Simulator
from sandbox.world import build_world
from sandbox.zendesk import directory, exports, gate, hooks, jobs, params, search, tickets, triggers, webhooks
from sandbox.zendesk.idempotency import Keys
from sandbox.zendesk.routing import Api
from sandbox.zendesk.state import OWN_USER, State
from sandbox.zendesk.tokens import LONGEST_S, SHORTEST_S, USUAL_S

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "build"]

CLIENT_ID, CLIENT_SECRET = "deskbridge", "sandbox-client-secret-not-safe"
ALL = "read write"


def build(context: Context) -> Flask:
    """The app; its state can be reached as `context.simulators["zendesk"].state`."""
    simulator = Simulator("zendesk", context, lambda: gate.enter(simulator, state))
    state = State(context, build_world(context.seed, context.now(), getattr(context, "scale", 1)))
    sender = Sender(context, simulator.ledger, hooks.retry)
    known = hooks.Hooks(state, sender, simulator.ledger)
    simulator.state = state  # type: ignore[attr-defined]
    simulator.sender = sender  # type: ignore[attr-defined]
    simulator.hooks = known  # type: ignore[attr-defined]
    api = Api(simulator.app, state, Keys(context))
    _oauth(simulator.app, state)
    jobs.routes(api, tickets.routes(api, simulator.ledger))
    directory.routes(api)
    search.routes(api)
    exports.routes(api)
    webhooks.routes(api, known, triggers.routes(api, known))
    _refusing(simulator.app)
    return simulator.app


def _oauth(app: Flask, state: State) -> None:
    @app.post("/oauth/tokens")
    def token() -> Response:
        asked = params.body()
        if asked.get("grant_type") != "client_credentials":
            raise _refused(400, "unsupported_grant_type", "The authorization grant type is not supported.")
        if asked.get("client_id") != CLIENT_ID or asked.get("client_secret") != CLIENT_SECRET:
            raise _refused(401, "invalid_client", "Client authentication failed.")
        life = asked.get("expires_in", USUAL_S)
        if type(life) is not int or not SHORTEST_S < life < LONGEST_S:
            raise _refused(400, "invalid_request", f"expires_in must be over {SHORTEST_S} and under {LONGEST_S}")
        scope = asked.get("scope", ALL)
        if not isinstance(scope, str) or not scope.strip():
            raise _refused(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed.")
        value = state.tokens.give(OWN_USER, scope, life)
        return jsonify(access_token=value, token_type="bearer", scope=scope, expires_in=life, refresh_token=None)


def _refused(status: int, error: str, why: str) -> Refusal:
    return Refusal(status, {"error": error, "error_description": why})


def _refusing(app: Flask) -> None:
    """What no route answers."""

    @app.errorhandler(HTTPException)
    def refused(problem: HTTPException) -> Response:
        error = "InvalidEndpoint" if problem.code == 404 else "MethodNotAllowed"
        response = jsonify(error=error, description=f"{request.method} {request.path}: {problem.name}")
        response.status_code = problem.code or 500
        return response
