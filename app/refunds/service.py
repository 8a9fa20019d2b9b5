"""Asking for a refund: what may be asked for, and asking. One transaction each; nothing is sent in either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app import access, notify
from app.access import CONSOLE, Actor, Role
from app.refunds import asker, facts, lines, links, offers, store, store_work
from app.refunds.binding import bound
from app.refunds.context import Context
from app.refunds.facts import Known, Where
from app.refunds.intent import Intent
from app.refunds.money import plain
from app.refunds.offers import Offer
from app.refunds.policy import NotPermitted
from app.refunds.preflight import LATELY, Decision, Facts, Preflight, preflight
from app.refunds.states import COUNTED, OPEN, State
from app.refunds.unused import Suggestion
from app.telemetry.failpoints import fp
from integrations import registry
from integrations.kernel.errors import InputError, StateError
from integrations.kernel.ids import new_id
from integrations.kernel.money import Money

REASONS = ("requested_by_customer", "duplicate", "fraudulent", "")
FRAUD = (
    "The reason \"fraudulent\" puts the customer's card and e-mail address on Stripe's block list: they cannot pay again. "
    "Confirm it once more if that is meant."
)
NOTE_MOST = 2_000


class AskAgain(StateError):
    """A second confirmation is needed; the sentence says why. Send it again with `again` or `fraud_confirmed`."""

    code, public = "refund.ask_again", "Another refund of this charge was just made. Again?"


class RefundRefused(StateError):
    code, public = "refund.refused", "This refund cannot be made."


@dataclass(frozen=True, slots=True)
class Prepared:
    """offer: signed, to be sent back with the wish. suggestions: unused time of each invoice line that has a period.

    people: ids of those who asked for other refunds of it, as the strip names them; a page shows their names.
    """

    offer: str
    strip: Preflight
    left: Money
    lines: tuple[lines.Choice, ...]
    suggestions: tuple[Suggestion, ...]
    people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent confirmed. lines: invoice line ids, instead of a free amount; their sum must be `amount`.

    again: yes, although there was another one. fraud_confirmed: yes, block the card and the address.
    """

    offer: str
    amount: Money
    reason: str = "requested_by_customer"
    note: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    again: bool = False
    fraud_confirmed: bool = False


def prepare(ctx: Context, actor: Actor, where: Where, amount: Money | None = None) -> Prepared:
    """The pre-flight strip for an amount (all that is left, when none was typed), and an offer good for five minutes.

    Raises:
        NoSuchCharge.
    """
    now = ctx.clock()
    with ctx.database.begin() as cx:
        intents = store.of_charge(cx, where.billing, where.charge)
        known = facts.known_charge(cx, where, intents)
        found = facts.gather(cx, actor, where, known, intents, ctx.ladder, now, None)
        choices = lines.choices(cx, where.billing, known, found.left, intents)
    asked = amount or found.left
    offer = Offer(
        new_id("req"), where.billing, where.charge, max(found.left.minor, 0), found.left.currency, where.helpdesk,
        where.ticket, actor.person_id, offers.expiry(now),
    )  # fmt: skip
    return Prepared(
        offers.sign(offer, ctx.settings.keys), preflight(found, asked, now, unit_refusal(ctx, where.billing, asked)),
        found.left, choices.lines, lines.suggestions(choices, now, found.left),
        frozenset(one.by for one in found.others),
    )  # fmt: skip


def request(ctx: Context, actor: Actor, wish: Wish) -> Intent:
    """Ask for a refund. Nothing has been sent when this returns: it is reserved, or waits for an approval.

    The same offer answers the same intent, however often it comes.

    Raises:
        NotAllowed, StaleRole, OfferGone, AskAgain, RefundRefused, NotPermitted: each with the sentence to show.
    """
    now = ctx.clock()
    actor.must(Role.REFUNDER, now)
    fp("refund.request.begin")
    offer = offers.read(wish.offer, ctx.settings.keys, now)
    _check(wish, offer, actor)
    unit = unit_refusal(ctx, offer.billing, wish.amount)
    with ctx.database.begin() as cx:
        where = Where(offer.billing, offer.charge, offer.helpdesk, offer.ticket)
        payer_id, company = facts.company_of(cx, where, ctx.ladder)
        names = (f"payer/{connection_id}/{one}" for connection_id, one in company)
        store.lock_names(cx, f"person/{actor.person_id}", f"charge/{where.billing}/{where.charge}", *names)
        intent = store.by_request(cx, offer.request_id)
        if intent is None:
            intent = _decide(cx, ctx, actor, wish, offer, payer_id, now, unit)
        fp("refund.request.before_commit")
    fp("refund.request.after_commit")
    ctx.wake()
    fp("refund.request.after_wake")
    return intent


def _check(wish: Wish, offer: Offer, actor: Actor) -> None:
    if offer.person != actor.person_id:
        raise offers.OfferGone("This was prepared for somebody else. Look at the charge again.")
    if wish.reason not in REASONS:
        raise InputError(f"The reason is one of {', '.join(r for r in REASONS if r)}, or none.")
    if len(wish.note) > NOTE_MOST:
        raise InputError(f"The note is longer than {NOTE_MOST} characters.")
    if wish.amount.currency != offer.currency or not 0 < wish.amount.minor <= offer.most:
        raise RefundRefused(f"At most {plain(offer.limit)} was offered. Look at the charge again.")
    if wish.reason == "fraudulent" and not wish.fraud_confirmed:
        raise AskAgain(FRAUD, ask="fraud_confirmed")


def _decide(
    cx: sa.Connection, ctx: Context, actor: Actor, wish: Wish, offer: Offer, payer_id: str, now: datetime, unit: str
) -> Intent:
    """Under the locks of person, charge and payers: the same function as the strip, then the intent.

    payer_id: whose lock is held; a charge that has another payer since is looked at again.
    """
    where = Where(offer.billing, offer.charge, offer.helpdesk, offer.ticket)
    intents = store.of_charge(cx, where.billing, where.charge)
    known = facts.known_charge(cx, where, intents)
    if known.payer_id != payer_id:
        raise offers.OfferGone("The payment has another payer now. Look at the charge again.")
    row = reserve_row(cx, where, known)
    found = facts.gather(cx, actor, where, known, intents, ctx.ladder, now, row)
    strip = preflight(found, wish.amount, now, unit)
    refuse(strip)
    if not wish.again:
        _ask_again(found, now)
    invoice = lines.check(cx, where.billing, known, wish.lines, wish.amount, intents)
    fp("refund.request.before_insert")
    made = _insert(cx, actor, wish, offer, known, invoice, now)
    if strip.verdict is Decision.NEEDS_APPROVAL:
        hours = found.policy.approval_hours
        store.change(cx, made.id, expires_at=store_work.after(hours * 3600.0))
        made = store.move(cx, made, State.AWAITING_APPROVAL, actor.person_id, strip.why)
        _announce(cx, ctx, made, hours)
        return made
    store.change(cx, made.id, due_at=sa.func.now())
    return store.move(cx, made, State.RESERVED, actor.person_id)


def _announce(cx: sa.Connection, ctx: Context, intent: Intent, hours: int) -> None:
    """Tell each who may approve, with a link of their own; who asked for it is not among them."""
    subject = f"A refund of {plain(intent.amount)} waits for your approval"
    text = f"{subject} ({intent.id}, ticket {intent.ticket_id}).\n{intent.why}\nIt expires in {hours} hours."
    told = {"refund_id": intent.id, "ticket_id": intent.ticket_id, "bound": intent.bound}
    asked = asker.people(cx, intent)
    addresses = {who: one for who, one in access.emails(cx, Role.APPROVER).items() if who not in asked}
    for person_id, address in addresses.items():
        body = f"{text}\n\n{links.make(cx, ctx, person_id)}\nThe link signs you in once, within an hour."
        notify.tell(cx, "refund.approval", f"{intent.id}-approval-{person_id}", subject, body, told, [address])
    if not addresses:
        notify.tell(cx, "refund.approval", f"{intent.id}-approval", subject, text, told)


def reserve_row(cx: sa.Connection, where: Where, known: Known) -> sa.Row[tuple[object, ...]]:
    """The charge's row, locked, as current as our mirror."""
    captured = known.captured
    return store.lock_charge(cx, where.billing, where.charge, captured.currency, captured.minor, known.elsewhere)


def refuse(strip: Preflight) -> None:
    """Raises NotPermitted when it is the policy, RefundRefused when it is the charge."""
    if strip.verdict is not Decision.REFUSED:
        return
    red = next(light for light in strip.lights if light.colour == "red")
    if red.name in ("limit", "window", "match"):
        raise NotPermitted(strip.why, light=red.name)
    raise RefundRefused(strip.why, light=red.name)


def _ask_again(found: Facts, now: datetime) -> None:
    for one in found.others:
        if one.state in OPEN or (one.state in COUNTED and now - one.at < LATELY):
            minutes = int((now - one.at).total_seconds() // 60)
            when = "just now" if minutes < 1 else "a minute ago" if minutes < 2 else f"{minutes} minutes ago"
            word = "was already refunded" if one.state in COUNTED else "is being refunded"
            raise AskAgain(f"{plain(one.amount)} {word}, asked for {when}. Again?", ask="again")


def _insert(
    cx: sa.Connection, actor: Actor, wish: Wish, offer: Offer, known: Known, invoice: str, now: datetime
) -> Intent:
    values = {
        "id": new_id("rfd"), "request_id": offer.request_id, "connection_id": offer.billing, "charge_id": offer.charge,
        "payer_id": known.payer_id, "helpdesk_id": offer.helpdesk, "ticket_id": offer.ticket,
        "person_id": actor.person_id, "agent_id": _agent_id(actor), "amount": wish.amount.minor,
        "currency": wish.amount.currency, "reason": wish.reason, "invoice_id": invoice,
        "lines": [list(line) for line in wish.lines],
        "bound": bound(offer.billing, offer.charge, known.payer_id, wish.amount, wish.reason, wish.lines),
    }  # fmt: skip
    return store.insert_intent(cx, values, wish.note)


def _agent_id(actor: Actor) -> str:
    """The helpdesk's id of them; a console login may be a name, and no name goes to the vendor."""
    return actor.person_id if actor.login.connection_id == CONSOLE else actor.login.external_id


def unit_refusal(ctx: Context, connection_id: str, amount: Money) -> str:
    """Why the vendor takes no such amount; empty when it does. Loads no SDK; not for inside a transaction."""
    return registry.amounts_module(ctx.vendor_of(connection_id)).refusal(amount)


def of_ticket(ctx: Context, helpdesk_id: str, ticket_id: str) -> Sequence[Intent]:
    """What was asked for on a ticket, newest first."""
    with ctx.database.begin() as cx:
        return store.of_ticket(cx, helpdesk_id, ticket_id)
