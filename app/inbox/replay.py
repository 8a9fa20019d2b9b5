"""Stored deliveries once more: first what it would do, by the very code that does it, then for real.

The dry run works in a transaction that is never committed, without a call to any vendor: tickets are as the mirror knows
them. The real one only makes the deliveries wait again; the workers do the rest. Mirrors never go back to an older state,
notes are never written twice, and money is never touched by a replay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.config import Settings
from app.db import Database
from app.inbox.models import delivery_body, delivery_key
from app.inbox.parse import parse_lane
from app.inbox.store import Delivery, Lane
from app.inbox.work import Verdicts, work
from app.outbox.models import outbox
from app.triggers.store import active

MOST = 10_000  # deliveries of one replay
SETTLED = ("done", "ignored", "stale", "own", "quarantined")


@dataclass(frozen=True, slots=True)
class Which:
    """What to replay: ids, or what was received in a span; of one connection or of all."""

    ids: tuple[int, ...] = ()
    first: int = 0
    last: int = 0
    since: datetime | None = None
    until: datetime | None = None
    connection_id: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """verdicts: delivery -> what would become of it. changes: (connection, ticket) -> what would be sent."""

    verdicts: Verdicts
    changes: dict[tuple[str, str], dict[str, Any]]


class _Undo(Exception):
    """Ends the transaction of a dry run."""


def find(cx: sa.Connection, which: Which) -> list[Delivery]:
    """The settled deliveries that are meant, oldest first, with their bodies; b"" where it was dropped since."""
    key = delivery_key.c
    body = (
        sa.select(delivery_body.c.body)
        .where(
            delivery_body.c.delivery_id == key.id,
            delivery_body.c.day.between(sa.cast(key.received_at, sa.Date) - 1, sa.cast(key.received_at, sa.Date) + 1),
        )
        .limit(1)
        .scalar_subquery()
    )
    query = sa.select(delivery_key, body.label("body")).where(key.state.in_(SETTLED), *_meant(which))
    rows = cx.execute(query.order_by(key.id).limit(MOST))
    return [
        Delivery(r.id, r.connection_id, r.event_key, r.kind, r.lane, r.tries, r.received_at, bytes(r.body or b""))
        for r in rows
    ]


def _meant(which: Which) -> list[sa.ColumnElement[bool]]:
    key = delivery_key.c
    clauses: list[sa.ColumnElement[bool]] = []
    if which.ids:
        clauses.append(key.id.in_(which.ids))
    if which.last:
        clauses.append(key.id.between(which.first, which.last))
    if which.since is not None:
        clauses.append(key.received_at >= which.since)
    if which.until is not None:
        clauses.append(key.received_at < which.until)
    if not clauses:
        raise ValueError("say which deliveries: ids, a range, or a span of time")
    return [*clauses, key.connection_id == which.connection_id] if which.connection_id else clauses


def preview(
    database: Database, which: Which, vendor_of: Callable[[str], str], own_user: Callable[[str], str],
    settings: Settings,
) -> Preview:  # fmt: skip
    """What a replay would do now. Nothing of it stays."""
    found: Preview | None = None
    with database.begin() as cx:
        deliveries = find(cx, which)
    parsed = [p for lane in _lanes(deliveries) for p in parse_lane(lane, vendor_of)]
    own = {cid: own_user(cid) for cid in {d.connection_id for d in deliveries}}
    try:
        with database.begin() as cx:
            before = _pending(cx)
            verdicts = work(cx, parsed, {}, own, active(cx), settings)
            after = _pending(cx)
            found = Preview(verdicts, {key: change for key, change in after.items() if before.get(key) != change})
            raise _Undo
    except _Undo:
        pass
    assert found is not None  # noqa: S101 - _Undo is raised after it was set
    return found


def _lanes(deliveries: Sequence[Delivery]) -> list[Lane]:
    lanes: dict[tuple[str, str], Lane] = {}
    for one in deliveries:
        lanes.setdefault((one.connection_id, one.lane), Lane(one.connection_id, one.lane, 0, [])).deliveries.append(one)
    return list(lanes.values())


def _pending(cx: sa.Connection) -> dict[tuple[str, str], dict[str, Any]]:
    rows = cx.execute(sa.select(outbox).where(outbox.c.state == "pending"))
    return {(row.connection_id, row.ticket_id): row.change for row in rows}


def start(cx: sa.Connection, which: Which) -> int:
    """Let the deliveries be worked off again; answers how many. Those without a body stay as they are."""
    ids = [one.id for one in find(cx, which) if one.body]
    statement = (
        sa.update(delivery_key)
        .where(delivery_key.c.id.in_(ids), delivery_key.c.state.in_(SETTLED))
        .values(state="received", tries=0, reason=None, settled_at=None)
    )
    return cx.execute(statement).rowcount
