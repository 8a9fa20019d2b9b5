"""The report card: of each rule and signal, how many leads were sent and what sales made of them.

A lead counts for each rule and signal it was made of. Won and lost leads were accepted first, whatever the CRM says later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from typing import Any, Final

import sqlalchemy as sa

Z: Final = 1.959964  # of an interval that holds the true rate 95 times in 100
FEWEST: Final = 10  # answers below which a rate says nothing
POOR: Final = 0.25  # a rate that is below this even at the upper end of its interval is a poor record


@dataclass(frozen=True, slots=True)
class Record:
    """One rule or signal. accepted: with those that were won or lost later. reasons: of those rejected, most first.

    won_money: minor units by currency.
    """

    name: str
    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    won: int = 0
    lost: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    won_money: Mapping[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """How many have a verdict."""
        return self.accepted + self.rejected

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true rate of acceptance lies; None while there are too few answers to say."""
        return wilson(self.accepted, self.answered) if self.answered >= FEWEST else None

    @property
    def is_poor(self) -> bool:
        """Is it a poor record, beyond doubt?"""
        return self.interval is not None and self.interval[1] < POOR


def wilson(good: int, of: int) -> tuple[float, float]:
    """Wilson's interval of a rate, with the correction for counts: it holds the true rate at least as often as it says.

    Source: Newcombe, "Two-sided confidence intervals for the single proportion", 1998, method 4.
    """
    rate, square = good / of, Z * Z
    below = square - 2 - 1 / of + 4 * rate * (of * (1 - rate) + 1)
    above = square + 2 - 1 / of + 4 * rate * (of * (1 - rate) - 1)
    low = (2 * good + square - 1 - Z * sqrt(max(below, 0))) / (2 * (of + square))
    high = (2 * good + square + 1 + Z * sqrt(max(above, 0))) / (2 * (of + square))
    return (max(0.0, low) if good else 0.0), (min(1.0, high) if good < of else 1.0)


def records(cx: sa.Connection, since: datetime) -> list[Record]:
    """Of leads that were sent since then, those with the most answers first."""
    found: dict[str, list[Any]] = {}
    for row in cx.execute(_COUNTED, {"since": since}):
        found.setdefault(row.rule, []).append(row)
    made = [_record(name, rows) for name, rows in found.items()]
    return sorted(made, key=lambda one: (-one.answered, -one.sent, one.name))


def _record(name: str, rows: Iterable[Any]) -> Record:
    numbers = dict.fromkeys(("", "accepted", "rejected", "won", "lost"), 0)
    reasons: dict[str, int] = {}
    money: dict[str, int] = {}
    for row in rows:
        numbers[row.verdict] += row.number
        if row.verdict == "rejected":
            reasons[row.reason] = reasons.get(row.reason, 0) + row.number
        if row.verdict == "won" and row.currency and row.money is not None:
            money[row.currency] = money.get(row.currency, 0) + int(row.money)
    ordered = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    accepted = numbers["accepted"] + numbers["won"] + numbers["lost"]
    return Record(
        name, sum(numbers.values()), accepted, numbers["rejected"], numbers["won"], numbers["lost"], ordered, money
    )


# A record that sales had answered before it was linked is no lead they were sent, until they answer again.
# By an index over the time of sending: leads older than asked for cost nothing.
_COUNTED = sa.text(
    """
    SELECT rule, verdict, CASE verdict WHEN 'rejected' THEN left(verdict_reason, 200) ELSE '' END AS reason,
           CASE verdict WHEN 'won' THEN won_currency ELSE '' END AS currency,
           count(*) AS number, sum(won) FILTER (WHERE verdict = 'won') AS money
    FROM lead CROSS JOIN LATERAL (SELECT DISTINCT unnest(rules)) AS made_of (rule)
    WHERE pushed_at >= :since AND (verdict <> '' OR NOT standing ? 'before')
    GROUP BY 1, 2, 3, 4
    """
)
