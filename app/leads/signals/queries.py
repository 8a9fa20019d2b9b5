"""What each signal of billing looks for, as SQL over the terms: one condition, the index it stands on, its period.

`at` is the day a signal is about, `news` what makes it worth telling again: small moves of seats in use are not. `dated`
is its period; where there is none it is that of the episode: the quarter it began in, kept while it holds, a year at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.leads.policy import KIND_OF, LeadPolicy


@dataclass(frozen=True, slots=True)
class Query:
    """where, at, period, step, was, news: SQL over `t` (billing_term).  index: what serves it."""

    where: str
    index: str
    at: str = "NULL::date"
    dated: str = "NULL::date"
    left: str = "NULL::int"
    was: str = "NULL::bigint"
    news: str = "NULL::bigint"


# The least of the policy's days that is not below the days left; the days come in rising order.
STEP: Final = "(CAST(:renewal_days AS int[]))[width_bucket(t.left_ - 1, CAST(:renewal_days AS int[])) + 1]"
_USE = "(least(t.use_pct, 200) / 5)::bigint"  # one of twenty steps: not every seat is news
QUERIES: Final[Mapping[str, Query]] = {
    "renewal": Query(
        "t.months >= 3 AND t.months >= :renewal_months AND t.renews_on BETWEEN :today AND :today + :renewal_most",
        "ix_billing_term_renews_on", at="t.renews_on", dated="t.renews_on", left="t.renews_on - :today",
    ),
    "seats_full": Query(
        "t.use_pct >= 70 AND t.use_pct >= :seats_pct", "ix_billing_term_use", news=_USE
    ),
    "limit_hit": Query("t.use_pct >= 100", "ix_billing_term_use", news=_USE),
    "seats_growth": Query(
        "t.rise_pct > 0 AND t.rise_pct >= :growth_pct AND t.seats_used - t.used_least >= :growth_seats",
        "ix_billing_term_rise", was="t.used_least::bigint", news=_USE,
    ),
    "trial_ending": Query(
        "t.trial_ends_on BETWEEN :today AND :today + :trial_days AND t.use_pct >= :trial_pct", "ix_billing_term_trial",
        at="t.trial_ends_on", dated="t.started_on", news=_USE,
    ),
    "cancellation": Query("t.ends_on >= :today", "ix_billing_term_ends_on", at="t.ends_on"),
    "downgrade": Query(
        "t.fell_on >= :today - :downgrade_days AND t.minor * 100 <= t.fell_from * (100 - :downgrade_pct)",
        "ix_billing_term_fell_on", at="t.fell_on", was="t.fell_from",
    ),
    "failed_payment": Query(
        "t.failed_on IS NOT NULL AND t.months >= :renewal_months"
        " AND t.renews_on BETWEEN :today AND :today + :payment_days",
        "ix_billing_term_failed_on", at="t.failed_on", dated="t.renews_on", news="t.owed",
    ),
}  # fmt: skip


def values(policy: LeadPolicy) -> dict[str, Any]:
    """The policy's part of what the queries ask for."""
    names = (
        "renewal_months", "seats_pct", "growth_pct", "growth_seats", "trial_days", "trial_pct",
        "downgrade_days", "downgrade_pct", "payment_days",
    )  # fmt: skip
    days = sorted(policy.renewal_days)
    return {name: getattr(policy, name) for name in names} | {"renewal_days": days, "renewal_most": days[-1]}


def select(name: str, terms: str = "billing_term") -> str:
    """The rows of one signal: its name and kind, what it is about, and what tells whether it is news."""
    q = QUERIES[name]
    return f"""
        SELECT '{name}' AS name, '{KIND_OF[name]}' AS kind, t.connection_id, t.payer_id, t.subscription_id, t.told,
               {q.at} AS at, {q.dated} AS dated, {q.left} AS left_, {q.was} AS was, {q.news} AS news
        FROM {terms} t
        WHERE {q.where}"""  # noqa: S608 - names and texts of this file
