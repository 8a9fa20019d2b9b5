"""What sending is worth: of the leads that were drawn to be kept back, and of those that were not, how many companies pay
more a quarter of a year later.

A verdict cannot tell: nobody judges what was never sent. What both have is billing: what the payers of a lead pay a month,
on the day of the draw and LATER_DAYS after it. Trials and unpaid subscriptions pay nothing, so one word fits all kinds.
A lead without a payer, or with payers of two currencies, is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Final

import sqlalchemy as sa

from app.leads.policy import KIND_OF, LeadPolicy
from app.leads.report import FEWEST, wilson

LATER_DAYS: Final = 90
MEASURED: Final = 5000  # in one run; the next goes on
# Minor units a month of what is paid for, of the payers of these leads; a currency of each payer's own.
_WORTH = """
    SELECT l.id, sum(t.minor / t.months) FILTER (WHERE t.status = 'active') AS worth,
           count(DISTINCT t.currency) AS currencies
    FROM l JOIN (SELECT DISTINCT lead_id, payer_connection_id, payer_id FROM lead_signal WHERE payer_id <> '') s
        ON s.lead_id = l.id
    LEFT JOIN billing_term t ON t.connection_id = s.payer_connection_id AND t.payer_id = s.payer_id
    GROUP BY l.id
"""
# Who takes part: it was found worth sending while a share is kept back. What was decided before is no draw.
_DRAW = sa.text(
    f"""
    WITH l AS (SELECT id FROM lead WHERE drawn_at IS NULL AND kind = ANY(:kinds) AND state IN ('due', 'held', 'withheld')
               AND state_at > now() - interval '1 hour' AND pushed_at IS NULL), w AS ({_WORTH})
    UPDATE lead SET drawn_at = now(), worth = CASE WHEN w.currencies < 2 THEN coalesce(w.worth, 0) END
    FROM w WHERE w.id = lead.id
    """  # noqa: S608 - of this file
)
# Whose signals went to another lead has no payer left to measure, and would stand before the others for ever.
_LATER = sa.text(
    f"""
    WITH l AS (SELECT id FROM lead WHERE drawn_at <= CAST(:now AS timestamptz) - make_interval(days => :days)
               AND worth IS NOT NULL AND worth_later IS NULL
               AND EXISTS (SELECT FROM lead_signal g WHERE g.lead_id = lead.id AND g.payer_id <> '')
               ORDER BY drawn_at LIMIT :most), w AS ({_WORTH})
    UPDATE lead SET worth_later = coalesce(w.worth, 0) FROM w WHERE w.id = lead.id
    """  # noqa: S608 - of this file
)
_COUNTED = sa.text(
    """
    SELECT kind, state = 'withheld' AS kept, count(*) AS number, count(*) FILTER (WHERE worth_later > worth) AS rose
    FROM lead WHERE drawn_at >= :since AND worth_later IS NOT NULL GROUP BY 1, 2
    """
)


@dataclass(frozen=True, slots=True)
class Lift:
    """Of one kind of lead: how many were sent and kept back long enough ago, and how many of each pay more now."""

    kind: str
    sent: int = 0
    sent_rose: int = 0
    kept: int = 0
    kept_rose: int = 0

    @property
    def points(self) -> float:
        """The difference of both rates."""
        return (self.sent_rose / self.sent if self.sent else 0.0) - (self.kept_rose / self.kept if self.kept else 0.0)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true difference lies; None while either side has too few to say."""
        if min(self.sent, self.kept) < FEWEST:
            return None
        return difference((self.sent_rose, self.sent), (self.kept_rose, self.kept))


def difference(one: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    """The interval of a difference of two rates, each (good, of); it holds the true one at least as often as it says.

    Source: Newcombe, "Interval estimation for the difference between independent proportions", 1998, method 11.
    """
    first, second = one[0] / one[1], other[0] / other[1]
    (low, high), (least, most) = wilson(*one), wilson(*other)
    apart = first - second
    return (max(-1.0, apart - sqrt((first - low) ** 2 + (most - second) ** 2)),
            min(1.0, apart + sqrt((high - first) ** 2 + (second - least) ** 2)))  # fmt: skip


def draw(cx: sa.Connection, policy: LeadPolicy) -> int:
    """Write down what those pay that took part in the draw just now; answers how many. Nothing where none is kept back."""
    kinds = sorted(kind for kind in set(KIND_OF.values()) if policy.holdout(kind))
    return cx.execute(_DRAW, {"kinds": kinds}).rowcount if kinds else 0


def measure(cx: sa.Connection, now: datetime) -> int:
    """What those pay that took part long enough ago; answers how many were measured."""
    return cx.execute(_LATER, {"now": now, "days": LATER_DAYS, "most": MEASURED}).rowcount


def lifts(cx: sa.Connection, since: datetime) -> Sequence[Lift]:
    """By kind, of leads that took part since then."""
    found: dict[str, Mapping[str, int]] = {}
    for row in cx.execute(_COUNTED, {"since": since}):
        side = "kept" if row.kept else "sent"
        found[row.kind] = {**found.get(row.kind, {}), side: row.number, f"{side}_rose": row.rose}
    return [Lift(kind, **numbers) for kind, numbers in sorted(found.items())]
