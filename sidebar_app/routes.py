"""The routes of the panel. Each but the page itself begins with `identity.visit`, the one check of who asks for what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify, request

from app import sessions
from app.config import Settings
from app.sessions import Subject
from app.ui import door
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError, NotAllowed
from sidebar_app import answers, panel, payers, reading, two_facts, unchanged, why
from sidebar_app.identity import Asked, Visit, check_opener, enter, visit
from sidebar_app.parts import mount, parts

HERE = Path(__file__).parent
EVER = datetime.min.replace(tzinfo=UTC)
KINDS = "<any(tickets, people):kind>"

blueprint = Blueprint("sidebar", __name__, url_prefix="/sidebar", template_folder=str(HERE / "templates"))
blueprint.record_once(lambda state: mount(state.app))
blueprint.after_request(answers.secure)


class NotHere(NotAllowed):
    code, public = "sidebar.view_only", "This page is for looking only."


@blueprint.errorhandler(AppError)
def refuse(error: AppError) -> Response:
    """The sentence of an error, in the panel's place."""
    answers.log_refusal(error)
    if request.endpoint in ("sidebar.page", "sidebar.page_opened_directly"):
        return answers.refused_page(error, "")
    return answers.refused(error)


@blueprint.post("/<connection>")
def page(connection: str) -> Response:
    """The page, opened by Zendesk's signed form."""
    runtime = parts().runtime
    account = runtime.connections.account(connection, "zendesk")
    subdomain = str(account.config.get("subdomain", ""))
    try:
        bearer, location = enter(runtime, connection, request.form.get("token", ""), utc_now())
    except AppError as error:
        answers.log_refusal(error)
        return answers.refused_page(error, subdomain)
    return answers.page(connection, subdomain, bearer, location)


@blueprint.get("/<connection>")
def page_opened_directly(connection: str) -> Response:
    """The same address in a browser of its own: nobody signed it, so it says what to do and shows nothing."""
    raise answers.OpenInZendesk


@blueprint.get("/assets/<version>/<name>")
def asset(version: str, name: str) -> Response:
    """Scripts and styles."""
    return parts().assets.get(version, name)


@blueprint.post(f"/<connection>/{KINDS}/<subject>/open")
def first(connection: str, kind: str, subject: str) -> Response:
    """The page says what it is about, and is shown it. A ticket that never reached us is asked for."""
    own_origin()
    with visiting(connection, kind, subject, bind=True) as (cx, who):
        found = panel.build(cx, who, _settings(), parts().accounts())
        if found.state == "unknown":
            reading.want_ticket(cx, who)
    if found.state == "unknown":
        parts().bell.ring()
    return answers.fragment("panel.html", panel=found, told=who.reader)


@blueprint.get(f"/<connection>/{KINDS}/<subject>/panel")
def again(connection: str, kind: str, subject: str) -> Response:
    """The panel as it is now; what a visible page asks for every few seconds."""
    last, asked = parts().unchanged, request.query_string
    with visiting(connection, kind, subject, slide=True) as (cx, who):
        page, inputs = (who.by, str(who.subject), who.session.location, asked), _inputs(who)
        now = last.now(cx, page) if request.if_none_match else ""
        tag = last.tag(page, inputs, now)
        if tag and tag in request.if_none_match:
            return answers.same(tag)
        with unchanged.recorded(cx) as statements:
            found = _panel(cx, who)
    response = answers.fragment("panel.html", panel=found, told=who.reader)
    last.keep(page, inputs, statements, now, response.get_etag()[0] or "")
    return response


@blueprint.post("/<connection>/tickets/<subject>/choose")
def choose(connection: str, subject: str) -> Response:
    """One of several payers: shown, and remembered where their match is more than an unverified address."""
    own_origin()
    with visiting(connection, "tickets", subject) as (cx, who):
        found = panel.found_match(cx, who, _settings(), parts().accounts())
        one = payers.pick(found, request.form.get("payer", ""))
        if one is not None and who.requester is not None and who.writable:
            payers.choose(cx, who.requester, found, one, who.by)
        shown = _panel(cx, who)
    return answers.fragment("panel.html", panel=shown, told=who.reader)


@blueprint.post("/<connection>/tickets/<subject>/facts")
def facts(connection: str, subject: str) -> Response:
    """Facts that prove who pays. Each try counts, also one that fails, so it is committed before the comparison."""
    own_origin()
    now = utc_now()
    with visiting(connection, "tickets", subject) as (cx, who):
        if not who.writable or who.requester is None:
            raise NotHere
        reading.count_try(cx, who, now)
    status, problem = 200, ""
    with parts().runtime.database.begin() as cx:
        found = panel.found_match(cx, who, _settings(), parts().accounts())
        try:
            typed = two_facts.typed(request.form)
            candidates = [one.key for one in found.payers]
            two_facts.upgrade(cx, who.requester, typed, candidates, list(parts().accounts()), who.by)
        except (two_facts.FactsDiffer, two_facts.FactsMissing) as error:
            status, problem = error.status, error.public
        shown = panel.build(cx, who, _settings(), parts().accounts())
    return answers.fragment(
        "panel.html", status=status, panel=panel.with_problem(shown, problem, request.form), told=who.reader
    )


@blueprint.post("/<connection>/tickets/<subject>/refresh")
def refresh(connection: str, subject: str) -> Response:
    """Ask a worker to read this payer at the vendor again; the next polls show when it is done."""
    own_origin()
    with visiting(connection, "tickets", subject) as (cx, who):
        found = panel.found_match(cx, who, _settings(), parts().accounts())
        one = payers.pick(found, request.form.get("payer", ""))
        if one is not None:
            reading.want_payer(cx, one.key, utc_now())
        shown = _panel(cx, who)
    return answers.fragment("panel.html", panel=shown, told=who.reader)


@blueprint.get("/<connection>/tickets/<subject>/why")
def explain(connection: str, subject: str) -> Response:
    """Why each trigger did or did not touch this ticket."""
    with visiting(connection, "tickets", subject) as (cx, who):
        found = why.why(cx, who)
    return answers.fragment("why.html", why=found)


@blueprint.post("/<connection>/code")
def code(connection: str) -> Response:
    """A code that opens our own pages once, for the page in Zendesk's navigation bar."""
    own_origin()
    now = utc_now()
    with parts().runtime.database.begin() as cx:
        session = check_opener(cx, connection, _bearer(), now)
        made = sessions.issue_code(cx, session, now)
    return jsonify(code=made)


@contextmanager
def visiting(
    connection: str, kind: str, subject: str, *, slide: bool = False, bind: bool = False
) -> Iterator[tuple[sa.Connection, Visit]]:
    """One transaction around a request that may be answered; none where a page only looks, and lives longer for it."""
    header = request.headers.get("Authorization", "")
    bearer = header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""
    asked = Asked(
        connection,
        Subject(kind, subject),
        bearer,
        request.headers.get("X-Locale", ""),
        request.headers.get("X-Zone", ""),
    )
    parts().accounts()
    database = parts().runtime.database
    with database.look() if slide else database.begin() as cx:
        yield cx, visit(cx, asked, utc_now(), slide=slide, bind=bind)


def _panel(cx: sa.Connection, who: Visit) -> panel.Panel:
    asked = request.values.get("payer", "")
    many = request.values.get("many", "") == "1"
    return panel.build(cx, who, _settings(), parts().accounts(), asked=asked, many=many)


def _inputs(who: Visit) -> object:
    """What a panel is made of beside what its own statements read; when the staff was read is shown nowhere."""
    agent = replace(who.agent, read_at=EVER)
    return agent, who.ticket, who.requester_id, who.writable, who.reader.locale, who.reader.zone, parts().accounts()


def _bearer() -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""


def _settings() -> Settings:
    return parts().runtime.settings


def own_origin() -> None:
    """A write comes from our own page. Raises WrongOrigin."""
    door.own_origin(_settings().public_url)
