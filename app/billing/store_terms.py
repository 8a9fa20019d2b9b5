"""All SQL of billing_term: rows of many payers in one statement, and the filling of it where it was not there before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.billing.profile import OPEN_DISPUTE
from app.billing.terms import BIGGEST

Row = Mapping[str, Any]
LOOK_BACK = 30  # days of seat counts that growth is told from

_COLUMNS = (
    "payer_id, subscription_id, status, plan, currency, minor, owed, seats, seats_used, use_pct, months, started_on, "
    "renews_on, ends_on, trial_ends_on, failed_on"
)
_TYPES = (
    "payer_id text, subscription_id text, status text, plan text, currency text, minor bigint, owed bigint, seats int, "
    "seats_used int, use_pct int, months smallint, started_on date, renews_on date, ends_on date, trial_ends_on date, "
    "failed_on date"
)
_KEPT = [name.strip() for name in _COLUMNS.split(",") if name.strip() != "subscription_id"] + ["used_least", "rise_pct"]
_LEAST = f"""
    SELECT min(c.seats_used) FROM seat_count c
    WHERE c.connection_id = %s AND c.subscription_id = n.subscription_id AND c.day >= current_date - {LOOK_BACK}
"""  # noqa: S608 - names and numbers of this file
_RISE = """CASE WHEN n.seats_used > l.used_least
           THEN least((n.seats_used - l.used_least) * 100.0 / greatest(l.used_least, 1), 1000000)::int END"""

# A value fell when a month of it costs less than before in the same currency; within a month the highest before counts,
# and it is forgotten once the value is back. What was before is told for a period as long as today's: whole minor units,
# rounded down, so that the same price a month is never a fall. Not in bigints, which a price beyond belief would burst.
_WAS = "(CASE WHEN t.months > 0 THEN t.minor * excluded.months / t.months END)"
_FROM = f"""(CASE WHEN t.months > 0
    THEN least(trunc(t.fell_from::numeric * excluded.months / t.months), {BIGGEST})::bigint END)"""
_LAST = f"(CASE WHEN t.fell_on > current_date - 30 THEN {_FROM} END)"
_SAME = "(t.currency = excluded.currency AND excluded.months > 0)"
_PUT = sa.text(
    f"""
    WITH told AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n({_TYPES})
    ), fresh AS MATERIALIZED (
        SELECT n.*, l.used_least, {_RISE} AS rise_pct
        FROM told n LEFT JOIN LATERAL ({_LEAST % ":connection"}) l(used_least) ON true
    ), ended AS (
        DELETE FROM billing_term t
        WHERE t.connection_id = :connection AND t.payer_id = ANY(:payers)
          AND NOT EXISTS (SELECT FROM told n WHERE n.subscription_id = t.subscription_id)
        RETURNING t.payer_id
    ), put AS (
        INSERT INTO billing_term AS t (connection_id, {_COLUMNS}, used_least, rise_pct)
        SELECT :connection, {_COLUMNS}, used_least, rise_pct FROM fresh ORDER BY subscription_id
        ON CONFLICT (connection_id, subscription_id) DO UPDATE SET
            {", ".join(f"{name} = excluded.{name}" for name in _KEPT)},
            fell_on = CASE WHEN {_SAME} AND excluded.minor < {_WAS} THEN current_date
                           WHEN NOT {_SAME} OR excluded.minor >= {_FROM} THEN NULL ELSE t.fell_on END,
            fell_from = CASE WHEN {_SAME} AND excluded.minor < {_WAS} THEN greatest({_WAS}, {_LAST})
                             WHEN NOT {_SAME} OR excluded.minor >= {_FROM} THEN NULL ELSE {_FROM} END
        WHERE ({", ".join(f"t.{name}" for name in _KEPT)})
            IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _KEPT)})
        RETURNING t.payer_id
    )
    SELECT payer_id FROM ended UNION SELECT payer_id FROM put
    """  # noqa: S608 - names and numbers of this file
)

# A rise is told from the days before a change; as days go by it may be none any more.
_SETTLE = sa.text(
    f"""
    UPDATE billing_term t SET used_least = f.used_least, rise_pct = f.rise_pct
    FROM (SELECT n.connection_id, n.subscription_id, l.used_least, {_RISE} AS rise_pct
          FROM billing_term n LEFT JOIN LATERAL ({_LEAST % "n.connection_id"}) l(used_least) ON true
          WHERE n.rise_pct > 0) f
    WHERE t.connection_id = f.connection_id AND t.subscription_id = f.subscription_id
      AND (t.used_least, t.rise_pct) IS DISTINCT FROM (f.used_least, f.rise_pct)
    """  # noqa: S608 - names and numbers of this file
)


def put_terms(cx: sa.Connection, connection_id: str, payers: Sequence[str], rows: Sequence[Row]) -> set[str]:
    """Make these the terms of these payers; answers the payers of whom something changed. rows: with `payer_id`."""
    if not payers:
        return set()
    told = {
        "connection": connection_id,
        "payers": sorted(payers),
        "rows": json.dumps(list(rows)).replace("\\u0000", ""),
    }
    return set(cx.execute(_PUT, told).scalars())


def settle_rises(cx: sa.Connection) -> int:
    """Take back rises that are older than the look-back; answers how many changed. Once a day is enough."""
    return cx.execute(_SETTLE).rowcount


_CLOSED = sa.text(
    """
    UPDATE hold h SET released_at = now(), released_why = 'the dispute is closed'
    WHERE h.source = 'dispute' AND h.released_at IS NULL AND NOT EXISTS (
        SELECT FROM billing_object o
        WHERE o.connection_id = h.payer_connection_id AND o.kind = 'dispute' AND NOT o.gone
          AND o.id = substr(h.source_id, length(h.payer_connection_id) + 2) AND o.data ->> 'status' = ANY(:open))
    """
)


def sweep_disputes(cx: sa.Connection) -> int:
    """Release what disputes held that are closed by the mirror; answers how many. Open ones: where profiles are made."""
    return cx.execute(_CLOSED, {"open": sorted(OPEN_DISPUTE)}).rowcount
