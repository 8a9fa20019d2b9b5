"""The Flask app: request ids, one error shape, health, metrics; no door is known here."""

from __future__ import annotations

import hmac
import re

import sqlalchemy as sa
from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from app import billing, wake
from app.config import Settings
from app.factory.readiness import checks
from app.inbox.bell import Bell
from app.inbox.door import Door
from app.runtime import Runtime
from app.telemetry import failpoints, health, metrics
from app.telemetry.logs import bind, configure, get_logger
from app.triggers.explain import explain_ticket, render_text
from integrations.kernel.errors import AppError
from integrations.kernel.ids import new_id

MAX_BODY_BYTES = 1 << 20
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

log = get_logger(__name__)


def create_app(settings: Settings) -> Flask:
    """A Flask app with everything but the doors. Nothing is opened before the first request needs it."""
    configure(settings.log_level)
    failpoints.arm(settings.failpoints)
    app = Flask("deskbridge", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    runtime = Runtime(settings)
    app.extensions["deskbridge"] = runtime
    app.extensions["deskbridge.door"] = LazyDoor(runtime)
    _request_ids(app)
    _errors(app)
    _health(app, runtime)
    if settings.mode == "sandbox":
        _explanations(app, runtime)
    return app


class LazyDoor:
    """The door, opened by the first delivery: a process starts without waiting for its servers."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._door: Door | None = None

    def __getattr__(self, name: str) -> object:
        if self._door is None:
            runtime = self._runtime
            bell = Bell(lambda: runtime.waker.wake(wake.INBOX))
            self._door = Door(runtime.database, runtime.connections, bell, runtime.settings.max_backlog)
        return getattr(self._door, name)


def _request_ids(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else new_id("req")
        g.log_context = bind(request_id=g.request_id)
        g.log_context.__enter__()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        context = g.pop("log_context", None)
        if context is not None:
            context.__exit__(None, None, None)


def problem(code: str, title: str, status: int) -> Response:
    """Problem JSON (RFC 9457): what every error of every route looks like."""
    request_id = g.get("request_id", "")
    response = jsonify(
        type=f"urn:deskbridge:error:{code}", title=title, status=status, code=code, request_id=request_id
    )
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _errors(app: Flask) -> None:
    @app.errorhandler(AppError)
    def ours(error: AppError) -> Response:
        log.info("request_refused", code=error.code, **error.context)
        return problem(error.code, error.public, error.status)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        return problem(f"http.{status}", f"{error.name}. Check the address and the method.", status)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.error("request_failed", path=request.path, cause=type(error).__name__, exc_info=error)
        return problem(AppError.code, AppError.public, 500)


def _health(app: Flask, runtime: Runtime) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> Response:
        well, found = health.run(checks(runtime))
        response = jsonify(status="ok" if well else "not ready", checks=found)
        response.status_code = 200 if well else 503
        return response

    @app.get("/metrics")
    def scrape() -> Response:
        if not _may_scrape(runtime.settings):
            return problem("auth.required", "Send a bearer token of METRICS_TOKENS.", 401)
        return Response(metrics.exposition() + gauges(runtime), mimetype="text/plain; version=0.0.4")


def _explanations(app: Flask, runtime: Runtime) -> None:
    """What the simulated desk shows beside a ticket. In sandbox mode only: it asks nobody who they are."""

    @app.get("/sandbox-explain/<connection>/<ticket>")
    def explain(connection: str, ticket: str) -> Response:
        with runtime.database.begin() as cx:
            judged = explain_ticket(cx, connection, ticket, derive=billing.relative_facts)
        return Response(render_text(judged), mimetype="text/plain")


def _may_scrape(settings: Settings) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    fits = [hmac.compare_digest(given, t.get_secret_value().encode()) for t in settings.metrics_tokens]
    return any(fits) or (not settings.metrics_tokens and request.remote_addr in ("127.0.0.1", "::1"))


GAUGES = {
    "inbox_depth": "Deliveries that wait",
    "inbox_age_seconds": "Age of the oldest delivery that waits",
    "inbox_quarantined": "Deliveries set aside",
    "outbox_depth": "Changes that wait to be sent",
    "outbox_age_seconds": "Age of the oldest change that waits",
    "outbox_dead": "Dead letters",
}
_GAUGES = sa.text(
    """
    SELECT (SELECT count(*) FROM delivery_key WHERE state = 'received') AS inbox_depth,
           (SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)
            FROM delivery_key WHERE state = 'received') AS inbox_age_seconds,
           (SELECT count(*) FROM delivery_key WHERE state = 'quarantined') AS inbox_quarantined,
           (SELECT count(*) FROM outbox WHERE state = 'pending') AS outbox_depth,
           (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)
            FROM outbox WHERE state = 'pending') AS outbox_age_seconds,
           (SELECT count(*) FROM outbox WHERE state = 'dead') AS outbox_dead
    """
)


def gauges(runtime: Runtime) -> bytes:
    """Depths and ages, read from the database at the moment of the scrape: the same from whichever process answers."""
    with runtime.database.begin() as cx:
        row = cx.execute(_GAUGES).mappings().one()
    lines = [f"# TYPE deskbridge_{name} gauge\ndeskbridge_{name} {float(value)}" for name, value in row.items()]
    return ("\n".join(lines) + "\n").encode()
