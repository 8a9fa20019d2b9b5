"""The one fenced function through which the worker, the sweeper, webhooks, polling and the books settle an intent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app import notify
from app.billing import store as mirror
from app.refunds import store, store_work, tickets
from app.refunds.answers import HOLD_S, End
from app.refunds.context import Context
from app.refunds.intent import Intent
from app.refunds.models import refund_credit
from app.refunds.money import plain
from app.refunds.states import AT_THE_BANK, COUNTED, RETURNED, State, way
from app.telemetry.failpoints import fp
from app.telemetry.logs import get_logger

log = get_logger(__name__)


def settle(
    cx: sa.Connection, ctx: Context, intent_id: str, end: End, *, token: int | None, actor: str = store.MACHINE
) -> Intent | None:
    """Bring an intent to where it belongs, and write what follows from it in the same transaction.

    Args:
        token: the claim this comes from; None for whoever read the vendor and owns nothing: the row's lock is enough,
            and raising the token keeps the owner from writing over it.

    Returns:
        the intent after it; None when somebody else was faster, or no way leads there from where it is.
    """
    intent = store.take(cx, intent_id, token)
    if intent is None:
        log.info("refund_fenced", refund_id=intent_id)
        return None
    steps: tuple[State, ...] | None = () if end.state is None else way(intent.state, end.state)
    if steps is None:
        log.warning("refund_no_way", refund_id=intent_id, state=intent.state.value, told=str(end.state))
        return None
    found = {"refund": end.refund.id} if end.refund else {}
    for number, step in enumerate(steps, 1):
        intent = store.move(cx, intent, step, actor, end.why if number == len(steps) else "", **found)
    fp("refund.settle.after_audit")
    if end.refund:
        intent = replace(intent, refund_id=end.refund.id)
    store.change(cx, intent_id, **_columns(ctx, intent, end))
    if steps:
        _consequences(cx, ctx, intent, end)
    if end.hold:
        _hold(cx, intent, end)
    elif token is not None and intent.state in COUNTED:
        store_work.release(cx, intent.connection_id)
    return intent


def _columns(ctx: Context, intent: Intent, end: End) -> dict[str, Any]:
    """Free for the next claim, fenced off from the last one."""
    at_bank = intent.state in AT_THE_BANK
    values: dict[str, Any] = {
        "token": intent.token + 1, "lease_until": None, "refused": end.refused or intent.refused,
        "due_at": store_work.after(end.due_in_s) if end.due_in_s is not None else None,
        "next_look_at": store_work.after(ctx.settings.refund_poll_s) if at_bank else None,
    }  # fmt: skip
    if end.refund:
        values["refund_id"] = end.refund.id
    if end.state is None and end.why:  # a move writes its own
        values["why"] = end.why
    return values


def _consequences(cx: sa.Connection, ctx: Context, intent: Intent, end: End) -> None:
    """Note, tag, notice, credit note: each once, whoever settles.

    What the bank sent back is still in the charge's own figure as our mirror knows it, so both are read again. Asked for
    before the ticket's outbox is written to: the inbox goes in this order too.
    """
    if intent.state in RETURNED:
        both = (("charge", intent.charge_id), ("refund", intent.refund_id))
        mirror.want_reread(cx, intent.connection_id, [key for key in both if key[1]])
    if intent.state in COUNTED and intent.lines:
        cx.execute(insert(refund_credit).values(intent_id=intent.id).on_conflict_do_nothing())
    closed = tickets.tell(cx, ctx.settings, intent, end.why)
    if intent.state is State.NEEDS_HUMAN:
        alert(cx, intent, "needs_human", f"A person must look at refund {intent.id}", end.why)
    if intent.state in RETURNED:
        note = "Void its credit note, where one was written." if intent.lines else ""
        why = "\n".join(part for part in (end.why, closed, note) if part)
        alert(cx, intent, intent.state.value, f"Refund {intent.id} {intent.state.value} at the bank", why)


def alert(cx: sa.Connection, intent: Intent, kind: str, subject: str, why: str) -> None:
    """One notice a state of an intent."""
    body = (
        f"{subject}.\n{why}\n\n{plain(intent.amount)} of charge {intent.charge_id}, ticket {intent.ticket_id}.\n"
        f"What to do: docs/refunds.md; `flask refunds show {intent.id}`."
    )
    told = {"refund_id": intent.id, "charge_id": intent.charge_id, "ticket_id": intent.ticket_id, "why": why}
    notify.tell(cx, f"refund.{kind}", f"{intent.id}-{kind}", subject, body, told)


def _hold(cx: sa.Connection, intent: Intent, end: End) -> None:
    if store_work.hold(cx, intent.connection_id, end.why, HOLD_S):
        subject = f"Refunds of {intent.connection_id} are held"
        body = f"{subject}: {end.why}\nGive the connection a key that may write refunds, then `flask refunds release`."
        since = f"{intent.connection_id}-held-{intent.id}"
        notify.tell(cx, "refund.held", since, subject, body, {"connection_id": intent.connection_id})
