"""The inbox of a worker that has no vendor to ask: whatever it needs is in the mirror."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from app.config import load
from app.db import Database
from app.inbox.process import Inbox


def no_helpdesk(connection_id: str) -> object:
    """The mirror knows these tickets: nothing may be read."""
    raise AssertionError(f"a read at {connection_id}")


@contextmanager
def worker(database: Database) -> Iterator[Inbox]:
    """The inbox of one worker that has no vendor to ask."""
    settings = load({"INBOX_GATHER_S": "0", "OUTBOX_GATHER_S": "30"})
    with ThreadPoolExecutor(4) as pool:
        yield Inbox(database, lambda _: "zendesk", no_helpdesk, lambda _: "999", pool, settings)  # type: ignore[arg-type]
