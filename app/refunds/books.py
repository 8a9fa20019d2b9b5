"""The books: what the vendor holds of ours against what we have written down, per charge and in all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app import notify
from app.refunds import store, store_work
from app.refunds.answers import found
from app.refunds.context import Clients, Context
from app.refunds.intent import Intent
from app.refunds.settling import settle
from app.refunds.states import COUNTED, OF_STATUS, way
from app.telemetry.failpoints import fp
from app.telemetry.logs import get_logger
from integrations.kernel.billing import Refund

NIGHT = timedelta(days=35)  # refunds may fail at the bank weeks later
LATE = timedelta(days=1)  # a refund of ours may be made a while after it was asked for

log = get_logger(__name__)


@dataclass(slots=True)
class Books:
    """Amounts in minor units by currency. differences: charge -> (at the vendor, recorded). strangers: refunds that name
    an intent we do not have. doubles: intents with more than one refund. foreign: made elsewhere, shown, not adopted.
    """

    connection_id: str
    at_vendor: dict[str, int] = field(default_factory=dict)
    recorded: dict[str, int] = field(default_factory=dict)
    foreign: dict[str, int] = field(default_factory=dict)
    foreign_count: int = 0
    differences: dict[str, tuple[int, int]] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    settled: int = 0

    @property
    def agree(self) -> bool:
        """Do both sides say the same, to the unit?"""
        return not (self.differences or self.strangers or self.doubles or self.at_vendor != self.recorded)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "agree": self.agree}


def compare(connection_id: str, refunds: Sequence[Refund], intents: Sequence[Intent], known: Iterable[str]) -> Books:
    """Both sides of one connection. Pure. known: ids of every intent we have, also older ones."""
    books = Books(connection_id)
    ours, have = {one.id for one in intents}, {*known}
    by_intent: dict[str, int] = defaultdict(int)
    at_vendor: dict[tuple[str, str], int] = defaultdict(int)
    for refund in refunds:
        if OF_STATUS.get(refund.status) not in COUNTED:
            continue
        currency, minor = refund.amount.currency, refund.amount.minor
        if not refund.intent_id:
            books.foreign[currency] = books.foreign.get(currency, 0) + minor
            books.foreign_count += 1
        elif refund.intent_id not in have | ours:
            books.strangers.append(refund.id)
        elif refund.intent_id in ours:
            at_vendor[refund.charge_id, currency] += minor
            by_intent[refund.intent_id] += 1
    recorded: dict[tuple[str, str], int] = defaultdict(int)
    for intent in intents:
        if intent.state in COUNTED:
            recorded[intent.charge_id, intent.amount.currency] += intent.amount.minor
    _sum_up(books, at_vendor, recorded)
    books.doubles = sorted(one for one, count in by_intent.items() if count > 1)
    return books


def _sum_up(books: Books, at_vendor: Mapping[tuple[str, str], int], recorded: Mapping[tuple[str, str], int]) -> None:
    for key in sorted({*at_vendor, *recorded}):
        theirs, ours = at_vendor.get(key, 0), recorded.get(key, 0)
        books.at_vendor[key[1]] = books.at_vendor.get(key[1], 0) + theirs
        books.recorded[key[1]] = books.recorded.get(key[1], 0) + ours
        if theirs != ours:
            books.differences[key[0]] = (theirs, ours)


def reconcile(ctx: Context, clients: Clients, connection_id: str, since: datetime) -> Books:
    """Read the vendor's refunds since then, settle what they decide, and compare.

    What moved after the reading began is left out on both sides, as the list may hold it or not: the next run counts it.
    """
    with ctx.database.begin() as cx:
        begun = store_work.moment(cx)
    refunds = list(clients(connection_id).refunds_since(since))
    by_intent: dict[str, list[Refund]] = defaultdict(list)
    for refund in refunds:
        if refund.intent_id:
            by_intent[refund.intent_id].append(refund)
    settled = {one: moved for one, mine in sorted(by_intent.items()) if (moved := _settle(ctx, one, mine)) is not None}
    with ctx.database.begin() as cx:
        every = [one for one in store.recorded(cx, connection_id, since) if _whole(one, since, by_intent)]
        known = [one for one in by_intent if store.get(cx, one) is not None]
    intents = [one for one in every if one.state_at < begun or one.moves == settled.get(one.id)]
    books = compare(connection_id, refunds, intents, known)
    books.settled = len(settled)
    return books


def _whole(intent: Intent, since: datetime, by_intent: Mapping[str, Sequence[Refund]]) -> bool:
    """An intent at the edge of the window may have its refund on either side of it: count it where the vendor does."""
    return intent.created_at >= since + LATE or intent.id in by_intent or intent.state not in COUNTED


def _settle(ctx: Context, intent_id: str, refunds: Sequence[Refund]) -> int | None:
    """Settle it by the list; answers how many moves it has made then, None when there was nothing to settle."""
    with ctx.database.begin() as cx:
        intent = store.take(cx, intent_id)
        end = found(intent, refunds) if intent is not None else None
        if intent is None or end is None or end.state is None or not way(intent.state, end.state):
            return None
        done = settle(cx, ctx, intent_id, end, token=None)
        fp("refund.books.before_commit")
        return done.moves if done is not None else None


def nightly(ctx: Context, clients: Clients, connection_id: str) -> Books:
    """The books of the last 35 days; a person is told when they do not agree."""
    now = ctx.clock()
    books = reconcile(ctx, clients, connection_id, now - NIGHT)
    log.info("refund_books", connection_id=connection_id, agree=books.agree, settled=books.settled)
    if not books.agree:
        subject = f"Refunds of {connection_id} and the vendor's books differ"
        charges = ", ".join(sorted(books.differences)[:20]) or "none"
        body = f"{subject}.\nCharges: {charges}.\nStrangers: {', '.join(books.strangers[:20]) or 'none'}.\n"
        body += "Look at `flask refunds reconcile`, and at docs/refunds.md for what to do."
        with ctx.database.begin() as cx:
            notify.tell(cx, "refund.books", f"books-{connection_id}-{now:%Y%m%d}", subject, body, books.to_json())
    return books
