"""`/admin/renewals`: what renews in the next months, by currency, and how much of it is at risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_skeleton
from flask import request
from markupsafe import Markup

from app.access import Role
from app.admin import chart, console
from app.admin.chart import Bar
from app.admin.console import blueprint, page, runtime
from app.leads.renewals import Month, by_month, currencies
from app.ui.words import Reader
from integrations.kernel.money import Money

SPANS = (3, 6, 12)


@dataclass(frozen=True, slots=True)
class Row:
    """A month in words."""

    month: str
    number: int
    money: str
    at_risk: int
    risk_money: str
    ending: int
    failed: int
    warned: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency by itself: amounts of two are never added. risk: of its total, in words."""

    code: str
    drawing: Markup
    risk: str
    rows: tuple[Row, ...]
    total: Row


@blueprint.get("/renewals")
def renewals() -> str:
    """By month, as bars and as a table."""
    actor = console.who(Role.APPROVER)
    told, span = console.told(), months(request.args.get("months", ""))
    first = told.now.astimezone(told.zone).date().replace(day=1)
    with runtime().database.begin() as cx:
        found = by_month(cx, first, span)
    shown = [_currency(code, [m for m in found if m.currency == code], told) for code in currencies(found)]
    may_export = actor.role.is_at_least(Role.ADMIN)
    return page(
        "renewals", actor=actor, told=told, here="/admin/renewals", span=span, spans=SPANS, currencies=shown,
        export=f"/admin/renewals.csv?months={span}" if may_export else "",
    )  # fmt: skip


def months(text: str) -> int:
    """How many months are shown; six unless another known number is asked for."""
    return int(text) if text in map(str, SPANS) else 6


def _currency(code: str, found: Sequence[Month], told: Reader) -> Currency:
    rows = tuple(_row(one, _month(one.month, told), told) for one in found)
    total = Month(found[0].month, code, *(sum(column) for column in zip(*map(_sums, found), strict=True)))
    shown = _row(total, "All of them", told)
    return Currency(code, _drawing(code, found, rows, told), _risk(total, shown), rows, shown)


def _risk(total: Month, shown: Row) -> str:
    """What of it is at risk; a subscription billed by use has no worth that could be told."""
    if total.risk_money:
        return f"{shown.risk_money} of it at risk"
    return f"{total.at_risk} at risk, worth not known" if total.at_risk else "nothing at risk"


def _sums(one: Month) -> tuple[int, ...]:
    return one.number, one.money, one.at_risk, one.risk_money, one.ending, one.failed, one.warned, one.unpriced


def _row(one: Month, name: str, told: Reader) -> Row:
    return Row(
        name, one.number, told.money(Money(one.money, one.currency)), one.at_risk,
        told.money(Money(one.risk_money, one.currency)), one.ending, one.failed, one.warned, one.unpriced,
    )  # fmt: skip


def _month(day: date, told: Reader) -> str:
    return str(format_skeleton("yMMM", day, locale=told.locale))


def _drawing(code: str, found: Sequence[Month], rows: Sequence[Row], told: Reader) -> Markup:
    most = max(max(one.money for one in found), 1)
    lines = [
        Bar(row.month, f"{row.money}, at risk {row.risk_money}" if one.risk_money else row.money,
            (("risk", one.risk_money / most), ("safe", (one.money - one.risk_money) / most)))
        for one, row in zip(found, rows, strict=True)
    ]  # fmt: skip
    said = "; ".join(f"{row.month}: {row.money}, of it {row.risk_money} at risk" for row in rows)
    return chart.bars(f"chart-{code}", f"Renewals in {code} by month", f"{said}.", lines)
