"""Signals out of the billing mirror: all of it signal by signal, or of some payers at once. The caller's transaction.

What holds and is as it was is not written; what no longer holds is ended, with a digest that is news; what holds again is
the same row again. Two scans of one payer cannot meet: a full scan waits for those at work, and they for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.leads.policy import LeadPolicy
from app.leads.signal import payer_subject, quarter
from app.leads.signals.queries import QUERIES, select, values

PayerKey = tuple[str, str]
ENDED = "ended"  # the digest of a row that holds no longer
_FACTS_VERSION = "1"  # rises when the same terms would make other facts, so that they are told again


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a scan: signals that hold, those new or changed, those that ended."""

    found: int = 0
    written: int = 0
    ended: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.found + other.found, self.written + other.written, self.ended + other.ended)


def _statement(found: str, scope: str) -> sa.TextClause:
    """One statement: find, upsert what changed, end what is gone. scope: which rows of ours this scan answers for."""
    key = (
        "s.subject = f.subject AND s.kind = f.kind AND s.name = f.name AND s.source = f.source AND s.period = f.period"
    )
    return sa.text(
        f"""
        WITH {found}, f AS MATERIALIZED (
            SELECT t.*, t.subscription_id AS source, 'payer:' || t.connection_id || ':' || t.payer_id AS subject,
                   coalesce(t.dated, o.period, :quarter) AS period,
                   md5(concat_ws('|', '{_FACTS_VERSION}', t.plan, t.minor, t.currency, t.months, t.at, t.step, t.news))
                   AS digest
            FROM found t
            LEFT JOIN lead_signal o ON t.dated IS NULL AND o.ended_at IS NULL AND o.payer_id <> ''
                 AND o.happened_at > :now - interval '365 days' AND o.name = t.name AND o.kind = t.kind
                 AND o.subject = 'payer:' || t.connection_id || ':' || t.payer_id AND o.source = t.subscription_id
        ), put AS (
            INSERT INTO lead_signal AS s (subject, kind, name, source, period, payer_connection_id, payer_id, facts,
                                          digest, happened_at)
            SELECT f.subject, f.kind, f.name, f.source, f.period, f.connection_id, f.payer_id,
                   jsonb_strip_nulls(jsonb_build_object(
                       'plan', nullif(f.plan, ''), 'seats', f.seats, 'used', f.seats_used, 'minor', f.minor,
                       'currency', f.currency, 'months', f.months, 'status', f.status, 'renews_on', f.renews_on,
                       'on', f.at, 'step', f.step, 'was', f.was,
                       'days', CASE WHEN f.name = 'seats_growth' THEN CAST(:growth_days AS int) END,
                       'owed', CASE WHEN f.name = 'failed_payment' THEN f.owed END)),
                   f.digest, :now
            FROM f WHERE NOT EXISTS (SELECT FROM lead_signal s WHERE {key} AND s.digest = f.digest)
            ORDER BY f.subject, f.kind, f.name, f.source
            ON CONFLICT (subject, kind, name, source, period) DO UPDATE SET
                facts = excluded.facts, digest = excluded.digest, seen_at = now(), ended_at = NULL,
                happened_at = CASE WHEN s.ended_at IS NULL THEN s.happened_at ELSE excluded.happened_at END
            RETURNING 1
        ), gone AS (
            UPDATE lead_signal s SET ended_at = :now, digest = '{ENDED}', seen_at = now()
            WHERE s.ended_at IS NULL AND s.payer_id <> '' AND s.name = ANY(:names) AND {scope}
              AND NOT EXISTS (SELECT FROM f WHERE {key})
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM f), (SELECT count(*) FROM put), (SELECT count(*) FROM gone)
        """  # noqa: S608 - names and texts of this package
    )


@cache
def _whole(name: str) -> sa.TextClause:
    found = f"found AS ({select(name)} AND NOT :off_{name})"
    return _statement(found, "true")


@cache
def _some() -> sa.TextClause:
    every = " UNION ALL ".join(f"{select(name, 'mine')} AND NOT :off_{name}" for name in QUERIES)
    mine = """mine AS MATERIALIZED (
        SELECT t.* FROM unnest(CAST(:connections AS text[]), CAST(:payers AS text[])) AS w(connection_id, payer_id)
        JOIN billing_term t ON t.connection_id = w.connection_id AND t.payer_id = w.payer_id)"""
    return _statement(f"{mine}, found AS ({every})", "s.subject = ANY(:subjects)")


def scan_signal(cx: sa.Connection, name: str, policy: LeadPolicy, now: datetime) -> Counts:
    """One signal over all terms. Other scans wait for the end of the transaction."""
    _lock(cx, "pg_advisory_xact_lock")
    cx.execute(sa.text("SET LOCAL statement_timeout = '15min'"))
    # One core is enough for what nobody waits for, and plans of one process say what they cost.
    cx.execute(sa.text("SET LOCAL max_parallel_workers_per_gather = 0"))
    return _counts(cx, _whole(name), _values(policy, now) | {"names": [name]})


def scan_payers(cx: sa.Connection, payers: Collection[PayerKey], policy: LeadPolicy, now: datetime) -> Counts:
    """Every signal of these payers (connection, id), in one statement whatever their number."""
    if not payers:
        return Counts()
    _lock(cx, "pg_advisory_xact_lock_shared")
    wanted = sorted(payers)
    told = {
        "connections": [c for c, _ in wanted], "payers": [p for _, p in wanted],
        "subjects": [payer_subject(*one) for one in wanted], "names": list(QUERIES),
    }  # fmt: skip
    return _counts(cx, _some(), _values(policy, now) | told)


def _lock(cx: sa.Connection, function: str) -> None:
    cx.execute(sa.text(f"SELECT {function}(hashtext('deskbridge leads scan'))"))


def _values(policy: LeadPolicy, now: datetime) -> dict[str, Any]:
    today: date = now.astimezone(UTC).date()
    off = {f"off_{name}": not policy.wants(name) for name in QUERIES}
    return {"today": today, "now": now, "quarter": quarter(now.astimezone(UTC)), **values(policy), **off}


def _counts(cx: sa.Connection, statement: sa.TextClause, told: Mapping[str, Any]) -> Counts:
    names = statement._bindparams  # each statement asks for some of them
    row = cx.execute(statement, {name: told[name] for name in names}).one()
    return Counts(*row)
