"""SQL of claims, leases and ends. Every time is the database's. A claim raises the token: whoever had the lead before
writes nothing more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.leads import sharing
from app.leads.models import lead
from app.leads.states import State
from app.leads.store import after, tell

Row = Mapping[Any, Any]
c = lead.c
_SENDABLE = (State.DUE.value, State.PUSHED.value, State.UNKNOWN.value)


def due(cx: sa.Connection, crm_id: str, limit: int, gather_s: float) -> list[sa.RowMapping]:
    """What is due, locked; once something is, also what would be due soon for the first time, so that it shares a call."""
    if not is_due(cx, crm_id):
        return []
    soon = sa.or_(c.due_at <= sa.func.now(), sa.and_(c.due_at <= after(gather_s), c.tries == 0))
    query = sa.select(lead).where(_waiting(crm_id), soon).order_by(c.due_at, c.id).limit(limit)
    return list(cx.execute(query.with_for_update(skip_locked=True)).mappings())


def is_due(cx: sa.Connection, crm_id: str) -> bool:
    """Is there anything to send now?"""
    first = sa.select(c.id).where(_waiting(crm_id), c.due_at <= sa.func.now()).limit(1)
    return cx.execute(first).first() is not None


def _waiting(crm_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(c.state.in_(_SENDABLE), c.lease_until.is_(None), c.crm_id == crm_id, c.due_at.is_not(None))


def begin(cx: sa.Connection, rows: Sequence[Row], lease_s: float) -> None:
    """From here on they are being sent (or looked for); rows: id, state, shape, owner_id."""
    if not rows:
        return
    statement = sa.update(lead).where(c.id == sa.bindparam("b_id")).values(
        state=sa.bindparam("b_state"), shape=sa.bindparam("b_shape"), owner_id=sa.bindparam("b_owner"), token=c.token + 1,
        tries=c.tries + 1, lease_until=after(lease_s), job_id="",
        state_at=sa.case((c.state != sa.bindparam("b_state"), sa.func.now()), else_=c.state_at),
    )  # fmt: skip
    cx.execute(statement, [
        {"b_id": r["id"], "b_state": r["state"], "b_shape": r["shape"], "b_owner": r["owner_id"]} for r in rows
    ])  # fmt: skip


def resend(cx: sa.Connection, rows: Sequence[tuple[str, int]]) -> set[str]:
    """What was looked for and is not there: it is being sent again. Answers those that are still ours."""
    _lock(cx, [one for one, _ in rows])
    statement = sa.update(lead).where(_mine(rows), c.state == State.UNKNOWN.value)
    done = statement.values(state=State.SENDING.value, state_at=sa.func.now()).returning(c.id)
    return set(cx.execute(done).scalars()) if rows else set()


def _mine(rows: Sequence[tuple[str, int]]) -> sa.TextClause:
    """Those whose claim is ours. Arrays: a list of ten thousand values would be a statement nobody can plan."""
    held = "(lead.id, lead.token) IN (SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:tokens AS bigint[])))"
    return sa.text(held).bindparams(ids=[one for one, _ in rows], tokens=[token for _, token in rows])


def _among(ids: Sequence[str]) -> sa.ColumnElement[bool]:
    return c.id == sa.any_(sa.cast(list(ids), pg.ARRAY(sa.Text)))


# Of a record that was there before: what it said then. One that was answered before and became another by being converted
# tells of that one with the next reading. One that we make anew has said nothing.
_SETTLE = sa.text(
    """
    UPDATE lead l SET
        state = CASE WHEN n.done AND NOT n.hold AND l.verdict <> '' THEN 'closed' ELSE n.state END,
        why = CASE WHEN n.state <> 'pushed' OR n.due_in IS NOT NULL THEN n.why
                                    WHEN l.on_hold THEN l.why ELSE '' END,
        state_at = CASE WHEN l.state <> n.state THEN now() ELSE l.state_at END,
        object_id = n.object_id, theirs = l.theirs OR n.theirs,
        standing = CASE WHEN n.theirs THEN (l.standing - 'linked' - 'before') || n.mark
                        WHEN n.object_id = '' THEN l.standing - 'linked' - 'before'
                        WHEN l.object_id <> n.object_id AND l.standing ? 'before'
                        THEN (l.standing - 'before') || jsonb_build_object('linked', true) ELSE l.standing END,
        shape = n.shape, account_id = n.account_id,
        job_id = '', lease_until = NULL,
        token = l.token + 1, tries = CASE WHEN n.done OR n.waits THEN 0 ELSE l.tries END,
        pushed_digest = CASE WHEN n.done THEN n.digest WHEN l.job_id <> '' THEN '' ELSE l.pushed_digest END,
        pushed_hold = CASE WHEN n.done THEN n.hold ELSE l.pushed_hold END,
        pushed_at = CASE WHEN n.object_id <> '' THEN coalesce(l.pushed_at, now()) ELSE l.pushed_at END,
        due_at = CASE WHEN n.due_in IS NOT NULL THEN now() + make_interval(secs => n.due_in)
                      WHEN n.done AND (l.digest <> n.card OR l.on_hold <> n.hold) THEN now() END
    FROM jsonb_to_recordset(CAST(:ends AS jsonb)) AS n(id text, token bigint, state text, why text, object_id text,
        shape text, account_id text, done boolean, waits boolean, digest text, hold boolean, card text, due_in float8,
        theirs boolean, mark jsonb)
    WHERE l.id = n.id AND l.token = n.token AND l.state IN ('sending', 'unknown')
    RETURNING l.id
    """
)


# A record that stands for several leads says the same of all of them: what one of them wrote, the others need not write.
_TOLD_TOO = sa.text(
    """
    UPDATE lead m SET pushed_digest = n.digest, pushed_hold = m.on_hold,
        state = CASE WHEN NOT m.on_hold AND m.verdict <> '' THEN 'closed' ELSE m.state END
    FROM jsonb_to_recordset(CAST(:ends AS jsonb)) AS n(id text, object_id text, digest text, done boolean, shared boolean)
    WHERE n.done AND n.shared AND n.id = ANY(:mine) AND m.id = ANY(:mates) AND m.object_id = n.object_id AND m.id <> n.id
      AND m.state = 'pushed' AND m.job_id = '' AND m.lease_until IS NULL
    """
)


def settle(cx: sa.Connection, crm_id: str, ends: Sequence[Mapping[str, Any]]) -> set[str]:
    """Bring leads to their ends, fenced; answers those that were still ours. Their steps are written beside it."""
    if not ends:
        return set()
    ordered = sorted(ends, key=lambda one: one["id"])
    shared = [one["object_id"] for one in ordered if one["shared"] and one["done"]]
    mates = sharing.mates(cx, crm_id, shared) if shared else []
    _lock(cx, sorted({*(one["id"] for one in ordered), *mates}))
    mine = set(cx.execute(_SETTLE, {"ends": json.dumps(ordered)}).scalars())
    if mates:
        cx.execute(_TOLD_TOO, {"ends": json.dumps(ordered), "mine": sorted(mine), "mates": mates})
    tell(cx, [(one["id"], one["what"], one["why"]) for one in ordered if one["id"] in mine])
    return mine


def _lock(cx: sa.Connection, ids: Sequence[str]) -> None:
    """In the order everybody locks leads in: an update over many takes them as it finds them, and two may wait crosswise."""
    cx.execute(sa.select(c.id).where(_among(ids)).order_by(c.id).with_for_update())


def put_back(cx: sa.Connection, ids: Sequence[str]) -> None:
    """The record is as it should be, or another lead's write makes it so: no call."""
    if ids:
        cx.execute(sa.update(lead).where(_among(ids)).values(due_at=None, tries=0))


def as_told(cx: sa.Connection, ids: Sequence[str]) -> None:
    """The record says what it should: whether ON HOLD too. What sales accepted meanwhile is closed."""
    if ids:
        rid = sa.and_(~c.on_hold, c.verdict != "", c.state == State.PUSHED.value)
        state = sa.case((rid, State.CLOSED.value), else_=c.state)
        cx.execute(sa.update(lead).where(_among(ids)).values(pushed_hold=c.on_hold, state=state))


def lapsed(cx: sa.Connection, limit: int) -> int:
    """Whose worker did not come back: it may have been sent, so it is looked for; a bulk job is just asked again."""
    query = sa.select(c.id).where(c.lease_until <= sa.func.now(), c.state.in_(("sending", "unknown"))).order_by(c.id)
    ids = query.limit(limit).with_for_update(skip_locked=True)
    statement = sa.update(lead).where(c.id.in_(ids)).values(
        token=c.token + 1, lease_until=None, due_at=sa.func.now(), state_at=sa.func.now(),
        state=sa.case((c.job_id != "", c.state), else_=State.UNKNOWN.value),
    )  # fmt: skip
    found = cx.execute(statement.returning(c.id, c.job_id)).all()
    tell(
        cx,
        [(row.id, "unknown", "Whoever sent it did not come back: we look first.") for row in found if not row.job_id],
    )
    return len(found)


def in_job(cx: sa.Connection, rows: Sequence[tuple[str, int]], job_id: str, look_in_s: float) -> None:
    """They are in a job of the CRM, which is asked for its end."""
    _lock(cx, [one for one, _ in rows])
    values = {"job_id": job_id, "lease_until": None, "due_at": after(look_in_s)}
    cx.execute(sa.update(lead).where(_mine(rows), c.state == State.SENDING.value).values(**values))


def sent_as(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What a job was given of each: cards go on changing until it ends. rows: id, token, digest, hold."""
    statement = sa.update(lead).where(c.id == sa.bindparam("b_id"), c.token == sa.bindparam("b_token"))
    told = {"pushed_digest": sa.bindparam("b_digest"), "pushed_hold": sa.bindparam("b_hold", type_=sa.Boolean)}
    cx.execute(statement.values(**told), [{f"b_{name}": value for name, value in row.items()} for row in rows])


# One worker a job: to wait for another's would only be to find it taken.
_TAKE_JOB = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended('lead job ' || :job, 0))")


def jobs(cx: sa.Connection, crm_id: str, lease_s: float) -> list[sa.RowMapping]:
    """The leads of one job whose time to be asked for has come, claimed."""
    ready = (c.state == State.SENDING.value, c.crm_id == crm_id, c.job_id != "", c.lease_until.is_(None))
    waiting = sa.select(c.job_id).where(*ready, c.due_at <= sa.func.now()).distinct().order_by(c.job_id)
    mine = (one for one in cx.execute(waiting).scalars() if cx.execute(_TAKE_JOB, {"job": one}).scalar())
    job_id = next(mine, None)
    if job_id is None:
        return []
    whole = sa.select(c.id).where(*ready, c.job_id == job_id).order_by(c.id).with_for_update()
    statement = sa.update(lead).where(_among(list(cx.execute(whole).scalars())))
    claimed = statement.values(token=c.token + 1, tries=c.tries + 1, lease_until=after(lease_s)).returning(lead)
    return list(cx.execute(claimed).mappings())


def has_due(cx: sa.Connection) -> bool:
    """Is there something to send, to look for or to ask for?"""
    ready = sa.and_(c.due_at.is_not(None), c.lease_until.is_(None), c.due_at <= sa.func.now())
    query = sa.select(c.id).where(ready, c.state.in_((*_SENDABLE, State.SENDING.value))).limit(1)
    return cx.execute(query).first() is not None
