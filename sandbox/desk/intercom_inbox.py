"""`/sandbox/inbox/`: a simulated Intercom inbox. It signs what the real one signs, and draws the canvases that come back.

A page without scripts: each click is a form; the canvas goes through the browser and back, as with Intercom.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from flask import Blueprint, abort, render_template, request

from sandbox.base import Context, strict
from sandbox.intercom.canvas_schema import CANVAS, MOST_BYTES
from sandbox.intercom.hooks import CLIENT_SECRET
from sandbox.intercom.shapes import WORKSPACE

ANSWER_S = 10.0  # reported: how long Intercom waits for a canvas
LISTED = 200
Json = dict[str, Any]


def pages(context: Context) -> Blueprint:
    """The inbox's blueprint."""
    templates = str(Path(__file__).parent / "templates")
    blueprint = Blueprint("inbox", __name__, url_prefix="/sandbox/inbox", template_folder=templates)

    @blueprint.get("/")
    def inbox() -> str:
        state = context.simulators["intercom"].state
        with context.lock:
            found = [_row(state, one) for one in reversed(list(state.conversations.values()))][:LISTED]
        return render_template("inbox.html", rows=found, scheme=_scheme())

    @blueprint.route("/<conversation_id>", methods=["GET", "POST"])
    def beside(conversation_id: str) -> str:
        state = context.simulators["intercom"].state
        with context.lock:
            if conversation_id not in state.conversations:
                abort(404)
            row = _row(state, state.conversations[conversation_id])
            admins = [dict(one) for one in state.admins.values()]
            taking_part = state.conversations[conversation_id]["contacts"]["contacts"]
            contacts = [dict(state.contact(one["id"])) for one in taking_part]
        admin = next((a for a in admins if a["id"] == request.values.get("admin")), admins[0])
        contact = next((c for c in contacts if c["id"] == request.args.get("contact")), contacts[0])
        canvas, problems = ask(context, admin, {"id": conversation_id}, contact)
        return render_template(
            "inbox_app.html", row=row, admins=admins, admin=admin, scheme=_scheme(), canvas=canvas, problems=problems,
            sent=json.dumps(canvas), contacts=contacts, contact=contact,
        )  # fmt: skip

    strict(blueprint, "style-src 'unsafe-inline'; form-action 'self'")
    return blueprint


def _row(state: Any, conversation: Mapping[str, Any]) -> Json:  # noqa: ANN401 - the simulator's state
    contact_id = conversation["contacts"]["contacts"][0]["id"]
    return {
        "id": conversation["id"], "state": conversation["state"], "text": conversation["source"]["body"],
        "contact_id": contact_id, "name": state.contacts[contact_id]["name"],
        "tags": [one["name"] for one in conversation["tags"]["tags"]],
    }  # fmt: skip


def ask(context: Context, admin: Json, conversation: Json, contact: Json) -> tuple[Json, list[str]]:
    """(the canvas, what is wrong with it): opened by a GET of the page, clicked by a POST."""
    body: Json = {
        "workspace_id": WORKSPACE, "workspace_region": "US", "admin": admin, "conversation": conversation,
        "contact": contact, "card_creation_options": {},
        "context": {"conversation_id": conversation["id"], "location": "conversation", "locale": "en", "referrer": ""},
    }  # fmt: skip
    path = "initialize"
    if request.method == "POST":
        path = "submit"
        typed = {name.removeprefix("input/"): v for name, v in request.form.items() if name.startswith("input/")}
        body |= {
            "component_id": request.form.get("component", ""), "current_canvas": json.loads(request.form["canvas"]),
            "input_values": typed,
        }  # fmt: skip
    connection = request.args.get("connection", "intercom_demo")
    return _posted(f"{context.deskbridge_url}/intercom/canvas/{connection}/{path}", body)


def signed(document: Json) -> tuple[bytes, dict[str, str]]:
    """The bytes that are sent, and their headers. Source: vendor sheet 2.2."""
    body = json.dumps(document).encode()
    digest = hmac.new(CLIENT_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {"X-Body-Signature": digest, "Content-Type": "application/json"}


def _posted(url: str, document: Json) -> tuple[Json, list[str]]:
    body, headers = signed(document)
    session = requests.Session()
    session.trust_env = False
    try:
        answer = session.post(url, data=body, headers=headers, timeout=ANSWER_S)
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        return {}, [f"Deskbridge did not answer with a canvas ({type(error).__name__}); is `flask web` running?"]
    finally:
        session.close()
    if answer.status_code != 200:
        return {}, [f"{answer.status_code}: {found.get('title', '')}"]
    return found.get("canvas", {}), problems(found)


def problems(document: Json) -> list[str]:
    """Why an inbox would not show it; empty when it would."""
    from jsonschema import Draft202012Validator  # of the development requirements: the sandbox itself runs without

    found = [f"{one.json_path}: {one.message[:200]}" for one in Draft202012Validator(CANVAS).iter_errors(document)]
    canvas = document.get("canvas", {})
    sizes = {name: len(json.dumps(canvas.get(name)).encode()) for name in ("content", "stored_data")}
    return found + [f"{name} is larger than {MOST_BYTES} bytes" for name, size in sizes.items() if size > MOST_BYTES]


def _scheme() -> str:
    return "dark" if request.args.get("scheme") == "dark" else "light"
