"""Following refunds: what webhooks tell, what polling reads, what a dead worker left, what the bank keeps for too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app import audit
from app.refunds import store, store_work, tickets
from app.refunds.answers import End, found
from app.refunds.context import Clients, Context
from app.refunds.settling import alert, settle
from app.refunds.states import AT_THE_BANK, State, way
from app.telemetry.failpoints import fp
from app.telemetry.logs import bind, get_logger
from integrations.kernel.billing import Charge, Refund
from integrations.kernel.errors import AppError
from integrations.kernel.events import Event

BATCH = 200

log = get_logger(__name__)


def on_events(cx: sa.Connection, connection_id: str, events: Sequence[Event]) -> int:
    """Billing events, in the inbox's transaction: an event is a hint, what it is about is read at the vendor.

    No intent is locked here: a batch of the inbox holds many things, and must never wait for a refund.
    """
    refunds = [e.record for e in events if isinstance(e.record, Refund)]
    charges = [e.record.id for e in events if isinstance(e.record, Charge) and e.kind == "charge.refunded"]
    if not refunds and not charges:
        return 0
    intents = [one.intent_id for one in refunds if one.intent_id]
    count = store_work.heard(cx, connection_id, intents, [one.id for one in refunds], charges)
    fp("refund.hint.before_commit")
    return count


def look(ctx: Context, clients: Clients, intent_id: str, due_at: Any) -> None:  # noqa: ANN401 - the look's lease
    """Read one refund at the vendor and settle it by what is found. Owns nothing: settling fences the owner off."""
    with bind(job="refunds.look", refund_id=intent_id):
        with ctx.database.begin() as cx:
            intent = store.get(cx, intent_id)
        if intent is None:
            return
        try:
            end = found(intent, clients(intent.connection_id).refunds_of(intent.charge_id))
        except AppError as error:
            log.warning("refund_look_failed", code=error.code)
            return  # the look's lease runs out, and it is due again
        fp("refund.look.before_settle")
        with ctx.database.begin() as cx:
            now = store.take(cx, intent_id)
            if end is not None and end.state is not None and now is not None and way(now.state, end.state):
                settle(cx, ctx, intent_id, end, token=None)
            elif end is not None and end.state is State.NEEDS_HUMAN:
                alert(cx, intent, "mismatch", f"Refund {intent_id} differs at the vendor", end.why)
            fp("refund.look.before_commit")
        with ctx.database.begin() as cx:  # by itself: the inbox writes looks too, and must not wait for a settlement
            store_work.looked(cx, intent_id, due_at)


def sweep(ctx: Context) -> int:
    """Take over from workers that did not come back: `sending` becomes `unknown`, so that the next one looks first."""
    with ctx.database.begin() as cx:
        left = store_work.lapsed(cx, BATCH)
        for intent in left:
            if intent.state is State.SENDING:
                store.move(cx, intent, State.UNKNOWN, store.MACHINE, "Its worker went away.")
        fp("refund.sweep.before_commit")
    expired = _expire(ctx)
    if left:
        log.warning("refunds_taken_over", count=len(left))
        ctx.wake()
    return len(left) + expired


def _expire(ctx: Context) -> int:
    """Close what waited for an approval for too long."""
    with ctx.database.begin() as cx:
        waiting = store_work.expired(cx, BATCH)
    for intent_id in waiting:
        with ctx.database.begin() as cx:
            settle(cx, ctx, intent_id, End(State.EXPIRED, "Nobody approved it in time."), token=None)
    return len(waiting)


def follow(ctx: Context) -> int:
    """Ask after refunds the bank has not answered, and speak up where it takes too long."""
    with ctx.database.begin() as cx:
        polled = store_work.poll_due(cx, BATCH, ctx.settings.refund_poll_s)
        late = store_work.stalled(cx, ctx.settings.refund_stall_hours, BATCH)
    for intent_id in late:
        with ctx.database.begin() as cx:
            _stalled(cx, ctx, intent_id)
    if polled:
        ctx.wake()
    return polled + len(late)


def _stalled(cx: sa.Connection, ctx: Context, intent_id: str) -> None:
    intent = store.take(cx, intent_id)
    if intent is None or intent.state not in AT_THE_BANK:
        return
    store.change(cx, intent_id, stalled_at=sa.func.now())
    closed = tickets.stalled(cx, ctx.settings, intent)
    why = "\n".join(part for part in ("The bank has not answered in time.", closed) if part)
    alert(cx, intent, "stalled", f"Refund {intent_id} is stalled at the bank", why)
    audit.record(cx, store.MACHINE, "refund_notice.stalled", intent_id, {"state": intent.state.value})
