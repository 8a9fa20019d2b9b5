"""Refunds by invoice line, and suggestions for unused time: what the invoice that a charge paid is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.billing import store as mirror
from app.refunds.facts import Known
from app.refunds.intent import Intent
from app.refunds.money import plain
from app.refunds.states import COUNTED, OPEN, State
from app.refunds.unused import Suggestion, unused_time
from integrations.kernel.clock import parse_iso
from integrations.kernel.errors import InputError
from integrations.kernel.money import Money

TAKING: Final = (*OPEN, *COUNTED)  # states of an intent whose lines nobody else is offered


class LinesRefused(InputError):
    code, public = "refund.lines", "These lines cannot be refunded by themselves. Refund an amount instead."


@dataclass(frozen=True, slots=True)
class Choice:
    """One line that may be given back, with its period where it has one.

    amount: what of it can be given back now; whole: what it is on the invoice. before: given back of it, or on its way.
    note: why `amount` is not all of it, or "".
    """

    id: str
    text: str
    amount: Money
    whole: Money
    before: int
    note: str
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Choices:
    """invoice: its id, "" when the charge paid none. lines: empty where `why` says that lines cannot be refunded.

    unnamed: minor units that went back, or are on their way, without naming a line.
    """

    invoice: str
    lines: tuple[Choice, ...] = ()
    why: str = ""
    unnamed: int = 0


def choices(
    cx: sa.Connection, connection_id: str, known: Known, left: Money, intents: Sequence[Intent],
    states: Collection[State] = TAKING,
) -> Choices:  # fmt: skip
    """What can still be given back of each line of the charge's invoice, where giving one back is exact.

    Tax, discounts on the whole, more than ten lines or a payment in parts make a line's share a guess: then it is not
    offered, and an amount is refunded instead.

    Args:
        left: of the charge; no line is offered for more. intents: of the charge. states: in which they count.
    """
    if not known.invoice:
        return Choices("", why="The charge paid no invoice that is known here.")
    key = ("invoice", known.invoice)
    invoice = mirror.by_id(cx, connection_id, [key]).get(key)
    if invoice is None or invoice["status"] != "paid":
        return Choices(known.invoice, why="Its invoice is not paid, or not known here.")
    paid = {"minor": known.captured.minor, "currency": known.captured.currency}
    total = sum(line["amount"]["minor"] for line in invoice["lines"])
    alike = all(line["amount"]["currency"] == paid["currency"] for line in invoice["lines"])
    if invoice["more_lines"] or not alike or total != paid["minor"] or invoice["total"] != paid:
        return Choices(known.invoice, why="Its lines do not add up to what was paid (tax, discounts or more lines).")
    taking = [one for one in intents if one.state in states]
    taken = Counter[str]()
    for one in taking:
        taken.update(dict(one.lines))
    unnamed = known.elsewhere + sum(one.amount.minor for one in taking if not one.lines)
    found = (_choice(line, left, taken[line["id"]]) for line in invoice["lines"])
    return Choices(known.invoice, tuple(one for one in found if one.amount.minor > 0), unnamed=unnamed)


def suggestions(found: Choices, now: datetime, left: Money) -> tuple[Suggestion, ...]:
    """Unused time of each line that has a period still running, less what of it went back before.

    What went back without naming a line may have been for any: it is taken off each, so that nothing is suggested twice.
    """
    made = (
        unused_time(one.whole, one.start, one.end, now, left, Money(one.before + found.unnamed, left.currency))
        for one in found.lines
        if one.start and one.end
    )
    return tuple(one for one in made if one is not None)


def check(
    cx: sa.Connection, connection_id: str, known: Known, wanted: Sequence[tuple[str, int]], amount: Money,
    intents: Sequence[Intent], states: Collection[State] = TAKING,
) -> str:  # fmt: skip
    """The invoice of the lines that are wanted; empty when none are. Raises LinesRefused.

    Args:
        intents: the charge's others, read under its lock where one decides. states: in which they count.
    """
    if not wanted:
        return ""
    found = choices(cx, connection_id, known, known.captured, intents, states)
    if found.why:
        raise LinesRefused(f"{found.why} Refund an amount instead.")
    most = {one.id: one.amount.minor for one in found.lines}
    named = {line for one in intents if one.state in states for line, _ in one.lines}
    if any(line in named and minor > most.get(line, 0) for line, minor in wanted):
        raise LinesRefused("A line was refunded before or is on its way. Look at the charge again.")
    if len(dict(wanted)) != len(wanted) or any(not 0 < minor <= most.get(line, 0) for line, minor in wanted):
        raise LinesRefused("A line is named twice, is not of this invoice, or has less than that.")
    if sum(minor for _, minor in wanted) != amount.minor:
        raise LinesRefused("The lines do not add up to the amount.")
    return found.invoice


def _choice(line: Mapping[str, Any], left: Money, taken: int) -> Choice:
    start, end = (parse_iso(line[name]) if line[name] else None for name in ("start", "end"))
    whole = Money(line["amount"]["minor"], line["amount"]["currency"])
    gone, note = Money(taken, whole.currency), ""
    amount = whole - gone
    if taken:
        note = f"{plain(gone)} of its {plain(whole)} was refunded before or is on its way"
    if left < amount:
        amount = left
        note += f"{'; no' if note else f'of its {plain(whole)}, as no'} more than {plain(left)} of the payment is left"
    return Choice(line["id"], line["text"], amount, whole, taken, note, start, end)
