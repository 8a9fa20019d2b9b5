"""The door for Intercom's inbox app: initialize and submit, answered with canvases from the panel's own view-models.

Every request is signed by Intercom over its bytes; who asks is the admin in it, judged by our own mirror, and by Intercom
itself where money moves. What was stored in a canvas comes back through a browser: it is looked up or signed, not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from app import refunds, sessions
from app.access import Role
from app.refunds import Wish, offers
from app.refunds.approvals import Closed
from app.refunds.money import parse_entry
from app.refunds.policy import NotPermitted
from app.refunds.preflight import Decision
from app.refunds.service import NOTE_MOST, AskAgain, RefundRefused, refuse
from app.telemetry.logs import bind, get_logger
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError, InputError, PayloadTooLarge, VendorError
from integrations.kernel.ids import new_id
from sidebar_app import canvas_door, canvas_kit, canvas_pass, canvas_refund
from sidebar_app import canvas_parts as made
from sidebar_app.canvas_door import Asked
from sidebar_app.canvas_kit import Component
from sidebar_app.canvas_pass import Pass
from sidebar_app.canvas_refund import Confirmation
from sidebar_app.canvas_views import CHARGE
from sidebar_app.parts import parts

Shown = tuple[list[Component], dict[str, Any]]
IN_VAIN: Final = (
    "This confirmation was used before, and nothing was asked for with it so far. Press Refresh: if the refund is not "
    "listed below then, go back to the payment and ask for it again."
)

blueprint = Blueprint("canvas", __name__, url_prefix="/intercom/canvas")
log = get_logger(__name__)


@blueprint.post("/<connection>/initialize")
def initialize(connection: str) -> Response:
    """The app was opened beside a conversation."""
    return _answered(connection, lambda asked, now: made.home(asked, now))


@blueprint.post("/<connection>/submit")
def submit(connection: str) -> Response:
    """Something was clicked."""
    return _answered(connection, _clicked)


def _answered(connection: str, work: Callable[[Asked, datetime], Shown]) -> Response:
    """A canvas, also for what is refused: Intercom shows nothing else. What Intercom did not sign is a 401 or 400."""
    if (request.content_length or 0) > canvas_door.MOST_BYTES:
        raise PayloadTooLarge
    account = parts().runtime.connections.account(connection, "intercom")
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked, now = canvas_door.read(account, headers, request.get_data()), utc_now()
    with bind(connection_id=account.connection_id):
        try:
            components, stored = work(asked, now)
        except AppError as error:
            log.info("canvas_refused", code=error.code, endpoint=request.endpoint, **error.context)
            components, stored = canvas_refund.refusal(_sentence(error)), made.stored(asked, charge="", payer="")
    return jsonify(canvas_kit.canvas(components, stored))


def _sentence(error: AppError) -> str:
    """What may be shown: our own decisions in full, of faults only what is meant for people."""
    hidden = isinstance(error, VendorError) or error.status >= 500
    return error.public if hidden else str(error)


def _clicked(asked: Asked, now: datetime) -> Shown:
    """By the id of what was clicked; an id we never gave shows the first canvas."""
    head, _, rest = asked.component.partition("/")
    if head in _OF_ONE:
        return _OF_ONE[head](asked, rest, now)
    if head == "page":
        first = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 4 else 0
        return made.home(replace(asked, stored=made.stored(asked, first=first)), now)
    return _CLICKS.get(head, made.home)(asked, now)


def _choose(asked: Asked, now: datetime) -> Shown:
    key = asked.typed.get("payer", "")
    made.choose(asked, key, now)
    return made.home(replace(asked, stored={"payer": key}), now)


def _others(asked: Asked, now: datetime) -> Shown:
    return made.home(replace(asked, stored={}), now)


def _refresh(asked: Asked, now: datetime) -> Shown:
    made.refresh(asked, now)
    return made.home(asked, now)


def _prove(asked: Asked, now: datetime) -> Shown:
    problem = made.prove(asked, now)
    return made.home(asked if problem else replace(asked, stored={}), now, problem=problem)


def _state(asked: Asked, now: datetime, problem: str = "") -> Shown:
    """What was asked for in this conversation, as it is now."""
    with made.visiting(asked, now) as (_, who):
        told = who.reader
    return canvas_refund.result(made.askings(asked, now), told, problem), made.stored(asked)


def _void(asked: Asked, intent_id: str, now: datetime) -> Shown:
    """Asked once more before it is taken back."""
    with made.visiting(asked, now) as (_, who):
        told = who.reader
    return canvas_refund.take_back(made.intent(asked, intent_id), told), made.stored(asked)


def _voided(asked: Asked, intent_id: str, now: datetime) -> Shown:
    """Taken back by whom Intercom says it is now; what came meanwhile is said."""
    with made.visiting(asked, now) as (_, who):
        if not who.writable:
            raise canvas_door.NoSeat
    one = made.intent(asked, intent_id)
    actor = canvas_door.looked_up(parts().runtime, asked, now)
    try:
        refunds.void(parts().runtime.refunds, actor, one.id)
    except (NotPermitted, Closed) as error:
        return _state(asked, now, _sentence(error))
    return _state(asked, now)


def _form(asked: Asked, charge_id: str, now: datetime, problem: str = "") -> Shown:
    """One payment: its lights and the form."""
    one = made.payment(asked, charge_id, now)
    prepared = made.with_names(refunds.prepare(parts().runtime.refunds, one.actor, one.where))
    shown = canvas_refund.form(one.row, prepared, one.who.reader, made.typed_of(asked), problem, one.held)
    return shown, made.stored(asked, charge=charge_id)


def _review(asked: Asked, now: datetime) -> Shown:
    """What was typed, judged and shown once more before anything is asked for."""
    one = made.payment(asked, made.text_of(asked, "charge"), now)
    actor = canvas_door.looked_up(parts().runtime, asked, now)
    actor.must(Role.REFUNDER, now)
    form = made.typed_of(asked)
    try:
        if form["reason"] not in dict(canvas_refund.REASONS) or len(form["note"]) > NOTE_MOST:
            raise InputError(f"Choose a reason, and write a note of at most {NOTE_MOST} characters.")
        left = refunds.prepare(parts().runtime.refunds, actor, one.where).left
        amount = parse_entry(form["amount"], left.currency)
        prepared = refunds.prepare(parts().runtime.refunds, actor, one.where, amount)
        refuse(prepared.strip)
    except (InputError, RefundRefused, NotPermitted) as error:
        return _form(asked, one.row.key, now, _sentence(error))
    waits = prepared.strip.verdict is Decision.NEEDS_APPROVAL
    shown = Pass(
        asked.page, new_id("cnf"), canvas_pass.expiry(now), one.row.key, prepared.offer, amount.minor, amount.currency,
        form["reason"], form["note"], prepared.strip.why if waits else "",
    )  # fmt: skip
    return _confirmation(asked, shown, one)


def _confirmation(asked: Asked, shown: Pass, one: made.Payment, question: str = "") -> Shown:
    title = f"{one.row.amount}, {one.row.title}, {one.row.at.text}"
    told = Confirmation(shown.amount, title, shown.reason, shown.note, shown.waits, question)
    token = canvas_pass.sign(shown, parts().runtime.settings.keys)
    return canvas_refund.confirm(told, one.who.reader), made.stored(asked, confirm=token)


def _confirm(asked: Asked, now: datetime) -> Shown:
    """The click that asks for the refund: the confirmation is used up first, so a repeat of it asks for nothing."""
    runtime = parts().runtime
    shown = canvas_pass.read(asked.stored.get("confirm"), asked.page, runtime.settings.keys, now)
    one = made.payment(asked, shown.charge, now)
    actor = canvas_door.looked_up(runtime, asked, now)
    actor.must(Role.REFUNDER, now)
    with runtime.database.begin() as cx:
        fresh = sessions.use_once(cx, made.once(asked.account.connection_id), shown.digest, shown.ends_at)
    if not fresh:
        return _state(asked, now, _used_before(shown, now))
    wish = Wish(
        shown.offer, shown.amount, shown.reason, shown.note, again="again" in shown.agreed,
        fraud_confirmed="fraud_confirmed" in shown.agreed,
    )  # fmt: skip
    try:
        refunds.request(runtime.refunds, actor, wish)
    except AskAgain as error:
        asks = (*shown.agreed, str(error.context["ask"]))
        return _confirmation(asked, replace(shown, nonce=new_id("cnf"), agreed=asks), one, str(error))
    return _state(asked, now)


def _used_before(shown: Pass, now: datetime) -> str:
    """What a used confirmation led to: its refund, or nothing, where the click that used it was cut off."""
    runtime = parts().runtime
    offer = offers.read(shown.offer, runtime.settings.keys, now)
    with runtime.database.begin() as cx:
        is_asked = refunds.by_request(cx, offer.request_id) is not None
    return canvas_pass.ConfirmedBefore.public if is_asked else IN_VAIN


_CLICKS: Final[Mapping[str, Callable[[Asked, datetime], Shown]]] = {
    "home": made.home, "refresh": _refresh, "choose": _choose, "others": _others, "prove": _prove, "state": _state,
    "review": _review, "confirm": _confirm,
}  # fmt: skip
_OF_ONE: Final[Mapping[str, Callable[[Asked, str, datetime], Shown]]] = {
    CHARGE: _form, "void": _void, "voided": _voided,
}  # fmt: skip
