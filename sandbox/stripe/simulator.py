"""The simulated Stripe: keys, limits, lists, objects, events, refunds with idempotency, webhook endpoints."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask, Response, g, jsonify, request

from integrations.kernel.clock import utc_now
from sandbox.base import Context, Endpoint, Refusal, Sender, Simulator
from sandbox.stripe.objects import Object
from sandbox.stripe.state import State
from sandbox.world import build_world

API_KEY = "rk_test_sandbox_not_safe"
CALLS = 25  # a second, a sandbox account's limit


def sign(secret: str, body: bytes) -> Mapping[str, str]:
    """Stripe-Signature, signed now."""
    stamp = str(int(utc_now().timestamp()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={digest}"}


def retry(attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
    """Anything but 2xx is tried again, with growing pauses (vendor sheet 3.1)."""
    return float(2 ** min(attempt, 6)) if attempt <= 12 else None


def error(status: int, code: str, message: str, kind: str = "invalid_request_error") -> Refusal:
    """An error in Stripe's shape."""
    body = {
        "error": {
            "code": code,
            "message": message,
            "type": kind,
            "doc_url": f"https://stripe.com/docs/error-codes/{code}",
        }
    }
    return Refusal(status, body, {"Request-Id": f"req_{secrets.token_hex(7)}"})


def build(context: Context) -> Flask:
    """The app; its state can be reached as `context.simulators["stripe"].state`."""
    simulator = Simulator("stripe", context, lambda: _before(simulator))
    state = State(context, build_world(context.seed))
    sender = Sender(context, simulator.ledger, retry)
    endpoints: dict[str, dict[str, Any]] = {}
    simulator.state = state  # type: ignore[attr-defined]
    simulator.sender = sender  # type: ignore[attr-defined]

    def deliver(event: Object) -> None:
        for endpoint in endpoints.values():
            if {"*", event["type"]} & set(endpoint["enabled_events"]):
                sender.send(Endpoint(endpoint["id"], endpoint["url"], endpoint["secret"], sign), event["id"], event)

    state.listeners.append(deliver)
    _lists(simulator.app, state)
    _refunds(simulator.app, state)
    _endpoints(simulator.app, state, endpoints)
    return simulator.app


def _before(simulator: Simulator) -> None:
    if request.headers.get("Authorization") != f"Bearer {API_KEY}":
        raise error(401, "api_key_invalid", "Invalid API Key provided")
    g.headers = {
        "Request-Id": f"req_{secrets.token_hex(7)}",
        "Stripe-Version": request.headers.get("Stripe-Version", ""),
    }
    if simulator.context.limits:
        _, wait = simulator.windows.take("account", CALLS, 1.0)
        if wait > 0:
            raise error(429, "rate_limit", "Too many requests", "rate_limit_error")


def _lists(app: Flask, state: State) -> None:
    @app.get("/v1/<kind>")
    def listing(kind: str) -> Response:
        rows = state.events if kind == "events" else state.lists.get(kind)
        if rows is None:
            raise error(404, "resource_missing", f"Unrecognized request URL (GET: /v1/{kind})")
        with state.context.lock:
            found = _page(kind, list(rows.values())[::-1])
        return jsonify(found)

    @app.get("/v1/<kind>/<object_id>")
    def one(kind: str, object_id: str) -> Response:
        rows = state.events if kind == "events" else state.lists.get(kind, {})
        if object_id not in rows:
            raise error(404, "resource_missing", f"No such {kind[:-1]}: '{object_id}'")
        with state.context.lock:
            return jsonify(_shown(rows[object_id], request.args.getlist("expand[]"), ""))


def _page(kind: str, rows: list[Object]) -> Object:
    """Newest first, filtered, after `starting_after`."""
    limit = request.args.get("limit", "10")
    if not limit.isdigit() or not 1 <= int(limit) <= 100:
        raise error(400, "parameter_invalid_integer", "limit must be from 1 to 100")
    for operator, keep in (
        ("gte", lambda a, b: a >= b),
        ("gt", lambda a, b: a > b),
        ("lte", lambda a, b: a <= b),
        ("lt", lambda a, b: a < b),
    ):
        if (bound := request.args.get(f"created[{operator}]", "")).isdigit():
            rows = [row for row in rows if keep(row["created"], int(bound))]
    if kind == "subscriptions" and request.args.get("status") != "all":
        rows = [row for row in rows if row["status"] != "canceled"]
    for name in ("customer", "charge", "payment_intent", "invoice", "type"):
        if value := request.args.get(name):
            rows = [row for row in rows if row.get(name) == value]
    if after := request.args.get("starting_after"):
        ids = [row["id"] for row in rows]
        if after not in ids:
            raise error(400, "resource_missing", f"No such object: '{after}'")
        rows = rows[ids.index(after) + 1 :]
    page = rows[: int(limit)]
    expand = request.args.getlist("expand[]")
    return {
        "object": "list", "data": [_shown(row, expand, "data.") for row in page], "has_more": len(rows) > len(page),
        "url": f"/v1/{kind}",
    }  # fmt: skip


def _shown(o: Object, expand: list[str], prefix: str) -> Object:
    """An object as an answer holds it: discounts by id unless they were asked for."""
    if not o.get("discounts"):
        return o
    shown = dict(o)
    wanted = {path.removeprefix(prefix) for path in expand}
    if "discounts" not in wanted and "discounts.source.coupon" not in wanted:
        shown["discounts"] = [d["id"] for d in o["discounts"]]
    elif "discounts.source.coupon" not in wanted:
        shown["discounts"] = copy.deepcopy(o["discounts"])
        for d in shown["discounts"]:
            d["source"]["coupon"] = d["source"]["coupon"]["id"]
    return shown


def _form() -> dict[str, str]:
    return dict(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))


def _refunds(app: Flask, state: State) -> None:
    """Stored results by idempotency key, as vendor sheet 3.3: validation failures are not stored."""
    stored: dict[str, tuple[str, Object]] = {}

    @app.post("/v1/refunds")
    def create_refund() -> Response:
        form, key = _form(), request.headers.get("Idempotency-Key", "")
        text = json.dumps(form, sort_keys=True)
        if key and key in stored:
            if stored[key][0] != text:
                raise error(
                    400, "idempotency_error", "Keys can only be used with the same parameters", "idempotency_error"
                )
            g.headers["Idempotent-Replayed"] = "true"
            return jsonify(stored[key][1])
        charge = state.lists["charges"].get(form.get("charge", ""))
        if charge is None:
            raise error(404, "resource_missing", "No such charge")
        if charge["disputed"]:
            raise error(400, "charge_disputed", "The charge has been charged back")
        left = charge["amount_captured"] - charge["amount_refunded"]
        if left == 0:
            raise error(400, "charge_already_refunded", "Charge has already been refunded.")
        amount = form.get("amount", str(left))
        if not amount.isdigit() or not 0 < int(amount) <= left:
            raise error(400, "amount_too_large", "Refund amount is greater than unrefunded amount on charge")
        refund = state.refund(charge["id"], int(amount), form.get("reason") or None)
        refund["metadata"] = {m[1]: v for k, v in form.items() if (m := re.fullmatch(r"metadata\[(.+)\]", k))}
        if key:
            stored[key] = (text, copy.deepcopy(refund))
        return jsonify(refund)


def _endpoints(app: Flask, state: State, endpoints: dict[str, dict[str, Any]]) -> None:
    @app.post("/v1/webhook_endpoints")
    def create_endpoint() -> Response:
        pairs = parse_qsl(request.get_data(as_text=True))
        url = dict(pairs).get("url", "")
        kinds = [value for name, value in pairs if name.startswith("enabled_events")]
        if not url or not kinds:
            raise error(400, "parameter_missing", "url and enabled_events are required")
        made = {
            "id": state.new_id("we"), "object": "webhook_endpoint", "api_version": None, "application": None,
            "created": state.now(), "description": None, "enabled_events": kinds, "livemode": False, "metadata": {},
            "status": "enabled", "url": url, "secret": f"whsec_{secrets.token_hex(16)}",
        }  # fmt: skip
        endpoints[made["id"]] = made
        return jsonify(made)
