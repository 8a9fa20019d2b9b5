"""Refunds of a payer that are on their way or ended lately, and whether this agent may ask for one: for the panel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from app import access, agents, refunds
from app.access import Actor, Login, Role, Staff
from app.identity import PayerMatch
from app.refunds import Intent, Prepared, State
from app.refunds.answers import KEY_REFUSED
from app.refunds.policy import Policy
from app.refunds.states import AT_THE_BANK, ON_ITS_WAY, OPEN, RETURNED
from app.refunds.store_work import Hold
from app.ui.words import Moment, Reader, localised, plain
from sidebar_app.identity import Visit
from sidebar_app.words import Pill, sentence, too_weak

LATELY: Final = timedelta(days=1)
SOON: Final = timedelta(minutes=1)  # what has not moved by then is waiting for something
SHOWN: Final = 5
_IN_DOUBT: Final = (
    "Whether it was made is not known. Nothing is repeated; the amount stays held back; an admin was told."
)
_FREE: Final = "the amount is free again once the charge was read at Stripe"
_BACK: Final = f"The bank sent it back; {_FREE}. Ask for it anew, or pay the customer another way."
WORDS: Final[Mapping[State, tuple[Pill, str]]] = {
    State.PROPOSED: (Pill("Requested", "warn"), "It is sent in a moment."),
    State.RESERVED: (Pill("Requested", "warn"), "It is sent in a moment."),
    State.AWAITING_APPROVAL: (Pill("Waits for approval", "warn"), ""),
    State.SENDING: (Pill("Being sent", "warn"), "Stripe is being asked."),
    State.UNKNOWN: (Pill("No answer yet", "warn"), "It is looked for before anything is repeated."),
    State.NEEDS_HUMAN: (Pill("A person must look", "bad"), _IN_DOUBT),
    State.PENDING_VENDOR: (Pill("At the bank", "warn"), "Stripe made it; the bank has not answered."),
    State.REQUIRES_ACTION: (Pill("Waits for the customer", "warn"), "The customer must do something at their bank."),
    State.SUCCEEDED: (Pill("Refunded", "good"), ""),
    State.FAILED: (Pill("Failed", "bad"), _BACK),
    State.CANCELED: (Pill("Canceled", "quiet"), f"No money moved; {_FREE}."),
    State.REJECTED: (Pill("Refused", "bad"), "No money moved; the amount is free again."),
    State.DECLINED: (Pill("Declined", "bad"), ""),
    State.EXPIRED: (Pill("Expired", "quiet"), ""),
    State.VOIDED: (Pill("Void", "quiet"), ""),
}  # fmt: skip
STALLED: Final = (Pill("Late at the bank", "bad"), "The bank has not answered in time.")
_OPENED: Final = "The ticket was opened again."
_CLOSED: Final = "The ticket is closed and cannot be opened again: contact the customer."
WAITS: Final = Pill("Waits to be sent", "warn")
_NOT_SENT: Final = (State.PROPOSED, State.RESERVED, State.SENDING)


@dataclass(frozen=True, slots=True)
class Moving:
    """A refund as the panel shows it. by: who asked, by name. is_moving: there will be news within seconds.

    may_void: this agent is offered to take it back.
    """

    id: str
    amount: str
    pill: Pill
    said: str
    by: str
    at: Moment
    is_moving: bool
    may_void: bool


def waiting(cx: sa.Connection, connection_id: str, told: Reader) -> str:
    """Why nothing is sent to the billing vendor now, "" while it is: by what workers wrote down, nobody is asked."""
    return _why_held(refunds.held(cx, connection_id), told)


def _why_held(hold: Hold | None, told: Reader) -> str:
    if hold is None:
        return ""
    since = told.time(hold.since).text
    what = "Stripe refuses our key" if hold.why == KEY_REFUSED else "Our settings for Stripe cannot be used"
    return f"{what} since {since}: refunds wait, and an admin was told. It goes on by itself once that is put right."


def of_payer(
    cx: sa.Connection, visit: Visit, one: PayerMatch, charges: Sequence[str]
) -> tuple[str, tuple[Moving, ...]]:
    """Why nothing is sent now, as `waiting` says it; and, newest first, whatever is not at an end, and what came to one
    within a day; of these charges, and of this ticket."""
    told = visit.reader
    ticket_id = visit.subject.id if visit.ticket else ""
    every, hold = refunds.of_payer(cx, one.key, charges, visit.session.connection_id, ticket_id)
    held = _why_held(hold, told)
    found = [i for i in every if _is_shown(i, told)][:SHOWN]
    who = names(cx, (i.person_id for i in found))
    voidable = {i.id for i in found if _may_void(cx, visit, i)}
    closed = refunds.of_closed_tickets(cx, [i for i in found if i.state in RETURNED or _is_stalled(i)])
    moving = (_moving(i, told, who, in_words(i, told, held, i.id in closed), i.id in voidable) for i in found)
    return held, tuple(moving)


def _is_shown(intent: Intent, told: Reader) -> bool:
    return intent.state in (*OPEN, *AT_THE_BANK) or told.now - intent.state_at < LATELY


def _may_void(cx: sa.Connection, visit: Visit, intent: Intent) -> bool:
    """On the page of the ticket it was asked for on; by the mirror, as the click asks the helpdesk anew."""
    here = (visit.session.connection_id, visit.subject.id) if visit.writable and visit.ticket else None
    return here == (intent.helpdesk_id, intent.ticket_id) and refunds.may_void(actor(cx, visit), intent)


def _moving(intent: Intent, told: Reader, who: Mapping[str, str], words: tuple[Pill, str], may_void: bool) -> Moving:
    is_moving = intent.state in _NOT_SENT and words[0] is not WAITS and not _is_late(intent, told)
    return Moving(
        intent.id, told.money(intent.amount), *words, who.get(intent.person_id, "a colleague"),
        told.time(intent.created_at), is_moving, may_void,
    )  # fmt: skip


def _is_late(intent: Intent, told: Reader) -> bool:
    return told.now - intent.state_at >= SOON


def _is_stalled(intent: Intent) -> bool:
    return intent.stalled_at is not None and intent.state in AT_THE_BANK


def in_words(intent: Intent, told: Reader, held: str, is_closed: bool = False) -> tuple[Pill, str]:
    """Where it is, in one word and in sentences: why it came there, what that means, and what it waits for.

    Args:
        held: why nothing is sent now, as `waiting` says it.
        is_closed: the ticket takes no write any more, which matters where it should have been opened again.
    """
    if intent.state in _NOT_SENT and held:
        return WAITS, held
    if intent.state is State.RESERVED and _is_late(intent, told):
        return WORDS[intent.state][0], "Nobody has taken it up yet, and nothing was sent. It goes on by itself."
    pill, said = STALLED if _is_stalled(intent) else WORDS[intent.state]
    if intent.state is State.SENDING and intent.why:
        pill, said = WAITS, "It is tried again by itself."
    why = localised(plain(intent.why), told) if intent.state is not State.SUCCEEDED else ""
    if why and why[-1] not in ".!?":  # a vendor's code for why it failed, or what an approver typed
        why = f"{why if ' ' in why else sentence(why)}."
    ticket = _CLOSED if is_closed else _OPENED if _is_stalled(intent) else ""
    parts = (why, said, ticket, held if intent.state in ON_ITS_WAY else "")
    return pill, " ".join(part for part in parts if part)


def names(cx: sa.Connection, person_ids: Iterable[str]) -> dict[str, str]:
    """Names of people of ours, and of agents no person is named for (`connection:id`)."""
    ids = set(person_ids)
    if not ids:
        return {}
    found = access.names(cx, sorted(ids))
    for one in ids - set(found):
        connection_id, _, agent_id = one.partition(":")
        agent = agents.find(cx, connection_id, [agent_id]).get(agent_id)
        found[one] = agent.name if agent else "a colleague"
    return {one: plain(name) for one, name in found.items()}


def with_names(cx: sa.Connection, prepared: Prepared) -> Prepared:
    """The strip with names where it has ids of people."""
    who, lights = names(cx, prepared.people), []
    for light in prepared.strip.lights:
        text = light.text
        for person, name in who.items():
            text = text.replace(person, name)
        lights.append(replace(light, text=text))
    return replace(prepared, strip=replace(prepared.strip, lights=tuple(lights)))


def hindrance(cx: sa.Connection, visit: Visit, one: PayerMatch | None) -> str:
    """Why this agent is offered no refund here; empty when they are. By the mirror: the click asks the helpdesk anew."""
    if visit.ticket is None:
        return "Refunds are asked for beside a ticket."
    if not visit.writable:
        return "You may look here; a refund takes a full agent."
    policy = refunds.active_policy(cx)
    if not policy.enabled:
        return "Nobody may refund until an admin says so."
    role = actor(cx, visit).role
    if not role.is_at_least(Role.REFUNDER):
        return f"Your role here is {role.value}: a refund takes a refunder. Ask an admin."
    return _weak(policy, one)


def actor(cx: sa.Connection, visit: Visit) -> Actor:
    """Who this agent is to us by the mirror: good for what is shown; money asks the helpdesk again."""
    one = visit.agent
    staff = Staff(one.role, one.custom_role, one.groups, one.active, one.read_at)
    return access.actor(cx, Login(visit.session.connection_id, one.id), staff, visit.reader.now)


def _weak(policy: Policy, one: PayerMatch | None) -> str:
    if one is None:
        return "A refund can be asked for once it is clear who pays."
    if not one.strength.is_at_least(policy.strength):
        return too_weak(one.strength, policy.strength)
    return ""
