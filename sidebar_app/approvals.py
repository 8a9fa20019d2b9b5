"""`/approvals`: what waits for an approval, for one named approver, who signs in by a link that works once.

The link's page exchanges nothing by itself: programs that look at links in e-mails must not use it up. Its button does.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from app import refunds
from app.access import Actor, Role
from app.admin import console
from app.ui import door
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError, InputError
from sidebar_app import answers, approval_rows, pages
from sidebar_app.parts import parts

PATH = "/approvals"
WHY_MOST = 500

blueprint = Blueprint("approvals", __name__, url_prefix=PATH)
blueprint.after_request(pages.strict)


class NoReason(InputError):
    code, status, public = "approvals.no_reason", 422, "Say why it is declined: the agent is told."


@blueprint.errorhandler(AppError)
def refuse(error: AppError) -> Answer:
    """The sentence of an error, as a page."""
    answers.log_refusal(error)
    is_out = error.status == 401
    text = "Your session ended, or your link was used or is older than an hour. Without e-mail, an admin prints another one."
    return Response(_page("refused", said=text if is_out else str(error), is_out=is_out), error.status)


@blueprint.get("/enter")
def look() -> str:
    """Where the link leads."""
    return _page("enter", code=request.args.get("code", "")[:200])


@blueprint.post("/enter")
def enter() -> Answer:
    """Exchange the code for a cookie of this page."""
    door.own_origin(parts().runtime.settings.public_url)
    secret = console.enter(request.form.get("code", ""), utc_now())
    response = redirect(f"{PATH}/", 303)
    console.set_cookie(response, secret)
    return response


@blueprint.get("/")
def listed() -> str:
    """Everything that waits, with what it takes to decide."""
    return _listed(_who())


@blueprint.post("/approve")
def approve() -> str:
    """One, or those that were chosen; what cannot be approved says why, and the others go on."""
    actor = _writer()
    wanted = [(one, bound) for one, _, bound in (v.partition(" ") for v in request.form.getlist("one"))]
    told = approval_rows.reader_of(request.accept_languages.best or "")
    known = approval_rows.amounts(refunds.waiting(parts().runtime.refunds), told)
    done = refunds.approve_many(parts().runtime.refunds, actor, wanted)
    said = [(bool(one.state), approval_rows.outcome(one, known)) for one in done]
    return _listed(actor, said or [(False, "Choose at least one.")])


@blueprint.post("/decline")
def decline() -> Answer:
    """Say no, with a reason."""
    actor = _writer()
    why = request.form.get("why", "").strip()[:WHY_MOST]
    if not why:
        return Response(
            _listed(actor, [(False, NoReason.public)], missing=request.form.get("one", "")), NoReason.status
        )
    refunds.decline(parts().runtime.refunds, actor, request.form.get("one", ""), why)
    return Response(_listed(actor, [(True, "Declined.")]))


@blueprint.post("/leave")
def leave() -> Answer:
    """End the session."""
    _writer()
    console.leave()
    response = Response(_page("left"))
    console.drop_cookie(response)
    return response


def _who() -> Actor:
    """The approver, with the role that is written down now. Raises SessionEnded, NotAllowed."""
    return console.who(Role.APPROVER)


def _writer() -> Actor:
    """As `_who`, from our own page. Raises WrongOrigin."""
    return console.writer(Role.APPROVER)


def _listed(actor: Actor, said: Sequence[tuple[bool, str]] = (), missing: str = "") -> str:
    ctx = parts().runtime.refunds
    waiting = refunds.waiting(ctx)
    with parts().runtime.database.begin() as cx:
        found = _rows(cx, actor, waiting)
    return _page("list", rows=found, said=said, actor=actor, csrf=door.csrf_of(console.secret()), missing=missing)


def _rows(cx: sa.Connection, actor: Actor, waiting: Sequence[refunds.Intent]) -> list[approval_rows.Waiting]:
    told = approval_rows.reader_of(request.accept_languages.best or "")
    return [approval_rows.row(cx, parts().runtime.refunds, actor, one, told) for one in waiting]


def _page(name: str, **values: object) -> str:
    return render_template(f"pages/approvals_{name}.html", version=parts().assets.version, **values)
