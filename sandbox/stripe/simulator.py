"""The simulated Stripe over HTTP: gate, lists, objects, events, refunds with idempotency, webhook endpoints."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from sandbox.base import Context, Sender, Simulator
from sandbox.base.simulator import HANG_S, Cut
from sandbox.stripe import crediting, lists, params
from sandbox.stripe.endpoints import Endpoints
from sandbox.stripe.errors import Denied, Invalid, body_of, new_request_id, refusal
from sandbox.stripe.events import Deliveries, retry, sign
from sandbox.stripe.expand import expanded
from sandbox.stripe.gate import API_KEY, SECRET_KEY, enter
from sandbox.stripe.idempotency import Answer, Keys
from sandbox.stripe.objects import Object
from sandbox.stripe.refunds import Practice, Silence
from sandbox.stripe.state import State
from sandbox.world import build_world

__all__ = ["API_KEY", "SECRET_KEY", "build", "retry", "sign"]


def build(context: Context) -> Flask:
    """The app; its state can be reached as `context.simulators["stripe"].state`."""
    simulator = Simulator("stripe", context, lambda: enter(simulator, state))
    state = State(context, build_world(context.seed, context.now(), getattr(context, "scale", 1)))
    sender = Sender(context, simulator.ledger, retry)
    deliveries = Deliveries(state, sender, simulator.ledger)
    endpoints = Endpoints(state, deliveries)
    simulator.state = state  # type: ignore[attr-defined]
    simulator.sender = sender  # type: ignore[attr-defined]
    simulator.endpoints = endpoints  # type: ignore[attr-defined]
    api = _Api(state, Keys(context))
    simulator.keys = api.keys  # type: ignore[attr-defined]
    _reading(simulator.app, api, deliveries)
    _writing(simulator.app, api)
    _hooks(simulator.app, api, endpoints)
    _refusing(simulator.app)
    return simulator.app


class _Api:
    """What all routes need: reads under the lock, writes through the idempotency layer."""

    def __init__(self, state: State, keys: Keys) -> None:
        self.state = state
        self.keys = keys
        self.practice = Practice(state)

    def read(self, work: Callable[[Mapping[str, Any]], Object]) -> Response:
        """Serialise under the lock, so that no answer is half of one state and half of the next."""
        with self.state.context.lock:
            body = json.dumps(work(params.tree(request.args.items(multi=True))))
        return Response(body, mimetype="application/json")

    def write(self, work: Callable[[Mapping[str, Any]], Object]) -> Response:
        """A POST, once for each Idempotency-Key."""
        asked = params.of_form(request.get_data())
        key = request.headers.get("Idempotency-Key", "")
        parameters = f"{request.method} {request.path} {json.dumps(asked, sort_keys=True)}"
        if request.path == "/v1/refunds":
            self.practice.at_the_gate(asked, key, parameters)
        silent: list[bool] = []
        done = self.keys.run(key, parameters, lambda: self._work(work, asked, key, silent))
        if key:
            g.headers |= {"Idempotency-Key": key, "Original-Request": done.request_id}
        if done.replayed:
            g.headers["Idempotent-Replayed"] = "true"
        if silent:
            time.sleep(HANG_S / self.state.context.time_factor)
            raise Cut
        return Response(done.body, done.status, mimetype="application/json")

    def _work(self, work: Callable[[Mapping[str, Any]], Object], asked: Mapping[str, Any], key: str,
              silent: list[bool]) -> Answer:  # fmt: skip
        with self.state.context.lock:
            self.state.request = {"id": g.request_id, "idempotency_key": key or None}
            try:
                made = expanded(self.state, work(asked), params.texts(asked, "expand"))
                return Answer(200, json.dumps(made), g.request_id)
            except Silence as silence:
                silent.append(True)
                return Answer(200, json.dumps(silence.made), g.request_id)
            except Invalid:
                raise
            except Denied as denied:
                return Answer(denied.status, json.dumps(body_of(denied, g.request_id)), g.request_id)
            finally:
                self.state.request = {"id": None, "idempotency_key": None}


def _reading(app: Flask, api: _Api, deliveries: Deliveries) -> None:
    state = api.state

    @app.get("/v1/<kind>")
    def listing(kind: str) -> Response:
        if kind == "events":
            return api.read(deliveries.listing)
        _known(kind)
        return api.read(lambda asked: lists.listing(state, kind, asked))

    @app.get("/v1/<kind>/<object_id>")
    def one(kind: str, object_id: str) -> Response:
        if kind == "events":
            return api.read(lambda asked: deliveries.one(object_id, asked))
        _known(kind)
        return api.read(lambda asked: lists.one(state, kind, object_id, asked))

    @app.get("/v1/invoices/<object_id>/lines")
    @app.get("/v1/credit_notes/<object_id>/lines")
    def lines(object_id: str) -> Response:
        kind = request.path.split("/")[2]
        return api.read(lambda asked: _inside(state, state.get(kind, object_id)["lines"]["data"], asked))

    @app.get("/v1/customers/<object_id>/payment_methods")
    def methods(object_id: str) -> Response:
        return api.read(lambda asked: _inside(
            state, state.of("payment_methods", customer=state.get("customers", object_id)["id"]), asked
        ))  # fmt: skip


def _inside(state: State, rows: list[Object], asked: Mapping[str, Any]) -> Object:
    """A page of what hangs on one object, in its own order."""
    params.known(asked, lists.PAGING)
    return lists.page(state, "lines", rows[::-1], asked, request.path)


def _known(kind: str) -> None:
    if kind not in lists.FILTERS:
        raise refusal(Denied("", f"Unrecognized request URL ({request.method}: {request.path}).", 404))


def _writing(app: Flask, api: _Api) -> None:
    @app.post("/v1/refunds")
    def refund() -> Response:
        return api.write(api.practice.create)

    @app.post("/v1/refunds/<refund_id>")
    def change_refund(refund_id: str) -> Response:
        return api.write(lambda asked: _metadata(api.state, "refunds", refund_id, asked))

    @app.post("/v1/credit_notes")
    def credit_note() -> Response:
        return api.write(lambda asked: crediting.create(api.state, asked))

    @app.post("/v1/customers")
    def customer() -> Response:
        return api.write(lambda asked: _customer(api.state, None, asked))

    @app.post("/v1/customers/<customer_id>")
    def change_customer(customer_id: str) -> Response:
        return api.write(lambda asked: _customer(api.state, customer_id, asked))

    @app.delete("/v1/customers/<customer_id>")
    def delete_customer(customer_id: str) -> Response:
        return api.read(lambda asked: api.state.delete_customer(customer_id))


def _metadata(state: State, kind: str, object_id: str, asked: Mapping[str, Any]) -> Object:
    params.known(asked, ("metadata", "expand"))
    found = state.get(kind, object_id)
    merged = {**found["metadata"], **params.table(asked, "metadata")}
    with state.changing(found, f"{kind.removesuffix('s')}.updated"):
        found["metadata"] = {name: value for name, value in merged.items() if value != ""}
    return found


def _customer(state: State, customer_id: str | None, asked: Mapping[str, Any]) -> Object:
    params.known(asked, ("email", "name", "metadata", "expand"))
    email, name = params.text(asked, "email"), params.text(asked, "name")
    if customer_id is None:
        return state.create_customer(email, name, metadata=params.table(asked, "metadata"))
    return state.update_customer(customer_id, email, name, params.table(asked, "metadata"))


def _hooks(app: Flask, api: _Api, endpoints: Endpoints) -> None:
    @app.post("/v1/webhook_endpoints")
    def create_endpoint() -> Response:
        return api.write(endpoints.create)

    @app.get("/v1/webhook_endpoints")
    def listing_endpoint() -> Response:
        return api.read(endpoints.listing)

    @app.get("/v1/webhook_endpoints/<endpoint_id>")
    def one_endpoint(endpoint_id: str) -> Response:
        return api.read(lambda asked: endpoints.one(endpoint_id, asked))

    @app.post("/v1/webhook_endpoints/<endpoint_id>")
    def change_endpoint(endpoint_id: str) -> Response:
        return api.write(lambda asked: endpoints.change(endpoint_id, asked))

    @app.delete("/v1/webhook_endpoints/<endpoint_id>")
    def delete_endpoint(endpoint_id: str) -> Response:
        return api.read(lambda asked: endpoints.delete(endpoint_id))


def _refusing(app: Flask) -> None:
    """Every refusal in Stripe's shape, also those of the framework."""

    @app.errorhandler(Denied)
    def denied(error: Denied) -> Response:
        request_id = g.get("request_id") or new_request_id()
        response = Response(json.dumps(body_of(error, request_id)), error.status, mimetype="application/json")
        if error.status == 429:
            response.headers["Retry-After"] = "2"
        return response

    @app.errorhandler(HTTPException)
    def framework(error: HTTPException) -> Response:
        return denied(Denied("", f"Unrecognized request URL ({request.method}: {request.path}).", error.code or 404))
