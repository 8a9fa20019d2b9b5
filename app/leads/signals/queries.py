"""What each signal of billing looks for, as SQL over the terms: one condition, the index it stands on, its period.

`at` is the day a signal is about, `news` what makes it worth telling again: small moves of seats in use are not.
A period of None is that of the episode: the quarter it began in, kept while it holds, a year at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.leads.policy import KIND_OF, LeadPolicy


@dataclass(frozen=True, slots=True)
class Query:
    """where, at, period, step, was, news: SQL over `t` (billing_term). join: more to read. index: what serves it."""

    where: str
    index: str
    at: str = "NULL::date"
    period: str = "NULL::text"
    step: str = "NULL::int"
    was: str = "NULL::bigint"
    join: str = ""
    news: str = "NULL::text"


_STEP = "(SELECT min(d) FROM unnest(CAST(:renewal_days AS int[])) d WHERE d >= t.renews_on - :today)"
_USE = "(least(t.use_pct, 200) / 5)::text"  # one of twenty steps: not every seat is news
# The first count within the window; there is one a day, so it is that of `growth_days` ago once we are as old as that.
_BEFORE = """
    JOIN LATERAL (
        SELECT c.seats_used FROM seat_count c
        WHERE c.connection_id = t.connection_id AND c.subscription_id = t.subscription_id
          AND c.day >= :today - :growth_days AND c.seats_used IS NOT NULL
        ORDER BY c.day LIMIT 1
    ) c ON t.seats_used - c.seats_used >= :growth_seats
       AND (t.seats_used - c.seats_used) * 100.0 >= :growth_pct * c.seats_used::numeric"""

QUERIES: Final[Mapping[str, Query]] = {
    "renewal": Query(
        "t.months >= 3 AND t.months >= :renewal_months AND t.renews_on BETWEEN :today AND :today + :renewal_most",
        "ix_billing_term_renews_on", at="t.renews_on", period="t.renews_on::text", step=_STEP,
        news="t.seats::text",
    ),
    "seats_full": Query(
        "t.use_pct >= 50 AND t.use_pct >= :seats_pct", "ix_billing_term_use", news=f"t.seats || '/' || {_USE}"
    ),
    "limit_hit": Query("t.use_pct >= 100", "ix_billing_term_use", news=f"t.seats || '/' || {_USE}"),
    "seats_growth": Query(
        "t.rise_pct > 0 AND t.rise_pct >= :growth_pct", "ix_billing_term_rise", was="c.seats_used::bigint",
        join=_BEFORE, news=_USE,
    ),
    "trial_ending": Query(
        "t.trial_ends_on BETWEEN :today AND :today + :trial_days AND t.use_pct >= :trial_pct", "ix_billing_term_trial",
        at="t.trial_ends_on", period="t.started_on::text", news=_USE,
    ),
    "cancellation": Query("t.ends_on >= :today", "ix_billing_term_ends_on", at="t.ends_on"),
    "downgrade": Query(
        "t.fell_on >= :today - :downgrade_days AND t.minor * 100 <= t.fell_from * (100 - :downgrade_pct)",
        "ix_billing_term_fell_on", at="t.fell_on", was="t.fell_from",
    ),
    "failed_payment": Query(
        "t.failed_on IS NOT NULL AND t.months >= :renewal_months"
        " AND t.renews_on BETWEEN :today AND :today + :payment_days",
        "ix_billing_term_failed_on", at="t.failed_on", period="t.renews_on::text", news="t.owed::text",
    ),
}  # fmt: skip


def values(policy: LeadPolicy) -> dict[str, Any]:
    """The policy's part of what the queries ask for."""
    names = (
        "renewal_months", "seats_pct", "growth_days", "growth_pct", "growth_seats", "trial_days", "trial_pct",
        "downgrade_days", "downgrade_pct", "payment_days",
    )  # fmt: skip
    days = list(policy.renewal_days)
    return {name: getattr(policy, name) for name in names} | {"renewal_days": days, "renewal_most": max(days)}


def select(name: str, terms: str = "billing_term") -> str:
    """The rows of one signal: its name and kind, what it is about, and the columns its facts are made of."""
    q = QUERIES[name]
    return f"""
        SELECT '{name}' AS name, '{KIND_OF[name]}' AS kind, t.connection_id, t.payer_id, t.subscription_id, t.plan,
               t.seats, t.seats_used, t.minor, t.currency, t.months, t.status, t.renews_on, t.owed,
               {q.at} AS at, {q.period} AS dated, {q.step} AS step, {q.was} AS was, {q.news} AS news
        FROM {terms} t {q.join}
        WHERE {q.where}"""  # noqa: S608 - names and texts of this file
