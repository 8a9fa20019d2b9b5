"""One simulated vendor as a Flask app: faults, latency, limits and the ledger around its routes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, jsonify, request

from sandbox.base.context import Context
from sandbox.base.faults import Faults
from sandbox.base.ledger import Ledger
from sandbox.base.limits import Windows

HANG_S = 60.0


class Refusal(Exception):
    """An answer of the vendor's that is no success; ends the request."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:  # noqa: ANN401 - JSON
        super().__init__(str(status))
        self.status = status
        self.body = body
        self.headers = headers or {}


class Cut(BaseException):
    """Close the connection without an answer: BaseException, so that no handler turns it into one."""


class Simulator:
    """name: the vendor. `before` is called for each request of the vendor's API and may raise Refusal."""

    def __init__(self, name: str, context: Context, before: Callable[[], None]) -> None:
        self.name = name
        self.context = context
        self.ledger = Ledger()
        self.windows = Windows(context.time_factor)
        self.faults = Faults(context.random(f"{name}-faults"))
        self.app = Flask(f"sandbox.{name}", static_folder=None)
        self._before = before
        self._hook()
        context.simulators[name] = self

    def _hook(self) -> None:
        @self.app.before_request
        def enter() -> Response | None:
            g.fault = self.faults.pick(request.method, request.path)
            if self.context.latency_s:
                time.sleep(self.context.latency_s)
            if (early := self._early(g.fault)) is not None:
                return early
            self._before()
            return None

        @self.app.after_request
        def leave(response: Response) -> Response:
            self.ledger.call(_operation(), response.status_code)
            for name, value in g.get("headers", {}).items():
                response.headers[name] = value
            if (fault := g.get("fault")) and fault["kind"] == "cut_after":
                raise Cut
            return response

        @self.app.errorhandler(Refusal)
        def refused(refusal: Refusal) -> Response:
            response = jsonify(refusal.body)
            response.status_code = refusal.status
            response.headers.extend(refusal.headers)
            return response

    def _early(self, fault: dict[str, Any] | None) -> Response | None:
        """Faults that strike before the vendor acts."""
        if fault is None:
            return None
        if fault["kind"] == "cut_before":
            raise Cut
        if fault["kind"] == "hang":
            time.sleep(min(HANG_S, fault.get("seconds", HANG_S)))
            raise Cut
        if fault["kind"] == "delay":
            time.sleep(fault.get("seconds", 1.0))
        if fault["kind"] == "status":
            return Response(
                fault.get("body", "{}"), fault.get("status", 500), fault.get("headers"), mimetype="application/json"
            )
        return None


def _operation() -> str:
    """Method and rule of the request. One rule for many kinds of object is told by its kind: events are no charges."""
    rule = request.url_rule.rule if request.url_rule else request.path
    return f"{request.method} {rule}".replace("<kind>", str((request.view_args or {}).get("kind", "<kind>")))
