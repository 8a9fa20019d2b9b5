"""The sandbox's own port: what tests and the demo steer and look at, and the page of the simulated desk."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request

from sandbox.base import Context
from sandbox.base.sender import Mishaps
from sandbox.day import Day

SALESFORCE = 40  # its port, counted from ours


def build(context: Context) -> Flask:
    """The app of the base port."""
    app = Flask("sandbox.control", static_folder=None)
    day = Day(context)
    app.register_blueprint(_control(context, day))
    from sandbox.desk import host, intercom_inbox, mailbox
    from sandbox.desk.pages import pages

    app.register_blueprint(pages(context))
    app.register_blueprint(host.pages(context, host.Signer()))
    app.register_blueprint(intercom_inbox.pages(context))
    app.register_blueprint(mailbox.pages(str(host.HERE / "templates")))
    reps = f"http://127.0.0.1:{context.ports_from + SALESFORCE}/reps/" if "salesforce" in context.simulators else ""
    app.context_processor(lambda: {"reps": reps, "deskbridge": context.deskbridge_url})
    return app


def _control(context: Context, day: Day) -> Blueprint:
    blueprint = Blueprint("control", __name__, url_prefix="/sandbox")
    _steer(blueprint, context)
    _look(blueprint, context)
    _days(blueprint, day)
    return blueprint


def _steer(blueprint: Blueprint, context: Context) -> None:
    """What tests make happen at a vendor."""

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
        do = getattr(context.simulators[vendor].state, wanted["do"])
        return jsonify(answer=do(*wanted.get("args", ()), **wanted.get("kwargs", {})))


def _look(blueprint: Blueprint, context: Context) -> None:
    """What a vendor holds and what it counted."""

    @blueprint.get("/ledger/<vendor>")
    def ledger(vendor: str) -> Response:
        simulator = context.simulators[vendor]
        found = simulator.ledger.view(keys=request.args.get("keys") == "1")
        sender = getattr(simulator, "sender", None)  # Salesforce sends nothing by itself
        return jsonify(**found, pending=sender.pending() if sender else 0)

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

    @blueprint.get("/state/intercom")
    def conversations() -> Response:
        with context.lock:
            return jsonify(conversations=list(context.simulators["intercom"].state.conversations.values()))

    @blueprint.get("/state/salesforce/<kind>")
    def records(kind: str) -> Response:
        with context.lock:
            return jsonify(records=list(context.simulators["salesforce"].state.rows[kind].values()))

    @blueprint.get("/state/people")
    def people() -> Response:
        users = context.simulators["zendesk"].state.users.values()
        return jsonify(people=[u for u in users if u["role"] == "end-user"])

    @blueprint.get("/state/staff")
    def staff() -> Response:
        users = context.simulators["zendesk"].state.users.values()
        return jsonify(people=[u for u in users if u["role"] != "end-user"])

    @blueprint.get("/state/stripe/<kind>")
    def objects(kind: str) -> Response:
        with context.lock:
            return jsonify(objects=list(context.simulators["stripe"].state.lists[kind].values()))


def _days(blueprint: Blueprint, day: Day) -> None:
    """A day, or many tickets at once."""

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
