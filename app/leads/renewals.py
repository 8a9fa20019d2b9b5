"""Renewals by month and currency, with what of them is at risk. Reads running subscriptions by their dates.

Counted are billing periods of three months and longer: those the index of renewals holds, whatever the policy's
`renewal_months` leaves out of signals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from app.leads.models import OPEN


@dataclass(frozen=True, slots=True)
class Month:
    """One month in one currency; amounts in its minor units.

    number, money: all renewals, those that were cancelled included, so that the sum is what could be kept.
    at_risk, risk_money: of these, those with at least one of: ending (cancelled for that day), failed (a payment of the
    payer failed and is still owed), warned (an open lead says risk or failed payment of this payer, and
    that holds still: a company's lead may tell of several). unpriced: their worth is not known.
    """

    month: date
    currency: str
    number: int
    money: int
    at_risk: int
    risk_money: int
    ending: int
    failed: int
    warned: int
    unpriced: int


def by_month(cx: sa.Connection, first: date, months: int) -> list[Month]:
    """The months from the first one on, in order; one without renewals in a currency is missing."""
    rows = cx.execute(_BY_DAY, {"first": first, "end": _later(first, months)})
    sums: dict[tuple[date, str], list[int]] = {}
    for row in rows:
        mine = sums.setdefault((row.day.replace(day=1), row.currency), [0] * 8)
        for n, value in enumerate(row[2:]):
            mine[n] += int(value)
    return [Month(month, currency, *values) for (month, currency), values in sorted(sums.items())]


def currencies(found: Iterable[Month]) -> list[str]:
    """Those there are, the one with the most renewals first."""
    numbers: dict[str, int] = {}
    for one in found:
        numbers[one.currency] = numbers.get(one.currency, 0) + one.number
    return sorted(numbers, key=lambda c: (-numbers[c], c))


def _later(first: date, months: int) -> date:
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


# Grouped by day first: a day's name is cheap, and there are few of them.
_BY_DAY = sa.text(
    """
    WITH warned AS MATERIALIZED (
        SELECT DISTINCT s.payer_connection_id, s.payer_id FROM lead l JOIN lead_signal s ON s.lead_id = l.id
        WHERE l.kind IN ('risk', 'payment') AND l.state = ANY(:open) AND s.ended_at IS NULL AND s.payer_id <> ''
    ), term AS (
        SELECT renews_on AS on_day, currency, minor, false AS ends, failed_on, connection_id, payer_id
        FROM billing_term WHERE months >= 3 AND renews_on >= :first AND renews_on < :end
        UNION ALL
        SELECT ends_on, currency, minor, true, failed_on, connection_id, payer_id
        FROM billing_term WHERE months >= 3 AND renews_on IS NULL AND ends_on >= :first AND ends_on < :end
    ), judged AS (
        SELECT on_day, currency, minor, ends, failed_on IS NOT NULL AS failed, w.payer_id IS NOT NULL AS warned
        FROM term t LEFT JOIN warned w ON w.payer_connection_id = t.connection_id AND w.payer_id = t.payer_id
    )
    SELECT on_day AS day, currency, count(*), coalesce(sum(minor), 0),
           count(*) FILTER (WHERE ends OR failed OR warned), coalesce(sum(minor) FILTER (WHERE ends OR failed OR warned), 0),
           count(*) FILTER (WHERE ends), count(*) FILTER (WHERE failed), count(*) FILTER (WHERE warned),
           count(*) FILTER (WHERE minor IS NULL)
    FROM judged GROUP BY on_day, currency
    """
).bindparams(sa.bindparam("open", list(OPEN), type_=sa.ARRAY(sa.Text)))
