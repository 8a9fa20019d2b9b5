"""`/sandbox/`: the desk's tickets with tags and notes; one ticket with its conversation and the explanation."""

from __future__ import annotations

from pathlib import Path

import requests
from flask import Blueprint, abort, render_template, request

from sandbox.base import Context, strict

LISTED = 200
EXPLAIN_S = 3.0


def pages(context: Context) -> Blueprint:
    """The pages' blueprint."""
    blueprint = Blueprint(
        "desk", __name__, url_prefix="/sandbox", template_folder=str(Path(__file__).parent / "templates")
    )

    @blueprint.get("/")
    def desk() -> str:
        wanted = request.args.get("tag", "").strip().lower()
        state = context.simulators["zendesk"].state
        with context.lock:
            found = sorted(state.tickets.values(), key=lambda t: -t["id"])
            rows = [dict(t) for t in found if not wanted or any(wanted in tag for tag in t["tags"])][:LISTED]
            for row in rows:
                row["requester"] = state.users[row["requester_id"]]["name"]
        return render_template("desk.html", rows=rows, total=len(found), tag=wanted, scheme=_scheme())

    @blueprint.get("/tickets/<int:ticket_id>")
    def ticket(ticket_id: int) -> str:
        state = context.simulators["zendesk"].state
        with context.lock:
            if ticket_id not in state.tickets:
                abort(404)
            row = dict(state.tickets[ticket_id])
            row["requester"] = state.users[row["requester_id"]]
            comments = [{**c, "author": state.users[c["author_id"]]["name"]} for c in state.comments[ticket_id]]
        return render_template(
            "ticket.html",
            ticket=row,
            comments=comments,
            why=_lines(_why(context, ticket_id)),
            scheme=_scheme(),
            prefix="db_",
        )

    strict(blueprint, "style-src 'unsafe-inline'; form-action 'self'")
    return blueprint


def _scheme() -> str:
    return "dark" if request.args.get("scheme") == "dark" else "light"


def _lines(text: str) -> list[tuple[int, str]]:
    """(depth, line): columns made of spaces are no columns on a narrow screen."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [(0 if not line.startswith(" ") else 1 if line[:6].strip() else 2, " ".join(line.split())) for line in lines]


def _why(context: Context, ticket_id: int) -> str:
    """Deskbridge's own explanation, fetched by this server; a sentence when there is none."""
    if not context.deskbridge_url:
        return "Start the sandbox with --deskbridge-url to see why each rule did or did not fire."
    session = requests.Session()
    session.trust_env = False
    try:
        url = f"{context.deskbridge_url}/sandbox-explain/zendesk_demo/{ticket_id}"
        answer = session.get(url, timeout=EXPLAIN_S)
    except requests.RequestException:
        return "Deskbridge does not answer; is `flask web` running?"
    return answer.text if answer.ok else "Deskbridge has no explanation for this ticket yet."
