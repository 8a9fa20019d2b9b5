"""All SQL of the inbox but the door's one statement (receive.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.inbox.models import delivery_body, delivery_key, lane


@dataclass(frozen=True, slots=True)
class Delivery:
    """One stored delivery, claimed."""

    id: int
    connection_id: str
    event_key: str
    kind: str
    lane: str
    tries: int
    received_at: datetime
    body: bytes


@dataclass(slots=True)
class Lane:
    """A claimed lane and its events in order. `token` fences every write of the claimer."""

    connection_id: str
    key: str
    token: int
    deliveries: list[Delivery]

    @property
    def address(self) -> tuple[str, str]:
        return self.connection_id, self.key


# Busy and resting lanes are left out while scanning, so that a hot ticket cannot hide the others. Lanes are taken in
# key order: two claimers never wait for each other in a circle. FOR UPDATE SKIP LOCKED keeps them off the same rows.
_CLAIM = sa.text(
    """
    WITH head AS (
        SELECT d.connection_id, d.lane FROM delivery_key d
        WHERE d.state = 'received'
          AND NOT EXISTS (SELECT FROM lane l
                          WHERE l.connection_id = d.connection_id AND l.key = d.lane AND l.busy_until > now())
        ORDER BY d.id LIMIT :scan FOR UPDATE OF d SKIP LOCKED
    ), wanted AS (
        SELECT DISTINCT connection_id, lane FROM head ORDER BY connection_id, lane LIMIT :lanes
    ), taken AS (
        INSERT INTO lane AS l (connection_id, key, busy_until)
        SELECT connection_id, lane, now() + make_interval(secs => :lease) FROM wanted
        ON CONFLICT (connection_id, key) DO UPDATE
            SET busy_until = excluded.busy_until, token = l.token + 1 WHERE l.busy_until <= now()
        RETURNING connection_id, key, token
    )
    SELECT t.connection_id, t.key, t.token, d.id, d.event_key, d.kind, d.tries, d.received_at, b.body
    FROM taken t
    CROSS JOIN LATERAL (
        SELECT * FROM delivery_key k
        WHERE k.state = 'received' AND k.connection_id = t.connection_id AND k.lane = t.key
        ORDER BY k.id LIMIT :per_lane
    ) d
    LEFT JOIN delivery_body b ON b.delivery_id = d.id AND b.day >= (d.received_at AT TIME ZONE 'UTC')::date
                             AND b.day <= (d.received_at AT TIME ZONE 'UTC')::date + 1
    ORDER BY d.id
    """
)


def claim(cx: sa.Connection, *, lanes: int, lease_s: float, per_lane: int = 50) -> list[Lane]:
    """Take up to `lanes` lanes that have work, each with its oldest events."""
    values = {"lanes": lanes, "lease": lease_s, "per_lane": per_lane, "scan": lanes * 4}
    taken: dict[tuple[str, str], Lane] = {}
    for row in cx.execute(_CLAIM, values):
        one = taken.setdefault((row.connection_id, row.key), Lane(row.connection_id, row.key, row.token, []))
        one.deliveries.append(
            Delivery(
                row.id, row.connection_id, row.event_key, row.kind, row.key, row.tries, row.received_at, row.body or b""
            )
        )
    return list(taken.values())


def still_mine(cx: sa.Connection, lanes: Sequence[Lane]) -> set[tuple[str, str]]:
    """Lock the claimed lanes; answers those that are still ours (fencing). Comes first in a writing transaction."""
    rows = cx.execute(
        sa.text(
            """
            SELECT l.connection_id, l.key, l.token = w.token AS mine FROM lane l
            JOIN unnest(CAST(:connections AS text[]), CAST(:keys AS text[]), CAST(:tokens AS bigint[]))
                 AS w(connection_id, key, token) ON l.connection_id = w.connection_id AND l.key = w.key
            ORDER BY l.connection_id, l.key FOR UPDATE OF l
            """
        ),
        _lane_arrays(lanes),
    )
    return {(row.connection_id, row.key) for row in rows if row.mine}


def release(cx: sa.Connection, lanes: Sequence[Lane], *, rest_s: float = 0.0) -> None:
    """Give lanes back; with `rest_s` they stay untouched for that long (a retry's pause)."""
    cx.execute(
        sa.text(
            """
            UPDATE lane l SET busy_until = now() + make_interval(secs => :rest)
            FROM unnest(CAST(:connections AS text[]), CAST(:keys AS text[]), CAST(:tokens AS bigint[]))
                 AS w(connection_id, key, token)
            WHERE l.connection_id = w.connection_id AND l.key = w.key AND l.token = w.token
            """
        ),
        {**_lane_arrays(lanes), "rest": rest_s},
    )


def _lane_arrays(lanes: Sequence[Lane]) -> dict[str, list[str] | list[int]]:
    return {
        "connections": [one.connection_id for one in lanes],
        "keys": [one.key for one in lanes],
        "tokens": [one.token for one in lanes],
    }


def settle(cx: sa.Connection, verdicts: Mapping[int, tuple[str, str | None]]) -> None:
    """Write the final state of deliveries: id -> (state, reason)."""
    if not verdicts:
        return
    cx.execute(
        sa.text(
            """
            UPDATE delivery_key d SET state = w.state, reason = w.reason, settled_at = now()
            FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:reasons AS text[]))
                 AS w(id, state, reason)
            WHERE d.id = w.id
            """
        ),
        {
            "ids": list(verdicts),
            "states": [state for state, _ in verdicts.values()],
            "reasons": [reason for _, reason in verdicts.values()],
        },
    )


def failed(cx: sa.Connection, delivery_id: int) -> int:
    """Count one more failed try of a delivery; answers how many there are now."""
    statement = (
        sa.update(delivery_key)
        .where(delivery_key.c.id == delivery_id)
        .values(tries=delivery_key.c.tries + 1)
        .returning(delivery_key.c.tries)
    )
    return int(cx.execute(statement).scalar_one())


def add_internal(
    cx: sa.Connection, rows: Sequence[tuple[str, str, str, str, bytes]], money: Collection[str] = ()
) -> set[str]:
    """Store deliveries of our own making: (connection id, event key, kind, lane, body). Known keys are skipped.

    Args:
        money: the event keys that are kept for ever.

    Returns:
        the event keys that were new.
    """
    if not rows:
        return set()
    columns = ("connection_id", "event_key", "kind", "lane")
    added = cx.execute(
        insert(delivery_key)
        .values([{**dict(zip(columns, row, strict=False)), "money": row[1] in money} for row in rows])
        .on_conflict_do_nothing()
        .returning(delivery_key.c.id, delivery_key.c.connection_id, delivery_key.c.event_key)
    ).all()
    bodies = {(row[0], row[1]): row[4] for row in rows}
    if added:
        cx.execute(
            insert(delivery_body),
            [{"delivery_id": a.id, "headers": {}, "body": bodies[a.connection_id, a.event_key]} for a in added],
        )
    return {str(a.event_key) for a in added}


def backlog(cx: sa.Connection, limit: int) -> int:
    """How many deliveries wait, counted no further than `limit`."""
    waiting = sa.select(sa.literal(1)).where(delivery_key.c.state == "received").limit(limit).subquery()
    return int(cx.execute(sa.select(sa.func.count()).select_from(waiting)).scalar_one())


def oldest_wait_s(cx: sa.Connection) -> float | None:
    """How long the oldest delivery waits whose lane nobody works on and that does not rest; None when there is none."""
    busy = sa.exists().where(
        lane.c.connection_id == delivery_key.c.connection_id,
        lane.c.key == delivery_key.c.lane,
        lane.c.busy_until > sa.func.now(),
    )
    age = sa.func.extract("epoch", sa.func.now() - delivery_key.c.received_at)
    query = sa.select(age).where(delivery_key.c.state == "received", ~busy).order_by(delivery_key.c.id).limit(1)
    found = cx.execute(query).scalar()
    return None if found is None else float(found)


def has_due(cx: sa.Connection) -> bool:
    """Is there a delivery that a worker could take now?"""
    return oldest_wait_s(cx) is not None


def still_open(cx: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Which of these deliveries nobody settled meanwhile: a claim reads a snapshot that may be a moment old."""
    query = sa.select(delivery_key.c.id).where(delivery_key.c.id.in_(ids), delivery_key.c.state == "received")
    return set(cx.execute(query).scalars())


def wait_for_judges(cx: sa.Connection) -> None:
    """Wait until nobody judges on facts of before this transaction; whoever begins to judge waits for its end.

    Else a ticket could be judged on old facts and become visible just after its payer's tickets were looked up.
    """
    cx.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('deskbridge facts'))"))


def begin_to_judge(cx: sa.Connection) -> None:
    """Comes before any row of a mirror is locked. Judges do not wait for each other."""
    cx.execute(sa.text("SELECT pg_advisory_xact_lock_shared(hashtext('deskbridge facts'))"))
