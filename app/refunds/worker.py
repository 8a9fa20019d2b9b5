"""Carries refunds to the vendor. Safe to run anywhere, twice, and to be killed anywhere (docs/refunds.md).

No database connection is held while the vendor is asked. Every write is fenced by the token of the claim.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import sqlalchemy as sa

from app.refunds import credits, follow, store, store_work
from app.refunds.answers import KEY_LIFE_S, End, after_call, found, fresh_refusal, made, not_sent
from app.refunds.context import Clients, Context
from app.refunds.intent import Intent
from app.refunds.settling import settle
from app.refunds.states import State
from app.telemetry.failpoints import fp
from app.telemetry.logs import bind, get_logger
from integrations.kernel.errors import AppError
from integrations.kernel.ports import RefundOrder, Refunds
from integrations.transport.backoff import delay_s

BATCH = 20

log = get_logger(__name__)


class RefundWorker:
    """Drains what is due. `client`: the Refunds port of a connection."""

    def __init__(self, ctx: Context, client: Clients, pool: ThreadPoolExecutor) -> None:
        self._ctx = ctx
        self._client = client
        self._pool = pool

    def drain(self, go_on: Callable[[], bool]) -> int:
        """Send and look until nothing is due or `go_on` says no; answers how many were worked on."""
        worked = 0
        while go_on():
            claimed = self._claim()
            with self._ctx.database.begin() as cx:
                looks = store_work.claim_looks(cx, BATCH)
                notes = credits.claim(cx, BATCH)
            calls = [self._pool.submit(self.one, intent) for intent in claimed]
            calls += [self._pool.submit(follow.look, self._ctx, self._client, *look) for look in looks]
            calls += [self._pool.submit(credits.one, self._ctx, self._client, note) for note in notes]
            for call in calls:
                call.result()
            worked += len(calls)
            if not calls:
                break
        return worked

    def _claim(self) -> list[Intent]:
        """Take what is due; it is `sending` from here on, before anything is asked of the vendor."""
        with self._ctx.database.begin() as cx:
            claimed = store_work.claim(cx, BATCH, self._ctx.settings.refund_lease_s)
            mine = [self._first(cx, one) if one.state is State.RESERVED else one for one in claimed]
            fp("refund.claim.before_commit")
        if mine:
            fp("refund.claim.after_commit")
        return mine

    def _first(self, cx: sa.Connection, intent: Intent) -> Intent:
        """From now on the vendor's key may be in use: the time its life is counted from is written down."""
        store.change(cx, intent.id, first_sent_at=sa.func.now())
        return store.move(cx, intent, State.SENDING, store.MACHINE)

    def one(self, intent: Intent) -> None:
        """One claimed intent, from reading the vendor to its end or its next try."""
        with bind(job="refunds", refund_id=intent.id):
            try:
                client = self._client(intent.connection_id)
                end = self._again(client, intent) if intent.attempts else self._before(client, intent)
            except AppError as error:  # reading failed, or the connection cannot be opened: nothing was sent just now
                log.warning("refund_waits", code=error.code)
                end = self._waits(intent, error)
            if end is None:
                begun = self._begin_call(intent)
                end = self._call(client, begun) if begun is not None else None
            if end is not None:
                self._end(intent, end)

    def _before(self, client: Refunds, intent: Intent) -> End | None:
        """No call was ever begun: the vendor's own word on charge and disputes, a moment before the money moves."""
        now = client.look(intent.charge_id)
        fp("refund.read.before_verdict")
        if (known := found(intent, now.refunds)) is not None:
            return known
        why = fresh_refusal(intent, now)
        return End(State.REJECTED, why) if why else None

    def _again(self, client: Refunds, intent: Intent) -> End | None:
        """A call was begun before: look first, and repeat only what is surely not there."""
        known = found(intent, client.refunds_of(intent.charge_id))
        fp("refund.read.before_verdict")
        if known is not None:
            return known
        if intent.refused:
            return End(State.REJECTED, f"The vendor refused it: {intent.refused}.")
        if self._age_s(intent) >= KEY_LIFE_S:
            return End(
                State.NEEDS_HUMAN,
                "No answer for 23 hours and no such refund at the vendor. Its key may be forgotten: nothing is repeated.",
            )
        return None

    def _begin_call(self, intent: Intent) -> Intent | None:
        """Count the call before it is made; None when somebody else has taken the intent over meanwhile."""
        with self._ctx.database.begin() as cx:
            mine = store.take(cx, intent.id, intent.token)
            if mine is None:
                return None
            if mine.state is not State.SENDING:
                mine = store.move(cx, mine, State.SENDING, store.MACHINE)
            store.change(cx, intent.id, attempts=mine.attempts + 1)
        return replace(mine, attempts=mine.attempts + 1)

    def _call(self, client: Refunds, intent: Intent) -> End:
        fp("refund.send.before_call")
        try:
            refund = client.refund(order(intent))
        except AppError as error:
            log.warning("refund_call_failed", code=error.code, attempt=intent.attempts)
            return after_call(intent, error, delay_s(intent.tries))
        fp("refund.reply.read")
        unlike = End(State.UNKNOWN, "The answer is about another refund than was asked for.", due_in_s=1.0)
        return (made(intent, refund) if refund.intent_id == intent.id else None) or unlike

    def _waits(self, intent: Intent, error: AppError) -> End:
        """Nothing was sent now. Past the key's life a person must look, whatever the vendor's trouble is."""
        if self._age_s(intent) >= KEY_LIFE_S:
            return End(State.NEEDS_HUMAN, f"It could not be carried out for 23 hours ({error.code}).")
        return not_sent(error, delay_s(intent.tries)) or End(
            None, f"It could not be carried out just now ({error.code}).", due_in_s=60.0
        )

    def _age_s(self, intent: Intent) -> float:
        with self._ctx.database.begin() as cx:
            return store_work.age_s(cx, intent.id)

    def _end(self, intent: Intent, end: End) -> None:
        with self._ctx.database.begin() as cx:
            settle(cx, self._ctx, intent.id, end, token=intent.token)
            fp("refund.settle.before_commit")
        fp("refund.settle.after_commit")


def order(intent: Intent) -> RefundOrder:
    """The call of an intent, the same at every try: the key is its id, the metadata ids only."""
    told = {
        "intent_id": intent.id, "connection_id": intent.connection_id, "ticket_id": intent.ticket_id,
        "agent_id": intent.agent_id,
    }  # fmt: skip
    return RefundOrder(intent.charge_id, intent.amount, intent.reason, intent.id, told)
