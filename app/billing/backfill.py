"""Everything a billing account holds, page by page: resumable, bounded in memory, kinds side by side.

The cursor is saved in the transaction that stores its page, so a kill loses at most the page in hand, and that one is
read again. No database connection is held while a page is fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.billing import service, store
from app.billing.models import billing_cursor
from app.db import Database
from integrations.kernel.billing import KINDS
from integrations.kernel.clock import iso, utc_now
from integrations.kernel.errors import VendorRejected
from integrations.kernel.ports import Billing, BillingPage

THREADS = 4
PROFILES = 200  # payers whose profiles are computed in one transaction
Index = Callable[[sa.Connection, str, tuple[object, ...]], None]  # keeps the payers' index; identity's, a layer above
Progress = Callable[[str, int, bool], None]  # (kind, objects so far, done)


def backfill(
    database: Database, connection_id: str, client: Billing, *, seats_used_key: str, index: Index, progress: Progress
) -> int:
    """Read all kinds (or the rest of them, after a stop), then compute every profile; answers the objects stored.

    Raises:
        VendorError: of the first kind that failed; what was stored stays, and the next run goes on from there.
    """
    _from_here(database, connection_id)

    def one(kind: str) -> int:
        return _kind(database, connection_id, client, kind, seats_used_key, index, progress)

    with ThreadPoolExecutor(THREADS, thread_name_prefix="backfill") as pool:
        count = sum(pool.map(one, KINDS))
    _profiles(database, connection_id, seats_used_key, progress)
    return count


def _from_here(database: Database, connection_id: str) -> None:
    """What happens while lists are read is fetched from the events list, from this moment on, whoever began it."""
    statement = insert(billing_cursor).values(connection_id=connection_id, name="events", cursor=iso(utc_now()))
    with database.begin() as cx:
        cx.execute(statement.on_conflict_do_nothing())


def _kind(
    database: Database, connection_id: str, client: Billing, kind: str, seats_used_key: str, index: Index,
    progress: Progress,
) -> int:  # fmt: skip
    with database.begin() as cx:
        cursor, done, count = _cursor(cx, connection_id, kind)
    progress(kind, count, done)
    while not done:
        page, count = _page(client, kind, cursor, count)
        cursor, done, count = page.cursor, not page.cursor, count + len(page.records)
        with database.begin() as cx:
            told = [(record, page.as_of) for record in page.records]
            service.apply(cx, connection_id, told, seats_used_key, read=True)
            index(cx, connection_id, page.records)
            _save(cx, connection_id, kind, cursor, done, count)
        progress(kind, count, done)
    return count


def _page(client: Billing, kind: str, cursor: str, count: int) -> tuple[BillingPage, int]:
    """The next page; from the top again where the object the cursor names is no longer there."""
    try:
        return client.page(kind, cursor), count
    except VendorRejected as error:
        if not cursor or error.vendor_code != "resource_missing":
            raise
        return client.page(kind), 0


_SAVE = sa.text(
    """
    INSERT INTO billing_cursor (connection_id, name, cursor, done, count)
    VALUES (:connection, :name, :cursor, :done, :count)
    ON CONFLICT (connection_id, name) DO UPDATE
    SET cursor = excluded.cursor, done = excluded.done, count = excluded.count, changed_at = now()
    """
)


def _cursor(cx: sa.Connection, connection_id: str, kind: str) -> tuple[str, bool, int]:
    query = sa.select(billing_cursor).where(
        billing_cursor.c.connection_id == connection_id, billing_cursor.c.name == f"backfill:{kind}"
    )
    row = cx.execute(query).first()
    return (str(row.cursor), bool(row.done), int(row._mapping["count"])) if row else ("", False, 0)


def _save(cx: sa.Connection, connection_id: str, kind: str, cursor: str, done: bool, count: int) -> None:
    told = {"connection": connection_id, "name": f"backfill:{kind}", "cursor": cursor, "done": done, "count": count}
    cx.execute(_SAVE, told)


def restart(cx: sa.Connection, connection_id: str) -> None:
    """Forget how far it got: the next run reads everything again."""
    cx.execute(
        sa.delete(billing_cursor).where(
            billing_cursor.c.connection_id == connection_id, billing_cursor.c.name.like("backfill:%")
        )
    )


def _profiles(database: Database, connection_id: str, seats_used_key: str, progress: Progress) -> None:
    after, count = "", 0
    while True:
        with database.begin() as cx:
            payers = store.payers_after(cx, connection_id, after, PROFILES)
            service.refresh(cx, connection_id, payers, seats_used_key)
        count += len(payers)
        progress("profile", count, len(payers) < PROFILES)
        if len(payers) < PROFILES:
            return
        after = payers[-1]
