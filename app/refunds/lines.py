"""Refunds by invoice line, and suggestions for unused time: what the invoice that a charge paid is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.billing import store as mirror
from app.refunds.facts import Known
from app.refunds.unused import Suggestion, unused_time
from integrations.kernel.clock import parse_iso
from integrations.kernel.errors import InputError
from integrations.kernel.money import Money


class LinesRefused(InputError):
    code, public = "refund.lines", "These lines cannot be refunded by themselves. Refund an amount instead."


@dataclass(frozen=True, slots=True)
class Choice:
    """One line that may be given back, with its period where it has one."""

    id: str
    text: str
    amount: Money
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Choices:
    """invoice: its id, "" when the charge paid none. lines: empty where `why` says that lines cannot be refunded."""

    invoice: str
    lines: tuple[Choice, ...] = ()
    why: str = ""


def choices(cx: sa.Connection, connection_id: str, known: Known, left: Money) -> Choices:
    """The lines of the charge's invoice, where giving one back is exact.

    Tax, discounts on the whole, more than ten lines or a payment in parts make a line's share a guess: then it is not
    offered, and an amount is refunded instead.
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
    found = tuple(_choice(line) for line in invoice["lines"])
    return Choices(known.invoice, tuple(one for one in found if one.amount.minor > 0))


def suggestions(found: Choices, now: datetime, left: Money) -> tuple[Suggestion, ...]:
    """Unused time of each line that has a period still running."""
    made = (unused_time(one.amount, one.start, one.end, now, left) for one in found.lines if one.start and one.end)
    return tuple(one for one in made if one is not None)


def check(cx: sa.Connection, connection_id: str, known: Known, wanted: Sequence[tuple[str, int]], amount: Money) -> str:
    """The invoice of the lines that are wanted; empty when none are. Raises LinesRefused."""
    if not wanted:
        return ""
    found = choices(cx, connection_id, known, amount)
    if found.why:
        raise LinesRefused(f"{found.why} Refund an amount instead.")
    most = {one.id: one.amount.minor for one in found.lines}
    if len(dict(wanted)) != len(wanted) or any(not 0 < minor <= most.get(line, 0) for line, minor in wanted):
        raise LinesRefused("A line is named twice, is not of this invoice, or has less than that.")
    if sum(minor for _, minor in wanted) != amount.minor:
        raise LinesRefused("The lines do not add up to the amount.")
    return found.invoice


def _choice(line: Mapping[str, Any]) -> Choice:
    start, end = (parse_iso(line[name]) if line[name] else None for name in ("start", "end"))
    return Choice(line["id"], line["text"], Money(line["amount"]["minor"], line["amount"]["currency"]), start, end)
