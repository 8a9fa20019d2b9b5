"""All SQL of the profiles and of the daily seat counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.billing.models import billing_profile, seat_count

PayerKey = tuple[str, str]


def payers_with_sold(cx: sa.Connection, connection_id: str, sold: Sequence[str], limit: int) -> list[str]:
    """Payers whose profile names one of these products or prices; all of them are due if there are more than `limit`."""
    if not sold:
        return []
    names_it = sa.and_(
        billing_profile.c.connection_id == connection_id,
        billing_profile.c.profile["sold"].has_any(sa.cast(list(sold), sa.ARRAY(sa.Text))),
    )
    found = list(cx.execute(sa.select(billing_profile.c.payer_id).where(names_it).limit(limit + 1)).scalars())
    if len(found) > limit:
        cx.execute(sa.update(billing_profile).where(names_it).values(refresh_on=sa.func.current_date()))
        return []
    return found


def put_profiles(
    cx: sa.Connection, connection_id: str, found: Mapping[str, tuple[dict[str, Any], date | None]]
) -> set[str]:
    """Store profiles; answers the payers whose profile is another one now."""
    if not found:
        return set()
    rows = [
        {"connection_id": connection_id, "payer_id": p, "profile": profile, "refresh_on": day}
        for p, (profile, day) in sorted(found.items())
    ]
    statement = insert(billing_profile)
    new, old = statement.excluded, billing_profile.c
    statement = statement.on_conflict_do_update(
        index_elements=["connection_id", "payer_id"],
        set_={"profile": new.profile, "refresh_on": new.refresh_on, "computed_at": sa.func.now()},
        where=sa.or_(old.profile != new.profile, old.refresh_on.is_distinct_from(new.refresh_on)),
    )
    return set(cx.execute(statement.returning(billing_profile.c.payer_id), rows).scalars())


def profiles(cx: sa.Connection, keys: Sequence[PayerKey]) -> dict[PayerKey, dict[str, Any]]:
    """Profiles by (connection, payer); one that is not there is missing."""
    if not keys:
        return {}
    connections, payers = zip(*sorted(keys), strict=True)
    rows = cx.execute(_PROFILES, {"connections": list(connections), "payers": list(payers)})
    return {(row.connection_id, row.payer_id): row.profile for row in rows}


def _profiles() -> sa.Select[Any]:
    """Pairs as two arrays: a list of them would be another statement for each length."""
    arrays = [sa.bindparam(name, type_=sa.ARRAY(sa.Text)) for name in ("connections", "payers")]
    wanted = sa.func.unnest(*arrays).table_valued("connection_id", "payer_id", name="wanted").render_derived()
    p = billing_profile.c
    same = sa.and_(p.connection_id == wanted.c.connection_id, p.payer_id == wanted.c.payer_id)
    return sa.select(p.connection_id, p.payer_id, p.profile).join_from(wanted, billing_profile, same)


_PROFILES = _profiles()


def due_profiles(cx: sa.Connection, limit: int) -> list[PayerKey]:
    """Profiles a date has come for (a discount ended, a product was renamed)."""
    query = sa.select(billing_profile.c.connection_id, billing_profile.c.payer_id).where(
        billing_profile.c.refresh_on <= sa.func.current_date()
    )
    return [(row[0], row[1]) for row in cx.execute(query.limit(limit))]


def put_seats(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the seats of subscriptions today: connection_id, subscription_id, seats, seats_used."""
    if not rows:
        return
    statement = insert(seat_count).values(day=sa.func.current_date())
    new = statement.excluded
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "subscription_id", "day"],
            set_={"seats": new.seats, "seats_used": new.seats_used},
        ),
        list(rows),
    )


# A day on which nothing was told is a day like the one before: carried forward once a day for running subscriptions.
_CARRY = sa.text(
    """
    INSERT INTO seat_count (connection_id, subscription_id, day, seats, seats_used)
    SELECT DISTINCT ON (s.connection_id, s.subscription_id) s.connection_id, s.subscription_id, current_date, s.seats,
           s.seats_used
    FROM seat_count s
    JOIN billing_object o ON o.connection_id = s.connection_id AND o.kind = 'subscription' AND o.id = s.subscription_id
    WHERE s.day >= current_date - 7 AND NOT o.gone AND o.data ->> 'status' = ANY(:live)
    ORDER BY s.connection_id, s.subscription_id, s.day DESC
    ON CONFLICT DO NOTHING
    """
)


def carry_seats(cx: sa.Connection) -> None:
    """Give every running subscription its count of today."""
    cx.execute(_CARRY, {"live": ["active", "past_due", "trialing", "unpaid", "paused"]})
