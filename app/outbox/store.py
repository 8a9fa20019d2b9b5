"""All SQL of the outbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.outbox.models import ON_ITS_WAY, note_written, outbox
from app.outbox.wanted import Wanted, from_json

BUSY_S = 600.0  # the window in which writes of one ticket are counted


@dataclass(frozen=True, slots=True)
class Row:
    """One wanted change, claimed or read. `token` fences every write of the claimer."""

    id: int
    connection_id: str
    ticket_id: str
    wanted: Wanted
    rules: tuple[str, ...]
    state: str
    unsure: bool
    alone: bool
    tries: int
    token: int
    job_id: str
    created_at: datetime


def _row(row: Any) -> Row:  # noqa: ANN401 - a row of the outbox table
    return Row(
        row.id, row.connection_id, row.ticket_id, from_json(row.change), tuple(row.rules), row.state, row.unsure,
        row.alone, row.tries, row.token, row.job_id or "", row.created_at,
    )  # fmt: skip


def open_rows(cx: sa.Connection, connection_id: str, ticket_ids: Sequence[str]) -> list[Row]:
    """Pending and on-their-way rows of these tickets, locked in id order until the transaction ends.

    Two arms with the states written out, each of which one partial index answers: with the states in one list neither
    index fits, and every change ever made would be read for each event.
    """
    theirs = sa.and_(outbox.c.connection_id == connection_id, outbox.c.ticket_id.in_(sorted(ticket_ids)))
    pending, on_its_way = sa.text("outbox.state = 'pending'"), sa.text("outbox.state IN ('sending', 'accepted')")
    query = (
        sa.select(outbox)
        .where(sa.or_(sa.and_(theirs, pending), sa.and_(theirs, on_its_way)))
        .order_by(outbox.c.id)
        .with_for_update()
    )
    return [_row(row) for row in cx.execute(query)]


_PUT = sa.text(
    """
    INSERT INTO outbox AS o (connection_id, ticket_id, change, rules, unsure, reason, due_at)
    SELECT w.connection_id, w.ticket_id, w.change, w.rules, w.unsure, w.reason,
           now() + make_interval(secs => w.due_in_s)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(
        connection_id text, ticket_id text, change jsonb, rules jsonb, unsure boolean, reason text, due_in_s float8)
    ORDER BY w.connection_id, w.ticket_id
    ON CONFLICT (connection_id, ticket_id) WHERE state = 'pending' DO UPDATE SET
        change = jsonb_build_object(
            'tags', (o.change->'tags') || (excluded.change->'tags'),
            'fields', (o.change->'fields') || (excluded.change->'fields'),
            'notes', (o.change->'notes') || (excluded.change->'notes')),
        rules = o.rules || excluded.rules, unsure = o.unsure OR excluded.unsure,
        due_at = greatest(o.due_at, excluded.due_at)
    """
)


def put(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make pending rows: connection_id, ticket_id, change, rules, unsure, reason, due_in_s of each.

    Where somebody else made one of the same ticket in the meantime, ours is put on top of theirs: nothing is lost.
    """
    if rows:
        cx.execute(_PUT, {"rows": json.dumps(rows)})


_REWRITE = sa.text(
    """
    UPDATE outbox o SET change = w.change, rules = w.rules, unsure = w.unsure, reason = coalesce(w.reason, o.reason),
                        due_at = greatest(o.due_at, now() + make_interval(secs => w.hold_s))
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(
        id bigint, change jsonb, rules jsonb, unsure boolean, reason text, hold_s float8)
    WHERE o.id = w.id AND o.state = 'pending'
    """
)


def rewrite(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change pending rows the caller has locked: id, change, rules, unsure, reason, hold_s (wait at least so long)."""
    if rows:
        cx.execute(_REWRITE, {"rows": json.dumps(rows)})


def remove_pending(cx: sa.Connection, ids: Sequence[int]) -> None:
    """Take back pending rows that nothing is left of: what they wanted is no longer wanted."""
    if ids:
        cx.execute(sa.delete(outbox).where(outbox.c.id.in_(ids), outbox.c.state == "pending"))


def new_notes(cx: sa.Connection, connection_id: str, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of (ticket, note key), those never decided on before; from now on they are."""
    if not keys:
        return set()
    rows = [{"connection_id": connection_id, "ticket_id": t, "note_key": k} for t, k in sorted(set(keys))]
    statement = (
        insert(note_written)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(note_written.c.ticket_id, note_written.c.note_key)
    )
    return {(row.ticket_id, row.note_key) for row in cx.execute(statement)}


def busy_tickets(cx: sa.Connection, connection_id: str, ticket_ids: Sequence[str], writes: int) -> dict[str, float]:
    """Tickets that we wrote to `writes` times or more in the last 10 minutes: seconds until the oldest falls out."""
    age_s = sa.cast(sa.func.extract("epoch", sa.func.now() - sa.func.min(outbox.c.settled_at)), sa.Float)
    query = (
        sa.select(outbox.c.ticket_id, (BUSY_S - age_s).label("held_s"))
        .where(
            outbox.c.connection_id == connection_id,
            outbox.c.ticket_id.in_(ticket_ids),
            outbox.c.state == "done",
            outbox.c.settled_at > sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, BUSY_S),
        )
        .group_by(outbox.c.ticket_id)
        .having(sa.func.count() >= writes)
    )
    return {row.ticket_id: max(1.0, row.held_s) for row in cx.execute(query)}


_CLAIM = sa.text(
    """
    UPDATE outbox SET state = 'sending', token = token + 1, tries = tries + 1,
                      lease_until = now() + make_interval(secs => :lease)
    WHERE id IN (
        SELECT o.id FROM outbox o
        WHERE o.connection_id = :connection AND o.state = 'pending' AND o.due_at <= now()
          AND NOT EXISTS (SELECT FROM outbox w WHERE w.connection_id = o.connection_id
                          AND w.ticket_id = o.ticket_id AND w.state IN ('sending', 'accepted'))
        ORDER BY o.due_at, o.id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING *
    """
)


def due_connections(cx: sa.Connection) -> list[str]:
    """Connections with something to send."""
    due = sa.select(outbox.c.connection_id).where(outbox.c.state == "pending", outbox.c.due_at <= sa.func.now())
    return sorted(cx.execute(due.distinct()).scalars())


def claim(cx: sa.Connection, connection_id: str, *, limit: int, lease_s: float) -> list[Row]:
    """Take due rows of a connection's tickets that have no write on its way."""
    values = {"connection": connection_id, "limit": limit, "lease": lease_s}
    return sorted((_row(r) for r in cx.execute(_CLAIM, values)), key=lambda r: r.id)


def _lock(cx: sa.Connection, ids: Sequence[int]) -> None:
    """Lock rows in id order, as `open_rows` does: whoever writes many never waits for another in a circle."""
    cx.execute(sa.select(outbox.c.id).where(outbox.c.id.in_(ids)).order_by(outbox.c.id).with_for_update())


def renew(cx: sa.Connection, rows: Sequence[Row], lease_s: float) -> set[int]:
    """Begin the lease anew right before the call; answers the ids that are still ours to send."""
    _lock(cx, [row.id for row in rows])
    until = sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, lease_s)
    mine = sa.tuple_(outbox.c.id, outbox.c.token).in_([(r.id, r.token) for r in rows])
    statement = (
        sa.update(outbox)
        .where(mine, outbox.c.state == "sending", outbox.c.lease_until > sa.func.now())
        .values(lease_until=until)
        .returning(outbox.c.id)
    )
    return set(cx.execute(statement).scalars())


def claim_jobs(cx: sa.Connection, *, limit: int, lease_s: float) -> list[Row]:
    """Take accepted rows whose job is due for a look (their lease, set when they were accepted, ran out)."""
    rows = cx.execute(
        sa.text(
            """
            UPDATE outbox SET token = token + 1, lease_until = now() + make_interval(secs => :lease)
            WHERE id IN (SELECT id FROM outbox WHERE state = 'accepted' AND lease_until <= now()
                         ORDER BY lease_until LIMIT :limit FOR UPDATE SKIP LOCKED)
            RETURNING *
            """
        ),
        {"limit": limit, "lease": lease_s},
    )
    return [_row(row) for row in rows]


def accepted(cx: sa.Connection, rows: Sequence[Row], job_id: str, look_in_s: float) -> None:
    """The vendor took these rows into a job: look at it in `look_in_s`. Fenced."""
    _follow(cx, rows, "sending", look_in_s, {"state": "accepted", "job_id": job_id})


def look_later(cx: sa.Connection, rows: Sequence[Row], look_in_s: float) -> None:
    """Their job is not finished: look again in `look_in_s`. Fenced."""
    _follow(cx, rows, "accepted", look_in_s, {})


def _follow(cx: sa.Connection, rows: Sequence[Row], state: str, look_in_s: float, values: Mapping[str, Any]) -> None:
    """By state too: a row that was given back keeps its token until it is claimed again."""
    _lock(cx, [row.id for row in rows])
    mine = sa.tuple_(outbox.c.id, outbox.c.token).in_([(r.id, r.token) for r in rows])
    look_at = sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, look_in_s)
    cx.execute(sa.update(outbox).where(mine, outbox.c.state == state).values(lease_until=look_at, **values))


def settle(cx: sa.Connection, ends: Sequence[tuple[Row, str, str]]) -> set[int]:
    """Write final states (row, state, reason), fenced; answers the ids that were still ours."""
    if not ends:
        return set()
    _lock(cx, [row.id for row, _, _ in ends])
    rows = cx.execute(
        sa.text(
            """
            UPDATE outbox o SET state = w.state, reason = w.reason, settled_at = now(), lease_until = NULL
            FROM unnest(CAST(:ids AS bigint[]), CAST(:tokens AS bigint[]), CAST(:states AS text[]),
                        CAST(:reasons AS text[])) AS w(id, token, state, reason)
            WHERE o.id = w.id AND o.token = w.token AND o.state IN ('sending', 'accepted')
            RETURNING o.id
            """
        ),
        {
            "ids": [row.id for row, _, _ in ends],
            "tokens": [row.token for row, _, _ in ends],
            "states": [state for _, state, _ in ends],
            "reasons": [reason[:500] for _, _, reason in ends],
        },
    )
    return {row.id for row in rows}


def lapsed(cx: sa.Connection, limit: int) -> list[Row]:
    """Rows still `sending` though their lease ran out: their worker died, and the vendor may have acted."""
    query = (
        sa.select(outbox)
        .where(outbox.c.state == "sending", outbox.c.lease_until <= sa.func.now())
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_row(row) for row in cx.execute(query)]


def on_their_way(cx: sa.Connection, connection_id: str, ticket_ids: Sequence[str]) -> set[str]:
    """Of these tickets, those a write of ours is on its way to."""
    query = sa.select(outbox.c.ticket_id).where(
        outbox.c.connection_id == connection_id, outbox.c.ticket_id.in_(ticket_ids), outbox.c.state.in_(ON_ITS_WAY)
    )
    return set(cx.execute(query).scalars())


def has_due(cx: sa.Connection) -> bool:
    """Is there something to send, to look at, or to take over from a dead worker?"""
    pending = sa.select(outbox.c.id).where(outbox.c.state == "pending", outbox.c.due_at <= sa.func.now()).limit(1)
    waiting = (
        sa.select(outbox.c.id).where(outbox.c.state.in_(ON_ITS_WAY), outbox.c.lease_until <= sa.func.now()).limit(1)
    )
    return cx.execute(pending).first() is not None or cx.execute(waiting).first() is not None


_BACK = sa.text(
    """
    UPDATE outbox o SET state = 'pending', change = w.change, rules = w.rules, unsure = w.unsure, alone = w.alone,
                        tries = w.tries, reason = w.reason, job_id = NULL, lease_until = NULL,
                        due_at = now() + make_interval(secs => w.due_in_s)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(
        id bigint, token bigint, change jsonb, rules jsonb, unsure boolean, alone boolean, tries smallint, reason text,
        due_in_s float8)
    WHERE o.id = w.id AND o.token = w.token AND o.state IN ('sending', 'accepted')
    """
)


def back_to_pending(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make rows wait again, fenced: id, token, change, rules, unsure, alone, tries, reason, due_in_s of each."""
    if rows:
        cx.execute(_BACK, {"rows": json.dumps(rows)})


def jobs_out(cx: sa.Connection) -> dict[str, int]:
    """How many write jobs are running for us, by connection."""
    query = (
        sa.select(outbox.c.connection_id, sa.func.count(outbox.c.job_id.distinct()).label("jobs"))
        .where(outbox.c.state == "accepted")
        .group_by(outbox.c.connection_id)
    )
    return {row.connection_id: row.jobs for row in cx.execute(query)}


def listing(cx: sa.Connection, state: str, limit: int) -> Sequence[sa.RowMapping]:
    """Rows in a state, newest first, for people."""
    query = sa.select(outbox).where(outbox.c.state == state).order_by(outbox.c.id.desc()).limit(limit)
    return cx.execute(query).mappings().all()


def revive(cx: sa.Connection, ids: Sequence[int]) -> list[Row]:
    """Take dead letters out of the dead state, to be put again; answers what they wanted."""
    query = (
        sa.update(outbox)
        .where(outbox.c.state == "dead", outbox.c.id.in_(ids))
        .values(state="dropped", reason="tried again by a person")
        .returning(outbox)
    )
    return [_row(row) for row in cx.execute(query)]


_WRITES = sa.text(
    """
    SELECT ticket_id, count(*) AS writes,
           sum((SELECT count(*) FROM jsonb_object_keys(change->'tags'))
             + (SELECT count(*) FROM jsonb_object_keys(change->'fields'))
             + jsonb_array_length(change->'notes')) AS parts
    FROM outbox WHERE connection_id = :connection AND state = 'done' GROUP BY ticket_id
    """
)


def writes(cx: sa.Connection, connection_id: str) -> Sequence[Any]:
    """What was done to each ticket: ticket_id, writes, and parts (tags, fields and notes in them)."""
    return cx.execute(_WRITES, {"connection": connection_id}).all()


def last_writes(cx: sa.Connection, connection_id: str, ticket_ids: Sequence[str]) -> dict[str, datetime]:
    """When we last wrote to each of these tickets, by our clock; one we never wrote to is missing."""
    query = (
        sa.select(outbox.c.ticket_id, sa.func.max(outbox.c.settled_at).label("at"))
        .where(outbox.c.connection_id == connection_id, outbox.c.ticket_id.in_(ticket_ids), outbox.c.state == "done")
        .group_by(outbox.c.ticket_id)
    )
    return {row.ticket_id: row.at for row in cx.execute(query)}
