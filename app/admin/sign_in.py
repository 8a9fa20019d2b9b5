"""In by a link that works once, out by a button; and how one asks for another link.

The link's page exchanges nothing by itself: programs that look at links in e-mails must not use it up. Its button does.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Response, redirect, request
from werkzeug.wrappers import Response as Answer

from app import audit
from app.access import Role
from app.admin import asking, console
from app.admin.console import blueprint, page, runtime
from app.ui import door
from integrations.kernel.clock import utc_now

SCRIPTED = door.PAGE_CSP + "; script-src 'self'"  # one module, which says the browser's zone
ZONE_LIFE = timedelta(days=400)


@blueprint.get("/assets/<version>/<name>")
def asset(version: str, name: str) -> Response:
    """Styles and scripts."""
    return console.assets().get(version, name)


@blueprint.get("/enter")
def look() -> Response:
    """Where the link leads."""
    response = Response(page("enter", code=request.args.get("code", "")[:200], actor=None))
    response.headers["Content-Security-Policy"] = SCRIPTED
    return response


@blueprint.post("/enter")
def enter() -> Answer:
    """Exchange the code for the console's cookie."""
    door.own_origin(runtime().settings.public_url)
    secret = console.enter(request.form.get("code", ""), utc_now())
    response = redirect(console.wanted(), 303)
    response.delete_cookie(console.NEXT, path="/admin")
    console.set_cookie(response, secret)
    zone = request.form.get("zone", "")[:64]
    console.keep(response, console.ZONE, zone, ZONE_LIFE)
    return response


@blueprint.get("/ask")
def ask() -> str:
    """Who has no link writes their address here."""
    return page("ask", actor=None, asked=False)


@blueprint.post("/ask")
def send() -> str:
    """The same answer to everybody."""
    door.own_origin(runtime().settings.public_url)
    with runtime().database.begin() as cx:
        asking.ask(
            cx, runtime().settings.public_url, request.form.get("email", ""), request.remote_addr or "", utc_now()
        )
    return page("ask", actor=None, asked=True)


@blueprint.post("/leave")
def leave() -> Answer:
    """End every session of the visitor."""
    actor = console.writer(Role.APPROVER)
    console.leave()
    with runtime().database.begin() as cx:
        audit.record(cx, actor.person_id, "access.signed_out", actor.person_id)
    response = Response(page("left", actor=None))
    console.drop_cookie(response)
    return response
