"""What a person does by hand: look at one refund, or say after looking that it was not made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from app import audit
from app.audit import store as audit_store
from app.refunds import store
from app.refunds.answers import End, found
from app.refunds.context import Clients, Context
from app.refunds.settling import settle
from app.refunds.states import State, way
from integrations.kernel.errors import NotFound, StateError


class StillThere(StateError):
    code, public = "refund.found", "The vendor holds this refund: it was settled by it and not rejected."


def look(ctx: Context, clients: Clients, intent_id: str) -> State:
    """Read one refund at the vendor and settle it by what is there; answers its state after that. Raises NotFound."""
    with ctx.database.begin() as cx:
        intent = store.get(cx, intent_id)
    if intent is None:
        raise NotFound(f"There is no refund {intent_id}.")
    end = found(intent, clients(intent.connection_id).refunds_of(intent.charge_id))
    with ctx.database.begin() as cx:
        now = store.take(cx, intent_id)
        if now is not None and end is not None and end.state is not None and way(now.state, end.state):
            settle(cx, ctx, intent_id, end, token=None)
        after = store.get(cx, intent_id)
    return after.state if after else intent.state


def not_sent(ctx: Context, clients: Clients, intent_id: str, by: str, why: str) -> None:
    """A person says that it was not made. We look ourselves once more before the amount is free again.

    Raises:
        NotFound; StateError: it needs no person. StillThere: the vendor holds it.
    """
    state = look(ctx, clients, intent_id)
    if state is not State.NEEDS_HUMAN:
        raise StillThere(f"{intent_id} is {state.value}.")
    with ctx.database.begin() as cx:
        if settle(cx, ctx, intent_id, End(State.REJECTED, "A person found no refund."), token=None, actor=by) is None:
            raise StateError
        audit.record(cx, by, "refund_resolved.not_sent", intent_id, personal={"why": why})


def steps(cx: sa.Connection, intent_id: str) -> Sequence[tuple[datetime, str, str]]:
    """When, who, what: every row of the audit record about one refund."""
    return [(entry.at, entry.actor, entry.action) for entry, _, _ in audit_store.rows(cx, subject=intent_id)]
