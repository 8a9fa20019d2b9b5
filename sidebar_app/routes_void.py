"""The route that takes back a refund which waits for an approval: asked once more, then done by whoever may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request

from app import refunds
from app.access import Login
from app.refunds import Intent
from integrations.kernel.errors import NotFound
from sidebar_app import answers, panel, payers, refund_states
from sidebar_app.identity import Visit
from sidebar_app.parts import parts
from sidebar_app.routes import NotHere, blueprint, visiting
from sidebar_app.routes_refund import guarded


class NoSuchRefund(NotFound):
    code, public = "sidebar.no_refund", "This refund was not asked for on this ticket. Look at the panel again."


@dataclass(frozen=True, slots=True)
class _Case:
    """One refund of this ticket that somebody would take back. payer: the one whose panel is shown, "" for the only one."""

    who: Visit
    ticket: Mapping[str, Any]
    intent: Intent
    payer: str


@blueprint.post("/<connection>/tickets/<subject>/refund_void")
def refund_void(connection: str, subject: str) -> Response:
    """Whether to take it back; with `sure`, take it back. The saga judges who may, by the helpdesk's word of now."""
    return guarded(lambda: _answer(_case(connection, subject)), "Not taken back")


def _case(connection: str, subject: str) -> _Case:
    """Raises NotHere, NotTheirs, NoSuchRefund."""
    with visiting(connection, "tickets", subject) as (cx, who):
        if not who.writable or who.ticket is None:
            raise NotHere
        found = panel.found_match(cx, who, parts().runtime.settings, parts().accounts())
        one = payers.pick(found, request.form.get("payer", ""))
    wanted = request.form.get("intent", "")
    every = refunds.of_ticket(parts().runtime.refunds, connection, subject)
    intent = next((i for i in every if i.id == wanted), None)
    if intent is None:
        raise NoSuchRefund
    return _Case(who, who.ticket.values, intent, payers.key_of(one) if one else "")


def _answer(case: _Case) -> Response:
    ctx, told, intent = parts().runtime.refunds, case.who.reader, case.intent
    who = parts().staff.actor(Login(case.who.session.connection_id, case.who.agent.id), case.ticket)
    if request.form.get("sure") != "1":
        refunds.check_void(ctx, who, intent)
        with parts().runtime.database.begin() as cx:
            by = refund_states.names(cx, [intent.person_id])[intent.person_id]
        amount, at = told.money(intent.amount), told.time(intent.created_at)
        return answers.fragment("refund_void.html", intent=intent, amount=amount, by=by, at=at, payer=case.payer)
    refunds.void(ctx, who, intent.id)
    with parts().runtime.database.begin() as cx:
        found = panel.build(cx, case.who, parts().runtime.settings, parts().accounts(), asked=case.payer)
    return answers.fragment("panel.html", panel=replace(found, asked=intent.id), told=told)
