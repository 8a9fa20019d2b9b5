"""The sandbox's own port: what tests and the demo steer and look at, and the page of the simulated desk."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request

from sandbox.base import Context
from sandbox.base.sender import Mishaps
from sandbox.day import Day


def build(context: Context) -> Flask:
    """The app of the base port."""
    app = Flask("sandbox.control", static_folder=None)
    day = Day(context)
    app.register_blueprint(_control(context, day))
    from sandbox.desk.pages import pages

    app.register_blueprint(pages(context))
    return app


def _control(context: Context, day: Day) -> Blueprint:
    blueprint = Blueprint("control", __name__, url_prefix="/sandbox")

    @blueprint.get("/ledger/<vendor>")
    def ledger(vendor: str) -> Response:
        simulator = context.simulators[vendor]
        found = simulator.ledger.view(keys=request.args.get("keys") == "1")
        return jsonify(**found, pending=simulator.sender.pending())

    @blueprint.post("/control/<vendor>/reset")
    def reset(vendor: str) -> Response:
        context.simulators[vendor].ledger.reset_calls()
        return jsonify(ok=True)

    @blueprint.post("/control/<vendor>/faults")
    def faults(vendor: str) -> Response:
        context.simulators[vendor].faults.set(request.get_json())
        return jsonify(ok=True)

    @blueprint.post("/control/<vendor>/mishaps")
    def mishaps(vendor: str) -> Response:
        context.simulators[vendor].sender.mishaps = Mishaps(**request.get_json())
        return jsonify(ok=True)

    @blueprint.post("/control/zendesk/intrude")
    def intrude() -> Response:
        context.simulators["zendesk"].state.intruders = request.get_json()["tags"]
        return jsonify(ok=True)

    @blueprint.post("/control/<vendor>/act")
    def act(vendor: str) -> Response:
        wanted: dict[str, Any] = request.get_json()
        answer = getattr(context.simulators[vendor].state, wanted["do"])(
            *wanted.get("args", ()), **wanted.get("kwargs", {})
        )
        return jsonify(answer=answer)

    @blueprint.get("/state/zendesk/<int:ticket_id>")
    def ticket(ticket_id: int) -> Response:
        state = context.simulators["zendesk"].state
        with context.lock:
            return jsonify(ticket=state.tickets[ticket_id], comments=state.comments[ticket_id])

    @blueprint.get("/state/zendesk")
    def tickets() -> Response:
        state = context.simulators["zendesk"].state
        with context.lock:
            return jsonify(tickets=list(state.tickets.values()))

    @blueprint.post("/control/day")
    def start() -> Response:
        day.start(**(request.get_json(silent=True) or {}))
        return jsonify(asdict(day.progress))

    @blueprint.post("/control/burst")
    def burst() -> Response:
        day.burst(int(request.get_json()["tickets"]))
        return jsonify(asdict(day.progress))

    @blueprint.get("/control/day")
    def progress() -> Response:
        return jsonify(asdict(day.progress))

    return blueprint
