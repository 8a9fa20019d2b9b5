"""What the panel shows of one payer: read in one statement of the mirror and one of our refunds, then put into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app import agents, identity
from app.billing import whole
from app.billing.whole import Whole
from app.config import Settings
from app.identity import PayerMatch
from app.identity.models import LADDER
from app.identity.policy import BY_PEOPLE
from app.ui import vendor_pages
from app.ui.words import Moment, Reader, plain
from integrations.kernel.vendor import Account
from sidebar_app import activity, payers, refund_states, rows, words
from sidebar_app.identity import Visit
from sidebar_app.rows import DisputeNote, Plan, Row
from sidebar_app.words import Pill

KINDS: Final = (
    "payer", "subscription", "charge", "invoice", "refund", "dispute", "credit_note", "payment_method",
)  # fmt: skip
FEW, MANY = 5, 50  # rows of each list, before and after "Show more"
PLANS = 4


@dataclass(frozen=True, slots=True)
class Lists:
    """Rows and how many there are in all."""

    charges: tuple[Row, ...]
    invoices: tuple[Row, ...]
    refunds: tuple[Row, ...]
    totals: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Payer:
    """Everything of the one payer that is shown. linked: who said so, and when; "" where nobody did.

    held: why a refund that is asked for now is not sent at once, "" when it is.
    """

    key: str
    name: str
    email: str
    since: Moment | None
    strength: Pill
    linked: str
    is_test: bool
    link: str
    mrr: str
    ltv: str
    seats: str
    balance: str
    dispute: DisputeNote | None
    plans: tuple[Plan, ...]
    methods: tuple[str, ...]
    lists: Lists
    happened: tuple[activity.Happened, ...]
    held: str
    moving: tuple[refund_states.Moving, ...]
    until: Moment | None
    is_stale: bool
    is_reading: bool


def payer(
    cx: sa.Connection, visit: Visit, settings: Settings, account: Account, one: PayerMatch, *, many: bool = False
) -> Payer:
    """The payer as this visit is shown them. many: the long lists."""
    told, limit = visit.reader, MANY if many else FEW
    found = whole.of_payer(cx, one.key, KINDS, max(limit, activity.SHOWN))
    profile: Mapping[str, Any] = found.profile
    record: Mapping[str, Any] = next(iter(found.records.get("payer", ())), {})
    charges = [c["id"] for c in found.records.get("charge", ())]
    held, moving = refund_states.of_payer(cx, visit, one, charges)
    return Payer(
        key=payers.key_of(one),
        name=plain(record.get("name")) or "No name",
        email=plain(record.get("email")),
        since=told.day(record["created"]) if record.get("created") else None,
        strength=words.STRENGTH[one.strength],
        linked=_linked(cx, visit, one),
        is_test=vendor_pages.is_test(account),
        link=vendor_pages.address(account, "payer", one.payer_id),
        mrr=told.sums(profile.get("mrr", {})),
        ltv=told.sums(profile.get("ltv", {})),
        seats=_seats(profile),
        balance=_balance(record, told),
        dispute=rows.dispute(found.records.get("dispute", ()), told, account),
        plans=_plans(found, told),
        methods=_methods(found, record, told),
        lists=_lists(found, told, limit),
        held=held,
        moving=moving,
        happened=tuple(activity.lately(found.records, told)),
        until=told.time(found.until) if found.until else None,
        is_stale=_is_stale(found.until, told.now, settings),
        is_reading=found.is_reading,
    )


def _is_stale(until: datetime | None, now: datetime, settings: Settings) -> bool:
    return until is None or now - until > timedelta(seconds=settings.sidebar_stale_s)


def _linked(cx: sa.Connection, visit: Visit, one: PayerMatch) -> str:
    """Who said that this is the payer, and when."""
    said = one.chosen or one.rung in BY_PEOPLE  # whatever else is nobody's saying
    asked = visit.requester is not None and said
    link = identity.link_of(cx, visit.requester, one.key) if asked and visit.requester else None
    if link is None or link.made_by == LADDER:
        return ""
    connection_id, _, agent_id = link.made_by.rpartition("/")
    agent = agents.find(cx, connection_id, [agent_id]).get(agent_id) if connection_id else None
    by = plain(agent.name) if agent else "a colleague"
    return f"by {by}, {visit.reader.day(link.made_at).text}{f' ({plain(link.note)})' if link.note else ''}"


def _seats(profile: Mapping[str, Any]) -> str:
    seats, used = profile.get("seats"), profile.get("seats_used")
    if seats is None:
        return ""
    return f"{used} / {seats}" if used is not None else str(seats)


def _balance(record: Mapping[str, Any], told: Reader) -> str:
    """Below zero is credit of theirs."""
    balance = record.get("balance")
    if not balance or not balance["minor"]:
        return ""
    amount = told.money({**balance, "minor": abs(balance["minor"])})
    return f"{amount} credit" if balance["minor"] < 0 else f"{amount} owed"


def _plans(found: Whole, told: Reader) -> tuple[Plan, ...]:
    """Running subscriptions first; the ended ones only where nothing runs."""
    ended = ("canceled", "incomplete_expired", "incomplete")
    every = found.records.get("subscription", ())
    shown = ([s for s in every if s["status"] not in ended] or list(every[:1]))[:PLANS]
    methods = found.records.get("payment_method", ())
    return tuple(rows.plan(s, told, found.sold, methods) for s in shown)


def _methods(found: Whole, record: Mapping[str, Any], told: Reader) -> tuple[str, ...]:
    """The way that pays by default first."""
    every = found.records.get("payment_method", ())
    ordered = sorted(every, key=lambda m: m["id"] != record.get("method_id"))
    return tuple(rows.method_text(m, told) for m in ordered[:3])


def _lists(found: Whole, told: Reader, limit: int) -> Lists:
    charges = found.records.get("charge", ())[:limit]
    invoices = found.records.get("invoice", ())[:limit]
    refunds = found.records.get("refund", ())[:limit]
    disputes = {d["charge_id"]: d["status"] for d in found.records.get("dispute", ())}
    titles = {charge_id: number for charge_id, number in found.numbers.items() if number}
    return Lists(
        tuple(rows.charge(c, told, found.numbers.get(c["id"], ""), disputes) for c in charges),
        tuple(rows.invoice(i, told) for i in invoices),
        tuple(rows.refund(r, told, titles) for r in refunds),
        {kind: found.totals.get(kind, 0) for kind in ("charge", "invoice", "refund")},
    )
