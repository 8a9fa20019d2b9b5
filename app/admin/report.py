"""`/admin/report`: what became of the leads of each rule and signal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from babel.numbers import format_percent
from flask import request

from app.access import Role
from app.admin import console, words
from app.admin.console import blueprint, page, runtime
from app.leads.lift import LATER_DAYS, Lift, lifts
from app.leads.report import FEWEST, POOR, Record, records
from app.ui.words import Reader, plain

SPANS: Final = (90, 180, 365)
REASONS: Final = 5  # shown of one rule; the others are told together


@dataclass(frozen=True, slots=True)
class Row:
    """One rule or signal in words. rate: empty while there are too few answers."""

    name: str
    address: str
    sent: int
    answered: int
    accepted: int
    rate: str
    interval: str
    rejected: int
    reasons: tuple[tuple[str, int], ...]
    won: int
    lost: int
    money: str
    is_poor: bool


@blueprint.get("/report")
def report() -> str:
    """By signal and by rule."""
    actor = console.who(Role.APPROVER)
    told, span = console.told(), days(request.args.get("days", ""))
    with runtime().database.begin() as cx:
        since = told.now - timedelta(days=span)
        found, drawn = records(cx, since), lifts(cx, since)
    tables = (
        ("Signals", "signals", [_row(one, told) for one in found if one.name in words.SIGNALS]),
        ("Your rules", "rules", [_row(one, told) for one in found if one.name not in words.SIGNALS]),
    )
    may_export = actor.role.is_at_least(Role.ADMIN)
    return page(
        "report", actor=actor, told=told, here="/admin/report", span=span, spans=SPANS, tables=tables, fewest=FEWEST,
        poor=_percent(POOR, told), drawn=[_drawn(one, told) for one in drawn], later=LATER_DAYS,
        export=f"/admin/report.csv?days={span}" if may_export else "",
    )  # fmt: skip


def days(text: str) -> int:
    """How far back; a year unless another known number is asked for."""
    return int(text) if text in map(str, SPANS) else 365


def _row(one: Record, told: Reader) -> Row:
    reasons = [(plain(reason) or "no reason given", number) for reason, number in one.reasons.items()]
    rest = sum(number for _, number in reasons[REASONS:])
    shown = reasons[:REASONS] + ([("other reasons", rest)] if rest else [])
    rate = _percent(one.accepted / one.answered, told) if one.interval else ""
    low, high = one.interval or (0.0, 0.0)
    return Row(
        words.signal(one.name), f"/admin/?{urlencode({'state': 'closed', 'rule': one.name})}", one.sent, one.answered,
        one.accepted, rate, f"{_percent(low, told)} to {_percent(high, told)}" if one.interval else "", one.rejected,
        tuple(shown), one.won, one.lost, told.sums(one.won_money) if one.won_money else "", one.is_poor,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """What sending one kind is worth, in words. lift: empty while there are too few on either side."""

    name: str
    sent: int
    sent_rose: int
    kept: int
    kept_rose: int
    lift: str
    interval: str


def _drawn(one: Lift, told: Reader) -> Drawn:
    lift, interval = "", ""
    if one.interval:
        low, high = (_percent(end, told) for end in one.interval)
        lift, interval = _percent(one.points, told), f"{low} to {high}"
    return Drawn(words.kind(one.kind), one.sent, one.sent_rose, one.kept, one.kept_rose, lift, interval)


def _percent(rate: float, told: Reader) -> str:
    return str(format_percent(rate, locale=told.locale))
