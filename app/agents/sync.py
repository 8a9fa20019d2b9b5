"""Reading the staff of a helpdesk: all pages, then one transaction. Two at once do no harm: the later reading stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.agents import store
from app.db import Database
from integrations.kernel.clock import utc_now
from integrations.kernel.ports import Helpdesk
from integrations.kernel.records import AgentRecord


def sync(database: Database, connection_id: str, client: Helpdesk) -> int:
    """Read everybody who works there; answers how many. Raises VendorError, and then nothing is changed."""
    began = utc_now()
    found: dict[str, AgentRecord] = {}
    cursor = ""
    while True:
        page = client.agents(cursor)
        found |= {record.id: record for record in page.agents}
        cursor = page.cursor
        if not cursor:
            break
    with database.begin() as cx:
        store.replace_all(cx, connection_id, [found[key] for key in sorted(found)], began)
    return len(found)


def due(database: Database, connection_ids: Sequence[str], now: datetime, every: timedelta) -> list[str]:
    """The connections whose staff is to be read now: never read, read too long ago, or wanted."""
    with database.begin() as cx:
        known = store.read_at(cx)
    return [c for c in connection_ids if c not in known or known[c][1] or known[c][0] <= now - every]
