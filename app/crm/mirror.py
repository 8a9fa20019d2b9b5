"""Reading the CRM's directory: page by page, each applied in the transaction that saves the place it leads to.

No database connection is held while a page is fetched. Two readers at once do no harm: older never overwrites, and a
place that is saved twice is read twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.crm import store
from app.db import Database
from app.telemetry.logs import get_logger
from integrations.kernel.ports import Crm

# CHANGED: when something in it changed last. WHOLE: that it was read to its end once, so that who is not in it is unknown.
DIRECTORY, CHANGED, WHOLE = "directory", "changed", "whole"
PAGES = 500  # in one run; the next goes on from there

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mirrored:
    """pages: read. changed: companies and contacts that are other than before."""

    pages: int = 0
    changed: int = 0


def mirror(database: Database, connection_id: str, client: Crm) -> Mirrored:
    """Read what changed since the last run, to its end.

    Raises:
        VendorError: a page could not be read; those before it stand, the next run goes on from there.
    """
    with database.begin() as cx:
        cursor, _ = store.cursor(cx, connection_id, DIRECTORY)
    pages = changed = 0
    while pages < PAGES:
        page = client.directory(cursor)
        with database.begin() as cx:
            fresh = store.apply(cx, connection_id, page)
            store.save_cursor(cx, connection_id, DIRECTORY, page.cursor)
            if fresh:
                store.save_cursor(cx, connection_id, CHANGED, page.cursor)
            if page.at_end:
                store.save_cursor(cx, connection_id, WHOLE, page.cursor)
        pages, changed, cursor = pages + 1, changed + fresh, page.cursor
        if page.at_end:
            break
    if changed:
        log.info("crm_mirrored", connection_id=connection_id, pages=pages, changed=changed)
    return Mirrored(pages, changed)
