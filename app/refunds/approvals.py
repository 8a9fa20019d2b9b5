"""Approvals: bound to what was shown, by another person, once. Each is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from app.access import Actor, Role
from app.refunds import asker, facts, lines, service, store
from app.refunds.answers import End
from app.refunds.binding import bound
from app.refunds.context import Context
from app.refunds.facts import Known, Where
from app.refunds.intent import Intent
from app.refunds.money import plain
from app.refunds.policy import NotPermitted
from app.refunds.preflight import Facts, preflight
from app.refunds.settling import settle
from app.refunds.states import COUNTED, RESERVING, State
from app.telemetry.failpoints import fp
from integrations.kernel.errors import AppError, NotFound, StateError
from integrations.kernel.money import Money


class OwnProposal(NotPermitted):
    code, public = "refund.own_proposal", "Somebody else must approve what you asked for."


class NotAsShown(StateError):
    code, public = "refund.not_as_shown", "It is not what you were shown any more. Look at it again."


class Closed(StateError):
    code, public = "refund.closed", "It waits for no approval any more."


_LATE: Final = "It waited for too long and has expired. Ask for it anew."
_MEANWHILE: Final = {
    State.DECLINED: "It was declined.", State.EXPIRED: _LATE,
    State.VOIDED: "It was taken back, or changed after it was asked for.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many. said: empty when it was approved, else the sentence why not."""

    intent_id: str
    state: str
    said: str = ""


def waiting(ctx: Context, limit: int = 100) -> list[Intent]:
    """What waits for an approval, newest first; `bound` of each is to be sent back with the approval."""
    with ctx.database.begin() as cx:
        return store.listing(cx, [State.AWAITING_APPROVAL], limit)


def approve(ctx: Context, actor: Actor, intent_id: str, shown: str) -> Intent:
    """Approve one refund; however many approve, it is made once.

    Args:
        shown: `bound` of what the approver saw.

    Raises:
        NotAllowed, StaleRole, OwnProposal, NotPermitted: who may not. NotAsShown, Closed, RefundRefused: what cannot be.
    """
    now = ctx.clock()
    actor.must(Role.APPROVER, now)
    with ctx.database.begin() as cx:
        seen = store.get(cx, intent_id)
    if seen is None:
        raise NotFound(intent_id=intent_id)
    unit = service.unit_refusal(ctx, seen.connection_id, seen.amount)
    with ctx.database.begin() as cx:
        intent = _taken(cx, intent_id)
        if actor.person_id in asker.people(cx, intent):
            raise OwnProposal
        if intent.approver_id:
            return intent  # somebody was faster, or this is the second click
        changed = _open_fault(cx, ctx, actor, intent, shown, unit)
        if changed is None:
            store.change(cx, intent_id, approver_id=actor.person_id, due_at=sa.func.now(), expires_at=None)
            intent = store.move(cx, intent, State.RESERVED, actor.person_id, bound=intent.bound)
        fp("refund.approve.before_commit")
    if changed is not None:
        raise changed
    fp("refund.approve.after_commit")
    ctx.wake()
    return intent


def judge(cx: sa.Connection, ctx: Context, actor: Actor, intent: Intent) -> tuple[Money | None, AppError | None]:
    """What is left of the charge, and why this person could not approve it now; changes nothing. For a page."""
    where = Where(intent.connection_id, intent.charge_id, intent.helpdesk_id, intent.ticket_id)
    intents = store.of_charge(cx, where.billing, where.charge)
    try:
        known = facts.known_charge(cx, where, intents)
    except NotFound as error:
        return None, error
    found = facts.gather(cx, actor, where, known, intents, ctx.ladder, ctx.clock(), None, own_id=intent.id)
    if actor.person_id in asker.people(cx, intent):
        return found.left, OwnProposal()
    if intent.expires_at is not None and intent.expires_at <= ctx.clock():
        return found.left, Closed(_LATE)
    is_now = bound(where.billing, where.charge, known.payer_id, intent.amount, intent.reason, intent.lines)
    if is_now != intent.bound:
        return found.left, NotAsShown("It changed after it was asked for, so it is void. Ask for it anew.")
    return found.left, _refusal(ctx, actor, found, intent, "") or _lines_gone(cx, known, intent, intents)


def _lines_gone(cx: sa.Connection, known: Known, intent: Intent, intents: Sequence[Intent]) -> AppError | None:
    """Its invoice lines went back by another intent meanwhile; one that only waits, as this does, takes nothing."""
    try:
        lines.check(cx, intent.connection_id, known, intent.lines, intent.amount, intents, (*RESERVING, *COUNTED))
    except lines.LinesRefused as refused:
        return refused
    return None


def _refusal(ctx: Context, actor: Actor, found: Facts, intent: Intent, unit: str) -> AppError | None:
    """What speaks against it by charge and policy, for this approver."""
    try:
        service.refuse(preflight(found, intent.amount, ctx.clock(), unit))
    except AppError as refused:
        return refused
    limit = found.policy.limit(actor.role, intent.amount.currency)
    if limit is None or intent.amount.minor > limit.per_refund:
        return NotPermitted(f"{plain(intent.amount)} is above what you may approve.")
    return None


def _open_fault(
    cx: sa.Connection, ctx: Context, actor: Actor, intent: Intent, shown: str, unit: str
) -> AppError | None:
    """Why it cannot be approved. What has changed since it was asked for is voided here, what is late expires."""
    if intent.state is not State.AWAITING_APPROVAL:
        return _closed(intent)
    if intent.expires_at is not None and intent.expires_at <= ctx.clock():
        settle(cx, ctx, intent.id, End(State.EXPIRED, "Nobody approved it in time."), token=None)
        return Closed(_LATE)
    where = Where(intent.connection_id, intent.charge_id, intent.helpdesk_id, intent.ticket_id)
    intents = store.of_charge(cx, where.billing, where.charge)
    known = facts.known_charge(cx, where, intents)
    is_now = bound(where.billing, where.charge, known.payer_id, intent.amount, intent.reason, intent.lines)
    if is_now != intent.bound:
        settle(cx, ctx, intent.id, End(State.VOIDED, "It changed after it was asked for."), token=None)
        return NotAsShown("It changed after it was asked for, so it is void. Ask for it anew.")
    if shown != intent.bound:
        return NotAsShown()
    row = service.reserve_row(cx, where, known)
    found = facts.gather(cx, actor, where, known, intents, ctx.ladder, ctx.clock(), row, own_id=intent.id)
    return _refusal(ctx, actor, found, intent, unit) or _lines_gone(cx, known, intent, intents)


def approve_many(ctx: Context, actor: Actor, wanted: Sequence[tuple[str, str]]) -> list[Outcome]:
    """Approve (intent, shown) one by one: what cannot be says why, and the others go on."""
    outcomes = []
    for intent_id, shown in wanted:
        try:
            outcomes.append(Outcome(intent_id, approve(ctx, actor, intent_id, shown).state.value))
        except AppError as refused:
            outcomes.append(Outcome(intent_id, "", str(refused)))
    return outcomes


def decline(ctx: Context, actor: Actor, intent_id: str, why: str) -> Intent:
    """Say no. Raises NotAllowed, StaleRole, Closed."""
    actor.must(Role.APPROVER, ctx.clock())
    with ctx.database.begin() as cx:
        intent = _taken(cx, intent_id)
        if intent.state is not State.AWAITING_APPROVAL:
            raise _closed(intent)
        return store.move(cx, intent, State.DECLINED, actor.person_id, why[:500])


def may_void(actor: Actor, intent: Intent) -> bool:
    """Whether a page offers this person to take it back; `void` decides itself."""
    waits = intent.state is State.AWAITING_APPROVAL
    return waits and actor.role.is_at_least(Role.REFUNDER) and _is_theirs(actor, intent)


def check_void(ctx: Context, actor: Actor, intent: Intent) -> None:
    """Who asked for it takes it back, and an admin anybody's, while it waits.

    Raises:
        NotAllowed, StaleRole, NotPermitted: who may not. Closed: it waits no more.
    """
    actor.must(Role.REFUNDER, ctx.clock())
    if not _is_theirs(actor, intent):
        raise NotPermitted("Only who asked for it, or an admin, takes it back.")
    if intent.state is not State.AWAITING_APPROVAL:
        raise _closed(intent)


def void(ctx: Context, actor: Actor, intent_id: str) -> Intent:
    """Take a proposal back. Raises what `check_void` raises, and NotFound."""
    with ctx.database.begin() as cx:
        intent = _taken(cx, intent_id)
        check_void(ctx, actor, intent)
        why = "Taken back." if _asked(actor, intent) else "Taken back by an admin."
        return store.move(cx, intent, State.VOIDED, actor.person_id, why)


def _is_theirs(actor: Actor, intent: Intent) -> bool:
    return _asked(actor, intent) or actor.role is Role.ADMIN


def _asked(actor: Actor, intent: Intent) -> bool:
    """Also by a login that was attached to somebody since: the intent keeps the id of before."""
    login = (actor.login.connection_id, actor.login.external_id)
    return intent.person_id == actor.person_id or login == (intent.helpdesk_id, intent.agent_id)


def _closed(intent: Intent) -> Closed:
    """What became of it before this came."""
    return Closed("It was approved meanwhile." if intent.approver_id else _MEANWHILE.get(intent.state, ""))


def _taken(cx: sa.Connection, intent_id: str) -> Intent:
    intent = store.take(cx, intent_id)
    if intent is None:
        raise NotFound(intent_id=intent_id)
    return intent
