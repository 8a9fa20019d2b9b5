"""Billing facts from profiles: base facts are stored with the event, relative ones derived from its time. Pure.

Several payers: the status that needs attention most, sums by currency, the earliest dates; `billing.payers` says how many.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from app.billing.profile import WORST_FIRST
from integrations.kernel.clock import parse_iso

Profile = Mapping[str, Any]
RELATIVE = (
    "billing.days_to_renewal", "billing.failed_payments_30d", "billing.card_expires_in_days", "billing.refunds_90d",
    "billing.refunds_90d_amount", "billing.refund_rate", "billing.tenure_days", "billing.delinquent",
)  # fmt: skip


def base_facts(payers: Sequence[Profile], company: Sequence[Profile]) -> dict[str, Any]:
    """Facts without "now". No payer: `billing.payers` 0, status none, every other fact without a value."""
    dispute = min((p["dispute"] for p in payers if p["dispute"]), key=lambda d: d["due_by"] or "9999", default=None)
    statuses = {p["status"] for p in payers}
    return {
        "billing.payers": len(payers),
        "billing.status": next((s for s in WORST_FIRST if s in statuses), "none"),
        "billing.plan": _text(name for p in payers for name in p["plans"]),
        "billing.product": _text(name for p in payers for name in p["products"]),
        "billing.seats": _sum(p["seats"] for p in payers),
        "billing.seats_used": _sum(p["seats_used"] for p in payers),
        "billing.mrr": _money(p["mrr"] for p in payers),
        "billing.ltv": _money(p["ltv"] for p in payers),
        "billing.company_mrr": _money((p["mrr"] for p in company), always_list=True),
        "billing.balance": _balance(payers),
        "billing.currency": _only(p["currency"] for p in payers),
        "billing.country": _only(p["country"] for p in payers),
        "billing.delinquent": any(p["unpaid_invoices"] > 0 for p in payers) if payers else None,
        "billing.renews_on": _earliest(p["renews_on"] for p in payers),
        "billing.cancel_at": _earliest(p["cancel_at"] for p in payers),
        "billing.trial_ends_on": _earliest(p["trial_ends_on"] for p in payers),
        "billing.last_payment_failure": next((p["last_failure"] for p in payers if p["last_failure"]), None),
        "billing.open_dispute": dispute is not None if payers else None,
        "billing.dispute_amount": dispute["amount"] if dispute else None,
        "billing.dispute_reason": dispute["reason"] if dispute else None,
        "billing.dispute_due_by": dispute["due_by"] if dispute else None,
        "billing._due": sorted(day for p in payers for day in p["due"]),
        "billing._failed": sorted(row[0] for p in payers for row in p["failed"]),
        "billing._refunds": sorted((row for p in payers for row in p["refunds"]), key=str),
        "billing._payments": sum(p["payments"] for p in payers),
        "billing._card_expires": min((p["card_expires"] for p in payers if p["card_expires"]), default=None),
        "billing._since": _earliest(p["created"] for p in payers),
    }


def relative_facts(base: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Facts that depend on the event's time; none when the billing facts were never gathered."""
    if "billing._failed" not in base:
        return {}
    today = at.date()
    renews, since, card = base["billing.renews_on"], base["billing._since"], base["billing._card_expires"]
    refunds = [row for row in base["billing._refunds"] if at - timedelta(days=90) <= parse_iso(row[0]) <= at]
    amounts: dict[str, int] = defaultdict(int)
    for _, amount in refunds:
        amounts[amount["currency"]] += amount["minor"]
    payments = base["billing._payments"]
    overdue = any(parse_iso(day) < at for day in base.get("billing._due", ()))
    return {
        "billing.delinquent": True if overdue else base.get("billing.delinquent"),
        "billing.days_to_renewal": (date.fromisoformat(renews) - today).days if renews else None,
        "billing.failed_payments_30d": sum(
            at - timedelta(days=30) <= parse_iso(t) <= at for t in base["billing._failed"]
        ),
        "billing.card_expires_in_days": (_last_day(card) - today).days if card else None,
        "billing.refunds_90d": len(refunds),
        "billing.refunds_90d_amount": _money([amounts]),
        "billing.refund_rate": round(len(refunds) / payments, 4) if payments else None,
        "billing.tenure_days": (at - parse_iso(since)).days if since else None,
    }


def _last_day(year_month: Sequence[int]) -> date:
    """A card is good to the end of its month."""
    year, month = year_month
    return date(year, month, calendar.monthrange(year, month)[1])


def _text(names: Iterable[str]) -> str | None:
    return ", ".join(sorted(set(names))) or None


def _sum(values: Iterable[int | None]) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def _only(values: Iterable[str | None]) -> str | None:
    """The one value all share; none when they differ."""
    known = {v for v in values if v}
    return known.pop() if len(known) == 1 else None


def _earliest(values: Iterable[str | None]) -> str | None:
    return min((v for v in values if v), default=None)


def _balance(payers: Sequence[Profile]) -> Any:  # noqa: ANN401 - a money fact
    amounts: dict[str, int] = defaultdict(int)
    for p in payers:
        if p["balance"]:
            amounts[p["balance"]["currency"]] += p["balance"]["minor"]
    return _money([amounts])


def _money(by_currency: Iterable[Mapping[str, int]], *, always_list: bool = False) -> Any:  # noqa: ANN401 - a money fact
    """One amount, a list where there are several currencies, None where there is none."""
    total: dict[str, int] = defaultdict(int)
    for amounts in by_currency:
        for currency, minor in amounts.items():
            total[currency] += minor
    found = [{"minor": minor, "currency": currency} for currency, minor in sorted(total.items())]
    if always_list:
        return found
    return found[0] if len(found) == 1 else found or None
