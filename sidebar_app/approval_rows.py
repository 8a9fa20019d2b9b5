"""One refund that waits for an approval, as an approver sees it: what, for whom, why, and whether it can be approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app import billing
from app.access import Actor
from app.billing import store as mirror
from app.refunds import Context, Intent
from app.refunds.approvals import Outcome, judge
from app.ui.words import Moment, Reader, localised, plain, reader
from integrations.kernel.clock import utc_now
from sidebar_app import refund_form, refund_states


@dataclass(frozen=True, slots=True)
class Waiting:
    """value: id and what was shown, to be sent back. no: why it cannot be approved by this person now, "" when it can."""

    id: str
    value: str
    amount: str
    payer: str
    history: str
    charge: str
    left: str
    reason: str
    note: str
    by: str
    why: str
    ticket: str
    at: Moment
    until: str
    no: str


def reader_of(language: str) -> Reader:
    """The approver's language; times in UTC, as nobody said a zone."""
    return reader(language, "UTC", utc_now())


def row(cx: sa.Connection, ctx: Context, actor: Actor, intent: Intent, told: Reader) -> Waiting:
    """Everything an approver decides on, from the mirror."""
    payer_key, charge_key = ("payer", intent.payer_id), ("charge", intent.charge_id)
    records = mirror.by_id(cx, intent.connection_id, [payer_key, charge_key])
    payer, charge = records.get(payer_key, {}), records.get(charge_key, {})
    left, fault = judge(cx, ctx, actor, intent)
    who = refund_states.names(cx, [intent.person_id])
    return Waiting(
        intent.id, f"{intent.id} {intent.bound}", told.money(intent.amount),
        plain(payer.get("name") or payer.get("email")) or "No name", _history(cx, intent, told),
        f"{told.money(charge['captured'])} paid {told.day(charge['created']).text}" if charge else intent.charge_id,
        told.money(left) if left else "not known", refund_form.REASON_WORDS.get(intent.reason, intent.reason),
        plain(intent.note), who[intent.person_id], localised(plain(intent.why), told), intent.ticket_id,
        told.time(intent.created_at), told.time(intent.expires_at).text if intent.expires_at else "",
        localised(plain(str(fault)), told) if fault else "",
    )  # fmt: skip


def _history(cx: sa.Connection, intent: Intent, told: Reader) -> str:
    """What this customer paid and got back so far."""
    profile = billing.profiles(cx, [(intent.connection_id, intent.payer_id)]).get(
        (intent.connection_id, intent.payer_id), {}
    )
    parts = []
    if profile.get("ltv"):
        parts.append(f"{told.sums(profile['ltv'])} paid in all")
    count = len(profile.get("refunds", ()))
    parts.append("no refund so far" if not count else f"{count} {'refund' if count == 1 else 'refunds'} so far")
    return ", ".join(parts)


def amounts(waiting: Sequence[Intent], told: Reader) -> dict[str, str]:
    """What each is called by its approver: the amount."""
    return {one.id: told.money(one.amount) for one in waiting}


def outcome(one: Outcome, known: Mapping[str, str]) -> str:
    """A sentence about one of those that were to be approved. known: their amounts."""
    name = known.get(one.intent_id, one.intent_id)
    return f"{name}: {one.said}" if one.said else f"{name} is approved and on its way."
