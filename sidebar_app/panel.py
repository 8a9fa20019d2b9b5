"""The panel's view-model: which state it is in, and everything its fragment shows. Reads the mirror only, never a vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from app import billing, identity
from app.config import Settings
from app.customers.store import Person
from app.identity import IdentitySettings, Match, PayerMatch
from app.ui.words import Reader, plain
from integrations.kernel.vendor import Account
from sidebar_app import billed, payers, refund_states, why
from sidebar_app.identity import Visit


@dataclass(frozen=True, slots=True)
class Who:
    """The requester. company: the helpdesk's name of it."""

    name: str
    email: str
    company: str
    initials: str


@dataclass(frozen=True, slots=True)
class Panel:
    """state: unknown (the ticket has not reached us), nobody (no payer), company, several, unverified, one.

    prove: may the agent prove who pays by facts? choices: the payers among whom there is a choice. no_refund: why no
    refund is offered, "" when it is. asked: the refund this agent has just asked for.
    """

    state: str
    who: Who | None = None
    payer: billed.Payer | None = None
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
    return _looked(cx, visit, settings, accounts)[1]


def _looked(
    cx: sa.Connection, visit: Visit, settings: Settings, accounts: Mapping[str, Account]
) -> tuple[Person | None, Match]:
    if visit.requester is None:
        return None, Match()
    person, match = identity.look(cx, visit.requester, ladder(settings))
    return person, replace(
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
    person, match = _looked(cx, visit, settings, accounts)
    one = payers.pick(match, asked)
    unverified = bool(match.payers) and match.strength == identity.Strength.UNVERIFIED
    panel = Panel(
        _state(match, one),
        who=_who(person),
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
        return replace(panel, payer=billed.payer(cx, visit, settings, accounts[one.connection_id], one, many=many))
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


def _who(person: Person | None) -> Who | None:
    if person is None:
        return None
    name, email = plain(person.name) or "No name", plain(person.email)
    company = plain(person.company.name) if person.company else ""
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
