"""The console's blueprint, who is signed in on it, and how a page of it is answered.

One cookie serves `/admin` and `/approvals`: both are for people of ours, by name, with the role that is written down now.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, current_app, g, redirect, render_template, request
from flask.sansio.app import App
from werkzeug.wrappers import Response as Answer

from app import access, sessions
from app.access import CONSOLE, Actor, Role
from app.runtime import Runtime
from app.sessions.policy import LINK_LIFE
from app.sessions.service import SessionEnded
from app.telemetry.logs import get_logger
from app.ui import door
from app.ui.assets import SHARED, Assets
from app.ui.words import Reader, reader
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError

HERE: Final = Path(__file__).parent
COOKIE: Final = "deskbridge_console"
ZONE: Final = "deskbridge_zone"
NEXT: Final = "deskbridge_next"
MOST_ADDRESS: Final = 500
PATHS: Final = ("/admin", "/approvals")
NAME: Final = "deskbridge.admin"

_PAGE: Final = re.compile(r"/admin/[A-Za-z0-9_/.-]*(\?[A-Za-z0-9_%&=+~.:-]*)?")

log = get_logger(__name__)
blueprint = Blueprint("admin", __name__, url_prefix="/admin", template_folder=str(HERE / "templates"))


@blueprint.record_once
def mount(state: object) -> None:
    """Read the pages' files once a process."""
    app: App = state.app  # type: ignore[attr-defined]
    app.extensions[NAME] = Assets(SHARED, HERE / "static")
    app.add_url_rule("/", f"{blueprint.name}.home", lambda: redirect("/admin/"))


def runtime() -> Runtime:
    """The runtime the app was built with."""
    found: Runtime = current_app.extensions["deskbridge"]
    return found


def assets() -> Assets:
    """Styles and scripts of these pages."""
    found: Assets = current_app.extensions[NAME]
    return found


@blueprint.after_request
def strict(response: Response) -> Response:
    """The headers of every page."""
    return door.page(response, runtime().settings.public_url)


@blueprint.errorhandler(AppError)
def refuse(error: AppError) -> Answer:
    """The sentence of an error, as a page; who is not signed in may ask for a link there."""
    log.info("admin_refused", code=error.code, endpoint=request.endpoint, **error.context)
    response = Response(page("refused", error=error, actor=g.get("visitor")), error.status)
    if error.status == 401 and request.method == "GET":
        target = request.full_path.rstrip("?")[:MOST_ADDRESS]
        response.set_cookie(
            NEXT, target, max_age=LINK_LIFE, path="/admin", httponly=True, samesite="Lax", secure=_https()
        )
    return response


def wanted() -> str:
    """Where somebody wanted to go before they had to sign in; a page of the console, nothing else."""
    asked = request.cookies.get(NEXT, "")
    return asked if _PAGE.fullmatch(asked) else "/admin/"


def enter(code: str, now: datetime) -> str:
    """Exchange a one-time code for a session; answers its secret. Raises SessionEnded."""
    with runtime().database.begin() as cx:
        connection_id, person_id = sessions.take_code(cx, code, now)
        if connection_id != CONSOLE:
            raise SessionEnded
        return sessions.open_session(cx, CONSOLE, person_id, now, door="page")


def set_cookie(response: Answer, secret: str) -> None:
    """Let this browser in, on every page of the console."""
    for path in PATHS:
        response.set_cookie(COOKIE, secret, path=path, httponly=True, samesite="Lax", secure=_https())


def keep(response: Answer, name: str, value: str, life: timedelta) -> None:
    """A small thing to remember of this browser; no secret."""
    response.set_cookie(name, value, max_age=life, path="/admin", httponly=True, samesite="Lax", secure=_https())


def drop_cookie(response: Answer) -> None:
    """Forget it there."""
    for path in PATHS:
        response.delete_cookie(COOKIE, path=path)


def secret() -> str:
    """What this browser is let in by."""
    return request.cookies.get(COOKIE, "")


def who(least: Role) -> Actor:
    """The person at the page. Raises SessionEnded, NotFound, NotAllowed."""
    now = utc_now()
    with runtime().database.begin() as cx:
        session = sessions.authenticate(cx, secret(), now, door="page", slide=True)
        if session.connection_id != CONSOLE:
            raise SessionEnded
        actor = access.named(cx, session.person_id, now)
    if actor.role.is_at_least(Role.APPROVER):
        g.visitor = actor
    actor.must(least, now)
    return actor


def writer(least: Role) -> Actor:
    """As `who`, for a form of our own page. Raises WrongOrigin."""
    door.own_origin(runtime().settings.public_url)
    actor = who(least)
    door.check_csrf(secret())
    return actor


def leave() -> None:
    """End every session of the person at the page."""
    with runtime().database.begin() as cx:
        sessions.end_all(cx, sessions.authenticate(cx, secret(), utc_now(), door="page"))


def told() -> Reader:
    """The visitor's language, and the zone their browser said when they signed in."""
    return reader(request.accept_languages.best or "", request.cookies.get(ZONE, ""), utc_now())


def page(name: str, **values: object) -> str:
    """One page. actor: who looks, None for nobody."""
    values.setdefault("csrf", door.csrf_of(secret()))
    return render_template(f"admin/{name}.html", version=assets().version, **values)


def _https() -> bool:
    return runtime().settings.public_url.startswith("https://")
