"""Reading the CRM's directory: page by page, each applied in the transaction that saves the place it leads to.

A place is good for what it was read from: with other fields, and in another org, reading begins anew.

No database connection is held while a page is fetched. Two readers at once do no harm: older never overwrites, and a
place that is saved twice is read twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.crm import store
from app.crm.store import DIRECTORY
from app.db import Database
from app.telemetry.logs import get_logger
from integrations.kernel.crm import DirectorySource
from integrations.kernel.ports import Crm

# CHANGED: when something in it changed last. WHOLE: that it was read to its end once, so that who is not in it is unknown.
CHANGED, WHOLE = "changed", store.WHOLE
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
    source, cursor = _begin(database, connection_id, client)
    pages = changed = 0
    while pages < PAGES:
        page = client.directory(cursor)
        with database.begin() as cx:
            if not store.is_from(cx, connection_id, source):
                break  # the settings are others by now, and whoever has them reads
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


def _begin(database: Database, connection_id: str, client: Crm) -> tuple[DirectorySource, str]:
    """What is read from, and where it goes on. Another source is looked at twice: each worker believes what it was told of
    fields for a while, and two that disagree would begin anew in turn."""
    source = client.source()
    with database.begin() as cx:
        known = store.source_of(cx, connection_id)
    if known != source:
        source = client.source(anew=True)
    with database.begin() as cx:
        if store.read_from(cx, connection_id, source):
            log.info("crm_mirrored_anew", connection_id=connection_id, fields=source.fields)
        return source, store.cursor(cx, connection_id, DIRECTORY)[0]
