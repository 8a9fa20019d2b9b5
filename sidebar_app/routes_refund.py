"""The routes of a refund: prepare it, judge an amount while it is typed, ask for it.

Each begins as every route of the panel does. Then, with no database connection held, the helpdesk is asked who this is
now; then the saga judges. Nothing is sent to the billing vendor by any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import sqlalchemy as sa
from flask import Response, request

from app import refunds
from app.access import Actor, Login
from app.billing import store as mirror
from app.refunds import Prepared, Where, offers
from app.refunds.lines import LinesRefused
from app.refunds.offers import Offer, OfferGone
from app.refunds.policy import NotPermitted
from app.refunds.service import AskAgain, RefundRefused
from app.ui.words import localised
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError, InputError, NotAllowed, StateError
from integrations.kernel.money import Money
from sidebar_app import answers, panel, payers, refund_form, rows
from sidebar_app.identity import Visit
from sidebar_app.parts import parts
from sidebar_app.refund_form import View, WrongEntry
from sidebar_app.routes import NotHere, blueprint, own_origin, visiting
from sidebar_app.rows import Row

FIELDS: Final = {"payer", "charge", "offer", "how", "amount", "line", "reason", "note", "again", "fraud_confirmed"}


class WhoPays(StateError):
    code = "sidebar.who_pays"
    public = "It is not clear who pays for this requester. Choose or prove who does, then ask for the refund."


@dataclass(frozen=True, slots=True)
class Case:
    """One refund that is being talked about: on whose page, of which charge, by whom as of now."""

    who: Visit
    where: Where
    payer: str
    row: Row
    actor: Actor


@blueprint.post("/<connection>/tickets/<subject>/refund")
def refund(connection: str, subject: str) -> Response:
    """The form, with every light and a fresh offer; after a refusal as it was, with the offer that it had."""
    return guarded(lambda: _shown(_case(connection, subject), fresh=not request.form.get("offer")))


@blueprint.post("/<connection>/tickets/<subject>/refund_check")
def refund_check(connection: str, subject: str) -> Response:
    """The strip, and the button's words, for an amount that is being typed."""
    return guarded(lambda: _checked(_case(connection, subject)))


@blueprint.post("/<connection>/tickets/<subject>/refund_request")
def refund_request(connection: str, subject: str) -> Response:
    """Ask for it. 202: it is written down and on its way, and the panel's polls show where it is."""
    return guarded(lambda: _asked(_case(connection, subject)))


def guarded(answer: Callable[[], Response], title: str = "No refund") -> Response:
    """A write from our own page. A refusal keeps its sentence, what was typed and a way back; an ended session is the
    panel's to show."""
    own_origin()
    try:
        return answer()
    except (NotAllowed, StateError) as error:
        answers.log_refusal(error)
        return answers.fragment("refund_refused.html", status=error.status, error=error, title=title, typed=_typed())


def _typed() -> list[tuple[str, str]]:
    """What stood in the refund's form, where it was sent from one."""
    form = request.form
    return [one for one in form.items(multi=True) if one[0] in FIELDS] if "how" in form else []


def _case(connection: str, subject: str) -> Case:
    """Who asks, about which charge. Raises NotHere, WhoPays, NotTheirs, RoleUnknown, NotReadable, NotAllowed."""
    with visiting(connection, "tickets", subject) as (cx, who):
        if not who.writable or who.ticket is None:
            raise NotHere
        found = panel.found_match(cx, who, parts().runtime.settings, parts().accounts())
        one = payers.pick(found, request.form.get("payer", ""))
        if one is None:
            raise WhoPays
        where = Where(one.connection_id, request.form.get("charge", "")[:255], connection, subject)
        row = _row(cx, who, where, one.payer_id)
        login, ticket = Login(connection, who.agent.id), who.ticket.values
    return Case(who, where, payers.key_of(one), row, parts().staff.actor(login, ticket))


def _row(cx: sa.Connection, who: Visit, where: Where, payer_id: str) -> Row:
    """The charge as the panel shows it. Raises NotTheirs: unknown, or somebody else's."""
    record = mirror.by_id(cx, where.billing, [("charge", where.charge)]).get(("charge", where.charge))
    if record is None or record["payer_id"] != payer_id:
        raise payers.NotTheirs
    invoice = mirror.invoices_of(cx, where.billing, {where.charge: record["intent"]}).get(where.charge, "")
    number = mirror.by_id(cx, where.billing, [("invoice", invoice)]).get(("invoice", invoice), {}).get("number")
    return rows.charge(record, who.reader, str(number or ""), {})


def _offer(case: Case) -> Offer:
    """The offer that came back, which is for this charge on this ticket. Raises OfferGone."""
    offer = offers.read(request.form.get("offer", ""), parts().runtime.settings.keys, utc_now())
    if Where(offer.billing, offer.charge, offer.helpdesk, offer.ticket) != case.where:
        raise OfferGone
    return offer


def _prepared(case: Case, amount: Money | None) -> Prepared:
    return refunds.prepare(parts().runtime.refunds, case.actor, case.where, amount)


def _shown(
    case: Case, *, fresh: bool = False, problem: str = "", field: str = "", ask: str = "", status: int = 200
) -> Response:
    """The form. fresh: with a new offer; else the one that came, so that the same wish stays the same."""
    form = request.form
    prepared = _prepared(case, None)
    amount = prepared.left
    if not fresh:
        try:
            amount, _ = refund_form.wanted(form, prepared.left)
        except WrongEntry:
            amount = prepared.left
    strip = prepared.strip if amount == prepared.left else _prepared(case, amount).strip
    with parts().runtime.database.begin() as cx:
        made: View = refund_form.view(cx, case.row, case.payer, prepared, amount, form, case.who.reader)
        made = replace(made, verdict=refund_form.verdict(cx, replace(prepared, strip=strip), amount, case.who.reader))
    if not fresh:
        made = replace(made, offer=form.get("offer", ""))
    shown = replace(made, problem=localised(problem, case.who.reader), field=field, ask=ask)
    return answers.fragment("refund.html", status=status, view=shown, told=case.who.reader)


def _checked(case: Case) -> Response:
    try:
        amount, _ = refund_form.wanted(request.form, _offer(case).limit)
    except WrongEntry as error:
        return answers.fragment("refund_verdict.html", verdict=None, problem=str(error), field=error.field)
    prepared = _prepared(case, amount)
    with parts().runtime.database.begin() as cx:
        found = refund_form.verdict(cx, prepared, amount, case.who.reader)
    return answers.fragment("refund_verdict.html", verdict=found, problem="", field="")


def _asked(case: Case) -> Response:
    try:
        wish = refund_form.wish(request.form, _offer(case).limit)
        intent = refunds.request(parts().runtime.refunds, case.actor, wish)
    except AskAgain as error:
        return _shown(case, problem=str(error), ask=str(error.context["ask"]))
    except OfferGone as error:
        return _shown(case, fresh=True, problem=error.public)
    except (InputError, RefundRefused, NotPermitted) as error:
        return _shown(case, problem=str(error), field=_field(error), status=WrongEntry.status)
    with parts().runtime.database.begin() as cx:
        found = panel.build(cx, case.who, parts().runtime.settings, parts().accounts(), asked=case.payer)
    return answers.fragment("panel.html", status=202, panel=replace(found, asked=intent.id), told=case.who.reader)


def _field(error: AppError) -> str:
    """Beside which field a sentence belongs; "" for the whole form."""
    if isinstance(error, WrongEntry):
        return error.field
    if isinstance(error, LinesRefused):
        return "line"
    of_amount = isinstance(error, RefundRefused) and error.context.get("light", "refundable") == "refundable"
    return "amount" if of_amount and request.form.get("how") == "part" else ""
