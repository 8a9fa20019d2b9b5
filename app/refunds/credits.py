"""The credit note of a refund by invoice line: a step of its own after the money, looked for before it is repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app import audit
from app.refunds import store
from app.refunds.answers import KEY_LIFE_S, LONGEST_WAIT_S
from app.refunds.context import Clients, Context
from app.refunds.intent import Intent
from app.refunds.models import refund_credit
from app.refunds.settling import alert
from app.refunds.states import RETURNED, State
from app.refunds.store_work import after
from app.telemetry.failpoints import fp
from app.telemetry.logs import bind, get_logger
from integrations.kernel.errors import AppError, OutcomeUnknown, VendorRejected
from integrations.kernel.money import Money
from integrations.kernel.ports import CreditOrder, Refunds
from integrations.transport.backoff import delay_s

LEASE_S = 60.0
c = refund_credit.c

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One claimed step. age_s: since the first call began."""

    intent_id: str
    attempts: int
    token: int
    age_s: float


def claim(cx: sa.Connection, limit: int) -> list[Note]:
    """Take due steps; the lease is the moment they are due again, the token fences."""
    due = (
        sa.select(c.intent_id)
        .where(c.state.in_(("pending", "sending", "unknown")), c.due_at <= sa.func.now())
        .order_by(c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    age = sa.func.coalesce(sa.extract("epoch", sa.func.now() - c.first_sent_at), 0)
    statement = sa.update(refund_credit).where(c.intent_id.in_(due)).values(token=c.token + 1, due_at=after(LEASE_S))
    rows = cx.execute(statement.returning(c.intent_id, c.attempts, c.token, age.label("age")))
    return [Note(r.intent_id, r.attempts, r.token, float(r.age)) for r in rows]


def one(ctx: Context, clients: Clients, note: Note) -> None:
    """Carry one step as far as it goes now."""
    with bind(job="refunds.credit", refund_id=note.intent_id):
        with ctx.database.begin() as cx:
            intent = store.get(cx, note.intent_id)
        if intent is None:
            return
        try:
            _step(ctx, clients(intent.connection_id), note, intent)
        except VendorRejected as error:
            said = error.vendor_code or error.http_status
            _write(ctx, note, intent, "needs_human", f"The vendor refused the credit note: {said}.")
        except AppError as error:
            log.warning("credit_note_waits", code=error.code)
            state = "unknown" if isinstance(error, OutcomeUnknown) else ""
            _write(ctx, note, intent, state, error.code, due_in_s=min(delay_s(note.attempts + 1), LONGEST_WAIT_S))


def _step(ctx: Context, client: Refunds, note: Note, intent: Intent) -> None:
    if intent.state in RETURNED:
        _in_vain(ctx, client, note, intent)
        return
    if note.attempts:
        made = client.credit_note_of(intent.invoice_id, intent.id)
        if made:
            _write(ctx, note, intent, "done", "", credit_note_id=made)
            return
        if note.age_s >= KEY_LIFE_S:
            _write(ctx, note, intent, "needs_human", "No answer for 23 hours and no such credit note at the vendor.")
            return
    begun = {"attempts": note.attempts + 1} | ({} if note.attempts else {"first_sent_at": sa.func.now()})
    if not _write(ctx, note, intent, "sending", "", due_in_s=LEASE_S, **begun):
        return
    fp("refund.credit.before_call")
    made = client.credit(_order(intent))
    fp("refund.credit.after_call")
    _write(ctx, note, intent, "done", "", credit_note_id=made)


def _in_vain(ctx: Context, client: Refunds, note: Note, intent: Intent) -> None:
    """The money came back before the note was written: none is. One that may be there already is for a person to void."""
    if not note.attempts:
        _write(ctx, note, intent, "done", f"The refund {_became(intent)}: it gets no credit note.")
        return
    made = client.credit_note_of(intent.invoice_id, intent.id)
    void = f"Void {made} in the vendor's dashboard." if made else "None is listed; if one shows later, void it."
    why = f"The refund {_became(intent)} after its credit note was asked for. {void}"
    _write(ctx, note, intent, "needs_human", why, credit_note_id=made)


def _became(intent: Intent) -> str:
    return "failed" if intent.state is State.FAILED else "was canceled"


def _order(intent: Intent) -> CreditOrder:
    currency = intent.amount.currency
    told = {"intent_id": intent.id, "connection_id": intent.connection_id, "ticket_id": intent.ticket_id}
    lines = tuple((line, Money(minor, currency)) for line, minor in intent.lines)
    return CreditOrder(intent.invoice_id, lines, intent.refund_id, intent.amount, f"{intent.id}-credit-note", told)


def _write(
    ctx: Context,
    note: Note,
    intent: Intent,
    state: str,
    why: str,
    *,
    due_in_s: float = 0.0,
    **values: Any,  # noqa: ANN401
) -> bool:
    """Fenced. An end is in the audit record, and a person is told where one must look."""
    changes = {"why": why, "due_at": after(due_in_s), **({"state": state} if state else {}), **values}
    with ctx.database.begin() as cx:
        mine = sa.update(refund_credit).where(c.intent_id == note.intent_id, c.token == note.token)
        if cx.execute(mine.values(**changes)).rowcount == 0:
            return False
        if state == "needs_human":
            alert(cx, intent, "credit_note", f"A person must look at the credit note of refund {intent.id}", why)
        if state in ("done", "needs_human"):
            told = {"invoice": intent.invoice_id, "credit_note": values.get("credit_note_id", "")}
            word = "not_needed" if state == "done" and not told["credit_note"] else state
            audit.record(cx, store.MACHINE, f"credit_note.{word}", intent.id, told)
        fp("refund.credit.before_commit")
    return True
