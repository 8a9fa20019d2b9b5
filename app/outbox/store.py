"""All SQL of the outbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.outbox.models import ON_ITS_WAY, note_written, outbox
from app.outbox.wanted import Wanted, from_json


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


def _row(row: Any) -> Row:  # noqa: ANN401 - a row of the outbox table
    return Row(
        row.id, row.connection_id, row.ticket_id, from_json(row.change), tuple(row.rules), row.state, row.unsure,
        row.alone, row.tries, row.token, row.job_id or "",
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


def put(cx: sa.Connection, rows: Sequence[Mapping[str, Any]], *, gather_s: float) -> None:
    """Insert or replace the pending row of each ticket: connection_id, ticket_id, change, rules, unsure, alone."""
    if not rows:
        return
    due = sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, gather_s)
    statement = insert(outbox).values([{**row, "due_at": due} for row in rows])
    new = statement.excluded
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "ticket_id"],
            index_where=sa.text("state = 'pending'"),
            set_={"change": new.change, "rules": new.rules, "unsure": new.unsure, "alone": new.alone},
        )
    )


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


def busy_tickets(cx: sa.Connection, connection_id: str, ticket_ids: Sequence[str], writes: int) -> set[str]:
    """Tickets that we wrote to `writes` times or more in the last 10 minutes."""
    query = (
        sa.select(outbox.c.ticket_id)
        .where(
            outbox.c.connection_id == connection_id,
            outbox.c.ticket_id.in_(ticket_ids),
            outbox.c.state == "done",
            outbox.c.settled_at > sa.func.now() - sa.text("interval '10 minutes'"),
        )
        .group_by(outbox.c.ticket_id)
        .having(sa.func.count() >= writes)
    )
    return set(cx.execute(query).scalars())


_CLAIM = sa.text(
    """
    UPDATE outbox SET state = 'sending', token = token + 1, tries = tries + 1,
                      lease_until = now() + make_interval(secs => :lease)
    WHERE id IN (
        SELECT o.id FROM outbox o
        WHERE o.state = 'pending' AND o.due_at <= now()
          AND NOT EXISTS (SELECT FROM outbox w WHERE w.connection_id = o.connection_id
                          AND w.ticket_id = o.ticket_id AND w.state IN ('sending', 'accepted'))
        ORDER BY o.due_at, o.id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING *
    """
)


def claim(cx: sa.Connection, *, limit: int, lease_s: float) -> list[Row]:
    """Take due rows of tickets that have no write on its way."""
    return sorted((_row(r) for r in cx.execute(_CLAIM, {"limit": limit, "lease": lease_s})), key=lambda r: r.id)


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
    """The vendor took these rows into a job: look at it in `look_in_s`."""
    cx.execute(
        sa.update(outbox)
        .where(sa.tuple_(outbox.c.id, outbox.c.token).in_([(r.id, r.token) for r in rows]))
        .values(
            state="accepted",
            job_id=job_id,
            lease_until=sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, look_in_s),
        )
    )


def look_later(cx: sa.Connection, rows: Sequence[Row], look_in_s: float) -> None:
    """Their job is not finished: look again in `look_in_s`."""
    cx.execute(
        sa.update(outbox)
        .where(sa.tuple_(outbox.c.id, outbox.c.token).in_([(r.id, r.token) for r in rows]))
        .values(lease_until=sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, look_in_s))
    )


def settle(cx: sa.Connection, ends: Sequence[tuple[Row, str, str]]) -> set[int]:
    """Write final states (row, state, reason), fenced; answers the ids that were still ours."""
    if not ends:
        return set()
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


def jobs_out(cx: sa.Connection) -> int:
    """How many write jobs are running at vendors for us."""
    return int(
        cx.execute(
            sa.select(sa.func.count(outbox.c.job_id.distinct())).where(outbox.c.state == "accepted")
        ).scalar_one()
    )


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


def writes(cx: sa.Connection, connection_id: str) -> Sequence[Any]:
    """How many changes of each ticket were done: ticket_id, writes."""
    query = (
        sa.select(outbox.c.ticket_id, sa.func.count().label("writes"))
        .where(outbox.c.connection_id == connection_id, outbox.c.state == "done")
        .group_by(outbox.c.ticket_id)
    )
    return cx.execute(query).all()
