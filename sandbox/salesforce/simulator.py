"""The simulated Salesforce: sessions, the daily limit and the shape of refusals around its routes."""

from __future__ import annotations

import re

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from sandbox.base import Context, Simulator
from sandbox.salesforce import board, bulk, jobs, oauth, queries, routes, setup
from sandbox.salesforce.errors import Failed, not_found, refusal
from sandbox.salesforce.reps import Acts
from sandbox.world import build_world

DAILY = 100_000
ADDRESS = 16_384  # characters of an address with its query (R)
_DATA = re.compile(r"/services/data/v\d\d\.\d/")


class Daily:
    """Calls of the rolling day: `used` of `allowed`."""

    def __init__(self) -> None:
        self.used, self.allowed = 0, DAILY

    def allow(self, calls: int) -> bool:
        """Another daily limit."""
        self.allowed = calls
        return True

    def headers(self) -> dict[str, str]:
        return {"Sforce-Limit-Info": f"api-usage={self.used}/{self.allowed}"}


def build(context: Context) -> Flask:
    """The app; its state can be reached as `context.simulators["salesforce"].state`."""
    simulator = Simulator("salesforce", context, lambda: _before(simulator, tokens, daily))
    state = Acts(context, build_world(context.seed, context.now(), getattr(context, "scale", 1)))
    tokens, daily, org = oauth.Tokens(context), Daily(), setup.Setup(state)
    worked = jobs.Jobs(state, simulator.ledger)
    simulator.state, simulator.tokens, simulator.daily = state, tokens, daily  # type: ignore[attr-defined]
    state.expire_sessions = tokens.expire  # type: ignore[attr-defined]  # acts like the others
    state.trust_key, state.run_as = tokens.trust, tokens.run_as  # type: ignore[attr-defined]
    state.allow_calls = daily.allow  # type: ignore[attr-defined]
    state.permit, state.show_fields = org.permit, org.show_fields  # type: ignore[attr-defined]
    state.pause_jobs, state.fail_jobs = worked.pause, worked.fail  # type: ignore[attr-defined]
    setup.routes(simulator.app, state, org)
    bulk.routes(simulator.app, worked)
    oauth.routes(simulator.app, tokens)
    routes.records(simulator.app, state, simulator.ledger)
    routes.by_key(simulator.app, state, simulator.ledger)
    routes.collections(simulator.app, state, simulator.ledger)
    queries.routes(simulator.app, state)

    @simulator.app.get(f"{routes.ROOT}/limits")
    def limits(version: str) -> Response:
        return jsonify(DailyApiRequests={"Max": daily.allowed, "Remaining": max(0, daily.allowed - daily.used)})

    _refusing(simulator.app)
    apps = {"/reps": board.build(state)}
    simulator.app.wsgi_app = DispatcherMiddleware(simulator.app.wsgi_app, apps)  # type: ignore[method-assign]
    return simulator.app


def _before(simulator: Simulator, tokens: oauth.Tokens, daily: Daily) -> None:
    """Raises Refusal: 404 outside the API, 401 without a session, 403 when the day's calls are used up."""
    if request.path == "/services/oauth2/token":
        return
    if not _DATA.match(request.path):
        raise not_found()
    if len(request.full_path) > ADDRESS:
        raise refusal(414, "URI_TOO_LONG", "the address is too long")
    if not tokens.is_good(request.headers.get("Authorization", "")):
        raise refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
    with simulator.context.lock:
        over = daily.used >= daily.allowed
        daily.used += not over
        g.headers = daily.headers()
    if over:
        raise refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def _refusing(app: Flask) -> None:
    """Every refusal in Salesforce's shape, also those of the framework."""

    @app.errorhandler(Failed)
    def failed(error: Failed) -> tuple[Response, int]:
        told = error.refusal()
        return jsonify(told.body), told.status

    @app.errorhandler(HTTPException)
    def framework(error: HTTPException) -> tuple[Response, int]:
        told = not_found() if error.code == 404 else refusal(error.code or 400, "METHOD_NOT_ALLOWED", "not allowed")
        return jsonify(told.body), told.status
