"""What a billing vendor gave up delivering is fetched: its events list past our cursor, and objects in doubt.

Both end in the same functions as a webhook: missed events become deliveries of the inbox under their own ids.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app import identity
from app.billing import service, store
from app.billing.models import billing_cursor
from app.config import Settings
from app.db import Database
from app.inbox import facts, fan_out, gaps, sales
from app.inbox.models import FETCHED
from app.inbox.store import add_internal
from app.telemetry import metrics
from app.telemetry.logs import get_logger
from integrations import registry
from integrations.kernel.clock import iso, parse_iso, utc_now
from integrations.kernel.errors import AppError, MalformedPayload
from integrations.kernel.events import Envelope, Event
from integrations.kernel.ids import VendorRef
from integrations.kernel.ports import Billing, Json, WebhookModule

OVERLAP = timedelta(minutes=5)  # events may show up in the list a little late
FIRST_LOOK = timedelta(hours=1)
REREADS = 50
BATCH = 200  # events stored in one transaction

log = get_logger(__name__)


def catch_up(database: Database, connection_id: str, vendor: str, client: Billing, grace_s: float = 0.0) -> int:
    """Store the events of the vendor's list that never came as webhooks; answers how many there were.

    Args:
        grace_s: younger events may still be on their way, and are looked at next time.
    """
    until = utc_now() - timedelta(seconds=grace_s)
    with database.begin() as cx:
        since = _since(cx, connection_id) or until - FIRST_LOOK
    webhook = registry.webhook_module(vendor)
    missed = looked_at = 0
    documents = client.events_since(min(since, until) - OVERLAP, until)
    while batch := list(itertools.islice(documents, BATCH)):
        told = [(e, document) for document in batch if (e := _addressed(webhook, connection_id, document)) is not None]
        rows = [
            (connection_id, e.event_key, e.kind, e.lane or e.event_key, json.dumps(d, separators=(",", ":")).encode())
            for e, d in told
        ]
        looked_at += len(batch)
        with database.begin() as cx:
            new = add_internal(cx, rows, money={e.event_key for e, _ in told if e.money})
            missing = [(row, document) for row, (_, document) in zip(rows, told, strict=True) if row[1] in new]
            gaps.note(cx, [_gap(webhook, row, document, until) for row, document in missing])
        missed += len(new)
    with database.begin() as cx:
        _save(cx, connection_id, until)
    metrics.RECOVERED.labels(connection_id).inc(missed)
    if missed:
        log.info("events_fetched", connection_id=connection_id, missed=missed, looked_at=looked_at)
    return missed


def _addressed(webhook: WebhookModule, connection_id: str, document: Json) -> Envelope | None:
    """One that cannot be addressed must not end the catching up of all later ones."""
    try:
        return webhook.envelope({}, b"", document)
    except MalformedPayload:
        log.warning("event_unreadable", connection_id=connection_id)
        return None


def _gap(
    webhook: WebhookModule, row: tuple[str, str, str, str, bytes], document: Json, until: datetime
) -> dict[str, object]:
    """A row of the ledger; an event of a kind we do not read is dated by the run that found it."""
    connection_id, key, kind, lane, _ = row
    try:
        events = webhook.parse(document, connection_id, key, until)
    except MalformedPayload:
        events = ()
    occurred_at = events[0].occurred_at if events else until
    return {
        "connection_id": connection_id, "subject": lane, "what": kind, "verdict": FETCHED, "event_key": key,
        "occurred_at": occurred_at,
    }  # fmt: skip


def _since(cx: sa.Connection, connection_id: str) -> datetime | None:
    query = sa.select(billing_cursor.c.cursor).where(
        billing_cursor.c.connection_id == connection_id, billing_cursor.c.name == "events"
    )
    found = cx.execute(query).scalar()
    return parse_iso(found) if found else None


def _save(cx: sa.Connection, connection_id: str, now: datetime) -> None:
    statement = insert(billing_cursor).values(connection_id=connection_id, name="events", cursor=iso(now))
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "name"], set_={"cursor": iso(now), "changed_at": sa.func.now()}
        )
    )


def reread(database: Database, client_of: Callable[[str], Billing], settings: Settings) -> int:
    """Read objects again whose tellings tied, or that came without what was needed; answers how many."""
    with database.begin() as cx:
        wanted = store.take_rereads(cx, REREADS)
    failed: AppError | None = None
    for connection_id, kind, object_id in wanted:
        try:
            record = client_of(connection_id).fetch(kind, object_id)
        except AppError as error:  # this connection's trouble: its wish stands, the others go on
            with database.begin() as cx:
                store.want_reread(cx, connection_id, [(kind, object_id)])
            failed = error
            continue
        if record is not None:
            apply_read(database, connection_id, record, settings)
    if failed is not None:
        raise failed
    return len(wanted)


def apply_read(database: Database, connection_id: str, record: object, settings: Settings) -> None:
    """Put one object that was just read into the mirror, and wake the tickets of whoever's facts changed."""
    now = utc_now()
    with database.begin() as cx:
        touched = service.apply(cx, connection_id, [(record, now)], settings.seats_used_key, read=True)
        identity.index_payers(cx, connection_id, [record], settings=facts.ladder(settings))
        _wake(cx, connection_id, service.refresh(cx, connection_id, touched, settings.seats_used_key), now, settings)


def refresh_due(database: Database, settings: Settings) -> int:
    """Compute profiles anew whose date has come (a discount ended), and wake their tickets."""
    now = utc_now()
    with database.begin() as cx:
        due = store.due_profiles(cx, 500)
        for connection_id in sorted({c for c, _ in due}):
            payers = [p for c, p in due if c == connection_id]
            _wake(cx, connection_id, service.refresh(cx, connection_id, payers, settings.seats_used_key), now, settings)
    return len(due)


def _wake(cx: sa.Connection, connection_id: str, payers: set[str], now: datetime, settings: Settings) -> None:
    sales.payers_changed(cx, connection_id, payers)
    causes = {payer_id: _cause(connection_id, payer_id, now) for payer_id in sorted(payers)}
    fan_out.start(cx, connection_id, causes, facts.ladder(settings))


def _cause(connection_id: str, payer_id: str, now: datetime) -> Event:
    key = f"read:{payer_id}:{iso(now)}"
    return Event("billing.changed", "deskbridge", connection_id, key, VendorRef("deskbridge", "payer", payer_id), now)
