"""`/sandbox/desk/`: a simulated agent workspace around the real sidebar: tickets, conversation, whose eyes, the frame.

It opens the frame as Zendesk does, by a form with a signed token, and speaks the SDK's protocol with it (host.js). The
stand-in for the SDK itself is zaf.js; the sandbox has no internet to load the real one from.
"""

from __future__ import annotations

import secrets
import time
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, send_from_directory, url_for
from werkzeug.wrappers import Response as Answer

from sandbox.base import Context
from sandbox.desk import ready

HERE = Path(__file__).parent
INSTALLATION = 7001
SUBDOMAIN = "acme"
TOKEN_S = 300
LISTED = 40
REFUNDER, APPROVER = 501, 502  # of the simulated Zendesk, named so by the demo
PLACES = {
    "ticket_sidebar": "Ticket",
    "new_ticket_sidebar": "New ticket",
    "user_sidebar": "User page",
    "nav_bar": "Navigation bar",
}
SCHEMES = ("light", "dark")


class Signer:
    """The key with which this simulated Zendesk signs the app's tokens: a new one each start, so none is published."""

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public_pem(self) -> str:
        """What an admin gives to Deskbridge."""
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()

    def token(self, user_id: int, place: str, **changed: Any) -> str:  # noqa: ANN401 - claims
        """A token as Zendesk signs it (vendor sheet 1.12). changed: claims that differ, None leaves one out."""
        now = int(time.time())
        root = f"https://{SUBDOMAIN}.zendesk.com/api/v2"
        claims = {
            "iss": f"{SUBDOMAIN}.zendesk.com", "aud": f"{root}/apps/installations/{INSTALLATION}.json", "iat": now,
            "nbf": now, "exp": now + TOKEN_S, "jti": secrets.token_hex(16), "sub": f"{root}/users/{user_id}.json",
            "qsh": secrets.token_hex(32), "context": {"product": "support", "location": place}, **changed,
        }  # fmt: skip
        return jwt.encode({k: v for k, v in claims.items() if v is not None}, self.key, algorithm="RS256")


def pages(context: Context, signer: Signer) -> Blueprint:
    """The workspace's blueprint."""
    blueprint = Blueprint("host", __name__, url_prefix="/sandbox/desk", template_folder=str(HERE / "templates"))

    @blueprint.get("/")
    def newest() -> Answer:
        found = context.simulators["zendesk"].state.tickets
        if not found:
            return redirect("/sandbox/")
        scheme = request.args.get("scheme")
        one = ready.ticket(context) or max(found)
        return redirect(url_for("host.workspace", ticket_id=one, agent=REFUNDER, scheme=scheme))

    @blueprint.get("/tickets/<int:ticket_id>")
    def workspace(ticket_id: int) -> str:
        return render_template("host.html", **_view(context, ticket_id))

    @blueprint.post("/token")
    def token() -> Response:
        place = request.form.get("place", "ticket_sidebar")
        if place not in PLACES:
            abort(400)
        return jsonify(token=signer.token(int(request.form["agent"]), place))

    @blueprint.get("/public_key.pem")
    def public_key() -> Response:
        return Response(signer.public_pem(), mimetype="application/x-pem-file")

    @blueprint.get("/static/<name>")
    def static(name: str) -> Response:
        return send_from_directory(HERE / "host_static", name)

    @blueprint.after_request
    def strict(response: Response) -> Response:
        other = context.deskbridge_url
        framed = other or "'none'"
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src {framed}; "
            f"form-action 'self' {other}"
        )
        return response

    return blueprint


def _view(context: Context, ticket_id: int) -> dict[str, Any]:
    """What the page shows; what the frame's questions are answered from is in `told`."""
    state = context.simulators["zendesk"].state
    with context.lock:
        if ticket_id not in state.tickets:
            abort(404)
        ticket = dict(state.tickets[ticket_id])
        listed = [dict(t) for t in sorted(state.tickets.values(), key=lambda t: -t["id"])[:LISTED]]
        users = state.users
        comments = [{**c, "author": users[c["author_id"]]["name"]} for c in state.comments[ticket_id]]
        agents = sorted((u for u in users.values() if u["role"] in ("agent", "admin")), key=lambda u: u["id"])
        requester = users[ticket["requester_id"]]
    agent = next((a for a in agents if str(a["id"]) == request.args.get("agent")), agents[0])
    place = request.args.get("place", "ticket_sidebar")
    scheme = request.args.get("scheme", "light")
    place, scheme = place if place in PLACES else "ticket_sidebar", scheme if scheme in SCHEMES else "light"
    chosen = {"agent": agent["id"], "place": place, "scheme": scheme}
    nobody = request.args.get("requester") == "none"  # as on every new ticket until one is chosen
    told = _told(ticket, requester, agent, scheme) | ({"ticket.requester": None} if nobody else {})
    return {
        "ticket": ticket, "tickets": listed, "comments": comments, "agents": agents, "agent": agent,
        "requester": requester, "place": place, "places": PLACES, "scheme": scheme, "chosen": chosen,
        "deskbridge": context.deskbridge_url, "connection": request.args.get("connection", "zendesk_demo"),
        "wide": request.args.get("wide") == "1", "told": told, "nobody": nobody,
    }  # fmt: skip


def _told(ticket: dict[str, Any], requester: dict[str, Any], agent: dict[str, Any], scheme: str) -> dict[str, Any]:
    """The SDK's paths and their values."""
    person = {
        "id": requester["id"],
        "name": requester["name"],
        "email": requester["email"],
        "externalId": requester["external_id"],
    }
    return {
        "ticket.id": ticket["id"], "ticket.subject": ticket["subject"], "ticket.status": ticket["status"],
        "ticket.tags": ticket["tags"], "ticket.requester": person, "user": person, "user.id": person["id"],
        "currentUser": {
            "id": agent["id"], "name": agent["name"], "email": agent["email"], "role": agent["role"],
            "locale": agent["locale"],
            "timeZone": {"name": agent["time_zone"], "ianaName": agent["iana_time_zone"], "formattedOffset": "GMT+01:00"},
        },
        "currentAccount.subdomain": SUBDOMAIN, "colorScheme": scheme,
    }  # fmt: skip
