"""Our own pages in a tab of their own: entered from Zendesk by a code that works once, within a minute, then by a cookie.

The code is posted, so it is in no address and no log. What is here for now: who one is to Deskbridge, and the end of all
one's sessions.
"""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from app import agents, sessions
from app.agents import Agent
from app.sessions import Session
from app.ui import door
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError
from sidebar_app import answers, policy
from sidebar_app.parts import parts

COOKIE = "deskbridge_page"

blueprint = Blueprint("pages", __name__, url_prefix="/pages")


@blueprint.after_request
def strict(response: Response) -> Response:
    """A page of ours is never framed."""
    return door.page(response, parts().runtime.settings.public_url)


@blueprint.errorhandler(AppError)
def refuse(error: AppError) -> Answer:
    """The sentence of an error, as a page."""
    answers.log_refusal(error)
    return Response(render_template("pages/refused.html", error=error, version=parts().assets.version), error.status)


@blueprint.post("/enter")
def enter() -> Answer:
    """Exchange a code for a cookie. Posted from the frame in Zendesk, which is our own origin."""
    _own_origin()
    now = utc_now()
    with parts().runtime.database.begin() as cx:
        connection_id, person_id = sessions.take_code(cx, request.form.get("code", ""), now)
        secret = sessions.open_session(cx, connection_id, person_id, now, door="page")
    response = redirect("/pages/", 303)
    response.set_cookie(
        COOKIE, secret, path="/pages", httponly=True, samesite="Lax",
        secure=parts().runtime.settings.public_url.startswith("https://"),
    )  # fmt: skip
    return response


@blueprint.get("/")
def me() -> str:
    """Who the visitor is to Deskbridge."""
    with parts().runtime.database.begin() as cx:
        session, agent = _who(cx)
    return render_template(
        "pages/me.html", agent=agent, connection=session.connection_id, csrf=_csrf(), version=parts().assets.version
    )


@blueprint.post("/leave")
def leave() -> Answer:
    """End every session of the visitor, in Zendesk too."""
    _own_origin()
    door.check_csrf(request.cookies.get(COOKIE, ""))
    with parts().runtime.database.begin() as cx:
        session, _ = _who(cx)
        sessions.end_all(cx, session)
    response = Response(render_template("pages/left.html", version=parts().assets.version))
    response.delete_cookie(COOKIE, path="/pages")
    return response


def _who(cx: sa.Connection) -> tuple[Session, Agent]:
    """The visitor, who still works there. Raises SessionEnded, NotStaff, StaffUnknown."""
    now = utc_now()
    session = sessions.authenticate(cx, request.cookies.get(COOKIE, ""), now, door="page", slide=True)
    found = agents.find(cx, session.connection_id, [session.person_id]).get(session.person_id)
    return session, policy.check_agent(found, now)


def _csrf() -> str:
    return door.csrf_of(request.cookies.get(COOKIE, ""))


def _own_origin() -> None:
    door.own_origin(parts().runtime.settings.public_url)
