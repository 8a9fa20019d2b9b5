"""The panel's view-model: which state it is in, and everything its fragment shows. Reads the mirror only, never a vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app import agents, billing, identity
from app.billing import newest
from app.billing import store as mirror
from app.config import Settings
from app.customers import store as customers
from app.identity import IdentitySettings, Match, PayerMatch
from app.identity.models import LADDER
from app.identity.policy import BY_PEOPLE
from app.ui import vendor_pages
from app.ui.words import Moment, Reader, plain
from integrations.kernel.vendor import Account
from sidebar_app import activity, payers, refund_states, rows, why, words
from sidebar_app.identity import Visit
from sidebar_app.rows import DisputeNote, Plan, Row
from sidebar_app.words import Pill

KINDS: Final = (
    "payer", "subscription", "charge", "invoice", "refund", "dispute", "credit_note", "payment_method",
)  # fmt: skip
FEW, MANY = 5, 50  # rows of each list, before and after "Show more"
PLANS = 4


@dataclass(frozen=True, slots=True)
class Who:
    """The requester. company: the helpdesk's name of it."""

    name: str
    email: str
    company: str
    initials: str


@dataclass(frozen=True, slots=True)
class Lists:
    """Rows and how many there are in all."""

    charges: tuple[Row, ...]
    invoices: tuple[Row, ...]
    refunds: tuple[Row, ...]
    totals: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Payer:
    """Everything of the one payer that is shown. linked: who said so, and when; "" where nobody did."""

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
    moving: tuple[refund_states.Moving, ...]
    until: Moment | None
    is_stale: bool
    is_reading: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """state: unknown (the ticket has not reached us), nobody (no payer), company, several, unverified, one.

    prove: may the agent prove who pays by facts? choices: the payers among whom there is a choice. no_refund: why no
    refund is offered, "" when it is. asked: the refund this agent has just asked for.
    """

    state: str
    who: Who | None = None
    payer: Payer | None = None
    choices: Sequence[payers.Choice] = ()
    company: str = ""
    warnings: Sequence[str] = ()
    tags: Sequence[str] = ()
    touched: Sequence[why.Touched] = ()
    is_writable: bool = False
    prove: bool = False
    prove_card: bool = False
    view_only: bool = False
    no_refund: str = ""
    asked: str = ""
    problem: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


def ladder(settings: Settings) -> IdentitySettings:
    """How the admin set the identity ladder."""
    return IdentitySettings(
        plus_addresses=settings.plus_addresses, link_keys=settings.payer_link_keys,
        organization_keys=settings.organization_link_keys, organization_fields=settings.organization_fields,
    )  # fmt: skip


def found_match(cx: sa.Connection, visit: Visit, settings: Settings, accounts: Mapping[str, Account]) -> Match:
    """Who pays for the requester, of the billing connections that are in service."""
    if visit.requester is None:
        return Match()
    match = payers.match(cx, visit.requester, ladder(settings))
    return replace(
        match,
        payers=tuple(p for p in match.payers if p.connection_id in accounts),
        company=tuple(key for key in match.company if key[0] in accounts),
    )


def build(
    cx: sa.Connection, visit: Visit, settings: Settings, accounts: Mapping[str, Account], *, asked: str = "",
    many: bool = False,
) -> Panel:  # fmt: skip
    """The panel of this visit.

    Args:
        accounts: billing connections in service, by id.
        asked: the payer to show among several, as `payers.key_of` names it.
        many: show the long lists.

    Raises:
        NotTheirs: the payer asked for is none of the requester's.
    """
    if not visit.is_known:
        return Panel("unknown")
    match = found_match(cx, visit, settings, accounts)
    one = payers.pick(match, asked)
    unverified = bool(match.payers) and match.strength == identity.Strength.UNVERIFIED
    panel = Panel(
        _state(match, one),
        who=_who(cx, visit),
        choices=payers.choices(cx, match.payers, visit.reader) if len(match.payers) > 1 and one is None else (),
        warnings=[plain(text) for text in match.warnings],
        tags=why.tags(visit, settings.tag_prefix),
        touched=why.touched(cx, visit) if visit.ticket else (),
        is_writable=visit.writable,
        prove=visit.writable and (unverified or not match.payers),
        prove_card=unverified,
        view_only=visit.ticket is None,
        no_refund=refund_states.hindrance(cx, visit, one) if match.payers else "",
    )
    if one is not None:
        payer = _payer(cx, visit, settings, accounts[one.connection_id], one, MANY if many else FEW)
        return replace(panel, payer=payer)
    return replace(panel, company=_company(cx, match, visit.reader))


def with_problem(panel: Panel, problem: str, form: Mapping[str, str]) -> Panel:
    """The panel with what was typed and why it was not taken."""
    typed = {name: plain(form.get(name, ""))[:64] for name in ("invoice", "last4", "amount", "day")}
    return replace(panel, problem=problem, typed=typed if problem else {})


def _state(match: Match, one: PayerMatch | None) -> str:
    if one is not None:
        return "unverified" if one.strength == identity.Strength.UNVERIFIED else "one"
    if match.payers:
        return "several"
    return "company" if match.company else "nobody"


def _who(cx: sa.Connection, visit: Visit) -> Who | None:
    if not visit.requester_id:
        return None
    found = customers.introduced(cx, visit.session.connection_id, visit.requester_id)
    if found is None:
        return None
    told, email, company = map(plain, found)
    name = told or "No name"
    initials = "".join(part[0] for part in name.split()[:1] + name.split()[1:][-1:]).upper()
    return Who(name, email, company, initials)


def _company(cx: sa.Connection, match: Match, told: Reader) -> str:
    """The roll-up of a company: how many payers, and what they pay a month together."""
    if not match.company:
        return ""
    profiles = billing.profiles(cx, list(match.company))
    total: dict[str, int] = {}
    for profile in profiles.values():
        for currency, minor in profile["mrr"].items():
            total[currency] = total.get(currency, 0) + minor
    count = len(match.company)
    mrr = told.sums(total)
    return f"{count} {'payer' if count == 1 else 'payers'} at this company{f', {mrr} a month together' if mrr else ''}"


def _payer(cx: sa.Connection, visit: Visit, settings: Settings, account: Account, one: PayerMatch, limit: int) -> Payer:
    told = visit.reader
    found = newest.of_payer(cx, one.key, KINDS, max(limit, activity.SHOWN))
    profile: Mapping[str, Any] = billing.profiles(cx, [one.key]).get(one.key, {})
    record: Mapping[str, Any] = next(iter(found.records.get("payer", ())), {})
    until, is_reading = newest.standing(cx, one.key)
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
        plans=_plans(cx, one, found, told),
        methods=_methods(found, record, told),
        lists=_lists(cx, one, found, told, limit),
        moving=refund_states.of_payer(cx, visit, one, [c["id"] for c in found.records.get("charge", ())]),
        happened=tuple(activity.lately(found.records, told)),
        until=told.time(until) if until else None,
        is_stale=_is_stale(until, told.now, settings),
        is_reading=is_reading,
    )


def _is_stale(until: datetime | None, now: datetime, settings: Settings) -> bool:
    return until is None or now - until > timedelta(seconds=settings.sidebar_stale_s)


def _linked(cx: sa.Connection, visit: Visit, one: PayerMatch) -> str:
    """Who said that this is the payer, and when."""
    asked = visit.requester is not None and one.rung in BY_PEOPLE  # another rung is nobody's saying
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


def _plans(cx: sa.Connection, one: PayerMatch, found: newest.Newest, told: Reader) -> tuple[Plan, ...]:
    """Running subscriptions first; the ended ones only where nothing runs."""
    ended = ("canceled", "incomplete_expired", "incomplete")
    every = found.records.get("subscription", ())
    shown = ([s for s in every if s["status"] not in ended] or list(every[:1]))[:PLANS]
    items = [i for s in shown for i in s["items"]]
    keys = {("product", i["product_id"]) for i in items} | {("price", i["price_id"]) for i in items}
    sold = mirror.by_id(cx, one.connection_id, {key for key in keys if key[1]})
    methods = found.records.get("payment_method", ())
    return tuple(rows.plan(s, told, sold, methods) for s in shown)


def _methods(found: newest.Newest, record: Mapping[str, Any], told: Reader) -> tuple[str, ...]:
    """The way that pays by default first."""
    every = found.records.get("payment_method", ())
    ordered = sorted(every, key=lambda m: m["id"] != record.get("method_id"))
    return tuple(rows.method_text(m, told) for m in ordered[:3])


def _lists(cx: sa.Connection, one: PayerMatch, found: newest.Newest, told: Reader, limit: int) -> Lists:
    charges = found.records.get("charge", ())[:limit]
    invoices = found.records.get("invoice", ())[:limit]
    titles = mirror.numbers_of(cx, one.connection_id, {c["id"]: c["intent"] for c in charges})
    refunds = found.records.get("refund", ())[:limit]
    disputes = {d["charge_id"]: d["status"] for d in found.records.get("dispute", ())}
    return Lists(
        tuple(rows.charge(c, told, titles.get(c["id"], ""), disputes) for c in charges),
        tuple(rows.invoice(i, told) for i in invoices),
        tuple(rows.refund(r, told, {c: t for c, t in titles.items() if t}) for r in refunds),
        {kind: found.totals.get(kind, 0) for kind in ("charge", "invoice", "refund")},
    )
