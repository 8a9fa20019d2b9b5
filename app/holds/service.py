"""Use cases of holds. The caller owns the transaction; writers are low (refunds, billing, tickets), the reader is leads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.holds.models import hold

Key = tuple[str, str]  # (connection, id) of a payer or of a person
NOBODY: Key = ("", "")


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to wait. (source, source_id) is open once. payer, person: (connection, id), as far as they are known.

    until_what: what will release it, in words, such as "until the refund has ended". until_at: at the latest then.
    """

    source: str
    source_id: str
    why: str
    until_what: str
    payer: Key = NOBODY
    person: Key = NOBODY
    ticket: Key = NOBODY
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A hold that is open, as a reader wants it."""

    id: int
    source: str
    source_id: str
    why: str
    until_what: str
    opened_at: datetime


def open(cx: sa.Connection, *wanted: Hold) -> int:
    """Open holds; one that is open already stays as it is. Answers how many are new."""
    rows = {(one.source, one.source_id): _row(one) for one in wanted}
    if not rows:
        return 0
    statement = insert(hold).values([rows[key] for key in sorted(rows)])
    # The partial index that keeps one open is named by its columns and its condition.
    statement = statement.on_conflict_do_nothing(
        index_elements=["source", "source_id"], index_where=sa.text("released_at IS NULL")
    )
    return len(cx.execute(statement.returning(hold.c.id)).all())


def _row(one: Hold) -> dict[str, object]:
    return {
        "source": one.source, "source_id": one.source_id, "why": one.why, "until_what": one.until_what,
        "payer_connection_id": one.payer[0], "payer_id": one.payer[1], "until_at": one.until_at,
        "connection_id": one.person[0] or one.ticket[0], "person_id": one.person[1], "ticket_id": one.ticket[1],
    }  # fmt: skip


def release(cx: sa.Connection, source: str, source_id: str | Collection[str], why: str) -> int:
    """End holds of a source; answers how many were open."""
    ids = [source_id] if isinstance(source_id, str) else sorted(source_id)
    if not ids:
        return 0
    mine = sa.and_(hold.c.source == source, hold.c.source_id.in_(ids), hold.c.released_at.is_(None))
    values = {"released_at": sa.func.now(), "released_why": why}
    return int(cx.execute(sa.update(hold).where(mine).values(**values)).rowcount)


def release_overdue(cx: sa.Connection) -> int:
    """End holds whose latest moment has come."""
    over = sa.and_(hold.c.released_at.is_(None), hold.c.until_at <= sa.func.now())
    statement = sa.update(hold).where(over)
    return int(cx.execute(statement.values(released_at=sa.func.now(), released_why="its time was over")).rowcount)


def settle(cx: sa.Connection, source: str, payers: Collection[Key], wanted: Iterable[Hold], ended: str) -> None:
    """Make `wanted` the open holds of a source for these payers. ended: why those that are not wanted any more end."""
    mine = {one.source_id: one for one in wanted}
    query = sa.select(hold.c.source_id).where(hold.c.source == source, *_of(payers, *_PAYER))
    known = set(cx.execute(query).scalars()) if payers else set()
    release(cx, source, known - mine.keys(), ended)
    open(cx, *(one for source_id, one in mine.items() if source_id not in known))


_PAYER = (hold.c.payer_connection_id, hold.c.payer_id)
_PERSON = (hold.c.connection_id, hold.c.person_id)


def _of(keys: Collection[Key], connection: sa.Column[str], one: sa.Column[str]) -> tuple[sa.ColumnElement[bool], ...]:
    """Open ones of these payers, people or tickets, in the words of the partial indexes."""
    return (hold.c.released_at.is_(None), one != sa.text("''"), sa.tuple_(connection, one).in_(sorted(keys)))


def of_tickets(cx: sa.Connection, tickets: Collection[Key]) -> dict[Key, list[Hold]]:
    """Ticket (connection, id) -> the open holds it is the reason of, oldest first."""
    found: dict[Key, list[Hold]] = defaultdict(list)
    if tickets:
        mine = _of(tickets, hold.c.connection_id, hold.c.ticket_id)
        for row in cx.execute(sa.select(hold).where(hold.c.source == "ticket", *mine).order_by(hold.c.id)):
            found[row.connection_id, row.ticket_id].append(_hold(row))
    return found


def _hold(row: sa.Row[Any]) -> Hold:
    """As it was opened."""
    payer, person = (row.payer_connection_id, row.payer_id), (row.connection_id, row.person_id)
    return Hold(
        row.source, row.source_id, row.why, row.until_what, payer, person if row.person_id else NOBODY,
        (row.connection_id, row.ticket_id), row.until_at,
    )  # fmt: skip


def open_for(
    cx: sa.Connection, payers: Collection[Key] = (), people: Collection[Key] = ()
) -> Mapping[Key, Sequence[Open]]:
    """Open holds by payer and by person (connection, id), oldest first; who has none is missing."""
    found: dict[Key, list[Open]] = defaultdict(list)
    for keys, columns in ((payers, _PAYER), (people, _PERSON)):
        if keys:
            query = sa.select(hold, *(c.label(f"key_{n}") for n, c in enumerate(columns)))
            for row in cx.execute(query.where(*_of(keys, *columns)).order_by(hold.c.id)):
                one = Open(row.id, row.source, row.source_id, row.why, row.until_what, row.opened_at)
                found[row.key_0, row.key_1].append(one)
    return found
