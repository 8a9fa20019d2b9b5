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

from app.billing import LOOK_BACK
from app.leads.policy import LeadPolicy
from app.leads.signal import payer_subject, quarter
from app.leads.signals.queries import QUERIES, STEP, select, values

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


# `f`: what was found, with the period of its episode; `h`: the same beside the row we have of it. What is gone is told by
# EXCEPT and not by a join, which a planner with a poor guess would carry out row against row.
_STATEMENT = f"""
    WITH {{found}}, f AS MATERIALIZED (
        SELECT t.*, t.subscription_id AS source, 'payer:' || t.connection_id || ':' || t.payer_id AS subject,
               coalesce(t.dated::text, o.period, :quarter) AS period, {STEP} AS step,
               md5(concat_ws('|', '{_FACTS_VERSION}', t.told, t.at, {STEP}, t.news)) AS digest
        FROM found t
        LEFT JOIN lead_signal o ON t.dated IS NULL AND o.ended_at IS NULL AND o.payer_id <> ''
             AND o.happened_at > :now - interval '365 days' AND o.name = t.name AND o.kind = t.kind
             AND o.subject = 'payer:' || t.connection_id || ':' || t.payer_id AND o.source = t.subscription_id
    ), h AS MATERIALIZED (
        SELECT f.*, s.id AS row_id, s.digest AS had
        FROM f LEFT JOIN lead_signal s ON s.subject = f.subject AND s.kind = f.kind AND s.name = f.name
             AND s.source = f.source AND s.period = f.period
    ), put AS (
        INSERT INTO lead_signal AS s (subject, kind, name, source, period, payer_connection_id, payer_id, facts, digest,
                                      happened_at)
        SELECT h.subject, h.kind, h.name, h.source, h.period, h.connection_id, h.payer_id,
               jsonb_strip_nulls(jsonb_build_object(
                   'plan', nullif(x.plan, ''), 'seats', x.seats, 'used', x.seats_used, 'minor', x.minor,
                   'currency', x.currency, 'months', x.months, 'status', x.status, 'renews_on', x.renews_on,
                   'on', h.at, 'step', h.step, 'was', h.was,
                   'days', CASE WHEN h.name = 'seats_growth' THEN {LOOK_BACK} END,
                   'owed', CASE WHEN h.name = 'failed_payment' THEN x.owed END)),
               h.digest, :now
        FROM h JOIN billing_term x ON x.connection_id = h.connection_id AND x.subscription_id = h.subscription_id
        WHERE h.had IS DISTINCT FROM h.digest
        ORDER BY h.subject, h.kind, h.name, h.source
        ON CONFLICT (subject, kind, name, source, period) DO UPDATE SET
            facts = excluded.facts, digest = excluded.digest, seen_at = now(), ended_at = NULL,
            happened_at = CASE WHEN s.ended_at IS NULL THEN s.happened_at ELSE excluded.happened_at END
        RETURNING 1
    ), gone AS (
        UPDATE lead_signal s SET ended_at = :now, digest = '{ENDED}', seen_at = now()
        WHERE s.id IN (
            SELECT s.id FROM lead_signal s
            WHERE s.ended_at IS NULL AND s.payer_id <> '' AND s.name = ANY(:names) AND {{scope}}
            EXCEPT SELECT h.row_id FROM h)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM h), (SELECT count(*) FROM put), (SELECT count(*) FROM gone)
    """  # noqa: S608 - names and texts of this package


def _statement(found: str, scope: str = "true") -> sa.TextClause:
    """One statement: find, upsert what changed, end what is gone. scope: which rows of ours this scan answers for."""
    return sa.text(_STATEMENT.format(found=found, scope=scope))


@cache
def _whole(name: str) -> sa.TextClause:
    found = f"found AS ({select(name)} AND NOT :off_{name})"
    return _statement(found)


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
    statement = _whole(name)
    return _counts(cx, statement, told(statement, policy, now, names=[name]))


def scan_payers(cx: sa.Connection, payers: Collection[PayerKey], policy: LeadPolicy, now: datetime) -> Counts:
    """Every signal of these payers (connection, id), in one statement whatever their number."""
    if not payers:
        return Counts()
    _lock(cx, "pg_advisory_xact_lock_shared")
    wanted = sorted(payers)
    statement = _some()
    return _counts(cx, statement, told(
        statement, policy, now, names=list(QUERIES), subjects=[payer_subject(*one) for one in wanted],
        connections=[connection_id for connection_id, _ in wanted], payers=[payer_id for _, payer_id in wanted],
    ))  # fmt: skip


def _lock(cx: sa.Connection, function: str) -> None:
    cx.execute(sa.text(f"SELECT {function}(hashtext('deskbridge leads scan'))"))


def _values(policy: LeadPolicy, now: datetime) -> dict[str, Any]:
    today: date = now.astimezone(UTC).date()
    off = {f"off_{name}": not policy.wants(name) for name in QUERIES}
    return {"today": today, "now": now, "quarter": quarter(now.astimezone(UTC)), **values(policy), **off}


def told(statement: sa.TextClause, policy: LeadPolicy, now: datetime, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """The values a statement asks for, by name."""
    every = _values(policy, now) | more
    return {name: every[name] for name in statement._bindparams}


def _counts(cx: sa.Connection, statement: sa.TextClause, values: Mapping[str, Any]) -> Counts:
    return Counts(*cx.execute(statement, values).one())
