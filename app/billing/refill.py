"""Profiles and terms of payers who were mirrored before there were terms: computed payer by payer, resumable."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.billing import service, store
from app.billing.models import billing_cursor, billing_profile
from app.db import Database

NAME = "terms"  # a row of billing_cursor with this name, not done: the payers after its cursor are to be computed
AT_ONCE = 200


def ask(cx: sa.Connection) -> None:
    """Want everything computed anew; what was begun before begins again."""
    rows = sa.select(billing_profile.c.connection_id, sa.literal(NAME), sa.literal("")).distinct()
    statement = insert(billing_cursor).from_select(["connection_id", "name", "cursor"], rows)
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "name"],
            set_={"cursor": "", "done": False, "count": 0, "changed_at": sa.func.now()},
        )
    )


def refill(database: Database, seats_used_key: str, go_on: Callable[[], bool] = lambda: True) -> int:
    """Compute what is wanted until nothing is or `go_on` says no; answers how many payers were done."""
    count = 0
    while go_on():
        with database.begin() as cx:
            done = _batch(cx, seats_used_key)
        if done is None:
            break
        count += done
    return count


def _batch(cx: sa.Connection, seats_used_key: str) -> int | None:
    """The next payers of the first connection that waits; None when none does."""
    c = billing_cursor.c
    query = sa.select(c.connection_id, c.cursor).where(c.name == NAME, ~c.done).order_by(c.connection_id).limit(1)
    row = cx.execute(query.with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    payers = store.payers_after(cx, row.connection_id, row.cursor, AT_ONCE)
    service.refresh(cx, row.connection_id, payers, seats_used_key)
    done = len(payers) < AT_ONCE
    after = payers[-1] if payers else row.cursor
    cx.execute(
        sa.update(billing_cursor)
        .where(c.connection_id == row.connection_id, c.name == NAME)
        .values(cursor=after, done=done, count=c.count + len(payers), changed_at=sa.func.now())
    )
    return len(payers)
