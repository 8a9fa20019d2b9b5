"""The facts a refund is decided on: our mirror of the vendor, our own intents, the link of requester and payer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app import billing, identity
from app.access import Actor
from app.billing import store as mirror
from app.identity import IdentitySettings, Match, Requester, Strength
from app.refunds import store
from app.refunds.intent import Intent
from app.refunds.preflight import Facts, Other
from app.refunds.states import COUNTED, OF_STATUS, RESERVING, RETURNED
from app.tickets import store as tickets
from integrations.kernel.clock import parse_iso
from integrations.kernel.errors import NotFound
from integrations.kernel.money import Money

DAYS = timedelta(days=90)


class NoSuchCharge(NotFound):
    code = "refund.no_charge"
    public = "This charge is not known here. If it is new, it will be in a moment."


@dataclass(frozen=True, slots=True)
class Where:
    """billing, charge: the money. helpdesk, ticket: where somebody asks for it back."""

    billing: str
    charge: str
    helpdesk: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the mirror knows of a charge. elsewhere: given back by others, minor units. invoice: the one it paid, or "".

    returned: of elsewhere, what may be ours: the bank sent it back, and the charge was not read since. It counts as gone
    until then: better a moment too late than twice.
    """

    data: Mapping[str, Any]
    payer_id: str
    captured: Money
    elsewhere: int
    disputes: tuple[str, ...]
    invoice: str
    returned: int = 0


def known_charge(cx: sa.Connection, where: Where, intents: Sequence[Intent]) -> Known:
    """The charge by our mirror. Raises NoSuchCharge."""
    data = mirror.by_id(cx, where.billing, [("charge", where.charge)]).get(("charge", where.charge))
    if data is None:
        raise NoSuchCharge(charge_id=where.charge)
    beside = mirror.of_charge(cx, where.billing, where.charge, data["payer_id"])
    ours = {one.id for one in intents}
    counted = [r for r in beside["refund"] if OF_STATUS.get(r["status"]) in COUNTED]
    foreign = sum(r["amount"]["minor"] for r in counted if r.get("intent_id", "") not in ours)
    own = sum(r["amount"]["minor"] for r in counted if r.get("intent_id", "") in ours)
    # The charge's own figure knows refunds whose records have not come yet: what ours do not explain is others'.
    recorded = sum(one.amount.minor for one in intents if one.state in (*COUNTED, *RESERVING))
    unexplained = data["refunded"]["minor"] - max(own, recorded)
    elsewhere = max(foreign, unexplained, 0)
    returned = sum(one.amount.minor for one in intents if one.state in RETURNED)
    invoices = mirror.invoices_of(cx, where.billing, {where.charge: data.get("intent") or ""})
    return Known(
        data, data["payer_id"], _money(data["captured"]), elsewhere, tuple(d["status"] for d in beside["dispute"]),
        invoices.get(where.charge, ""), min(returned, elsewhere - foreign),
    )  # fmt: skip


def gather(
    cx: sa.Connection, actor: Actor, where: Where, known: Known, intents: Sequence[Intent], ladder: IdentitySettings,
    now: datetime, row: sa.Row[Any] | None, own_id: str = "",
) -> Facts:  # fmt: skip
    """All facts. row: the locked charge row where one decides, None where one only shows. own_id: not counted as other."""
    match = _match(cx, where, ladder)
    currency = known.captured.currency
    refunded, reserved = _sums(known, intents, row)
    return Facts(
        strength=_strength(match, where.billing, known.payer_id),
        status=known.data["status"],
        captured=known.captured,
        refunded=Money(refunded, currency),
        reserved=Money(reserved, currency),
        charged_at=parse_iso(known.data["created"]),
        disputes=known.disputes,
        blocked=False,
        others=tuple(_other(one) for one in intents if one.id != own_id),
        earlier=_earlier(cx, match, (where.billing, known.payer_id), now),
        today=store.asked_today(cx, actor.person_id, currency),
        role=actor.role,
        policy=store.active_policy(cx),
        returned=Money(known.returned, currency),
    )


def _sums(known: Known, intents: Sequence[Intent], row: sa.Row[Any] | None) -> tuple[int, int]:
    if row is not None:
        return row.refunded + row.elsewhere, row.reserved
    ours = sum(one.amount.minor for one in intents if one.state in COUNTED)
    held = sum(one.amount.minor for one in intents if one.state in RESERVING)
    return ours + known.elsewhere, held


def company_of(cx: sa.Connection, where: Where, ladder: IdentitySettings) -> tuple[str, list[tuple[str, str]]]:
    """The charge's payer, "" when it is not known here, and all payers (connection, id) whose refunds count together."""
    data = mirror.by_id(cx, where.billing, [("charge", where.charge)]).get(("charge", where.charge))
    payer_id = data["payer_id"] if data else ""
    return payer_id, _together(_match(cx, where, ladder), (where.billing, payer_id))


def _together(match: Match, payer: tuple[str, str]) -> list[tuple[str, str]]:
    return sorted({payer, *match.company, *(one.key for one in match.payers)})


def _match(cx: sa.Connection, where: Where, ladder: IdentitySettings) -> Match:
    ticket = tickets.read(cx, where.helpdesk, [where.ticket]).get(where.ticket)
    if ticket is None or not ticket.requester_id:
        return Match()
    requester = Requester(where.helpdesk, ticket.requester_id)
    return identity.match(cx, [requester], ladder, remember=False).get(requester, Match())


def _strength(match: Match, connection_id: str, payer_id: str) -> Strength | None:
    """How sure it is that the requester is this payer; the company alone is no link."""
    mine = [one.strength for one in match.payers if one.key == (connection_id, payer_id)]
    return mine[0] if mine and payer_id else None


def _other(intent: Intent) -> Other:
    return Other(intent.id, intent.person_id, intent.amount, intent.state, intent.created_at)


def _earlier(cx: sa.Connection, match: Match, payer: tuple[str, str], now: datetime) -> Mapping[str, tuple[int, int]]:
    """Refunds of the company in 90 days, and what of ours is on its way to it or not in the mirror yet.

    Ours first: one that the mirror hears of meanwhile is counted twice and not left out.
    """
    payers = _together(match, payer)
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0)) | store.on_the_way(cx, payers)
    for currency, minor in _refunds(billing.profiles(cx, payers).values(), now):
        found[currency] = (found[currency][0] + 1, found[currency][1] + minor)
    return dict(found)


def _refunds(profiles: Iterable[Mapping[str, Any]], now: datetime) -> Iterable[tuple[str, int]]:
    for profile in profiles:
        for at, amount in profile["refunds"]:
            if now - DAYS <= parse_iso(at):
                yield amount["currency"], amount["minor"]


def _money(data: Mapping[str, Any]) -> Money:
    return Money(data["minor"], data["currency"])
