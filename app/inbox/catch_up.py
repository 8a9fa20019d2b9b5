"""What a helpdesk gave up delivering is fetched: the list of what changed, past our cursor, compared with the mirror.

A ticket newer there than here, or unlike ours at the same moment, becomes a delivery of our own making that carries the
ticket as read: it goes through its lane, the rules and the outbox like any other. Which rules are asked follows from what
differs; what happened in between (the value before, a comment) is not known, is judged as not known, and is written into
the ledger of gaps as lost.

Changes younger than CATCHUP_GRACE_S may still be on their way: a page that holds one is read again next time. No database
connection is held while a page is fetched; the cursor is saved in the transaction that stores what its page showed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.config import Settings
from app.customers import store as customers
from app.db import Database
from app.inbox import gaps
from app.inbox.models import FETCHED, LOST
from app.inbox.parse import CAUGHT_UP
from app.inbox.store import add_internal
from app.outbox.store import last_writes
from app.telemetry import metrics
from app.telemetry.logs import get_logger
from app.tickets import store as tickets
from app.tickets.flat import flat
from integrations.kernel.clock import iso, parse_iso, utc_now
from integrations.kernel.ports import ChangedPage, Helpdesk
from integrations.kernel.records import TicketRecord

FIRST_LOOK = timedelta(hours=1)  # before the first run nothing was promised; a little of it is looked at all the same
OWN_S = timedelta(seconds=120)  # between a write of ours at the vendor and our knowing that it was done
PAGES = 500  # in one run; the next goes on from there
UNSEEN = "ticket.caught_up"  # something happened that left no trace in the values: a comment, mostly

# Which event a rule would have heard, by the value that differs. Names are those of TicketValues.
_KINDS = {
    "status": "ticket.status_changed", "priority": "ticket.priority_changed", "type": "ticket.type_changed",
    "subject": "ticket.subject_changed", "description": "ticket.description_changed", "tags": "ticket.tags_changed",
    "requester_id": "ticket.requester_changed", "organization_id": "ticket.organization_changed",
    "assignee_id": "ticket.assignee_changed", "group_id": "ticket.group_changed", "brand_id": "ticket.brand_changed",
    "form_id": "ticket.form_changed", "external_id": "ticket.external_id_changed",
}  # fmt: skip
_CUSTOM = "ticket.custom_field_changed"
# A new ticket that already has these was changed after it was made.
_LATER = ("assignee_id",)
_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What one run found. looked_at: tickets of the list; missing: those that had changed without our being told."""

    looked_at: int = 0
    missing: int = 0


def catch_up(database: Database, connection_id: str, client: Helpdesk, settings: Settings) -> Found:
    """Read the list of changes from where we are to its end.

    Raises:
        VendorError: the list could not be read; what was read before stands, the next run goes on from there.
    """
    with database.begin() as cx:
        cursor, since = gaps.cursor_of(cx, connection_id) or ("", utc_now() - FIRST_LOOK)
    looked_at = missing = 0
    for _ in range(PAGES):
        settled_before = utc_now() - timedelta(seconds=settings.catchup_grace_s)
        page = client.changed(cursor, since)
        old = [t for t in page.tickets if t.as_of <= settled_before]
        whole = len(old) == len(page.tickets)
        cursor = page.cursor if whole else cursor
        with database.begin() as cx:
            missing += _apply(cx, connection_id, page, old, since)
            reached = settled_before if page.at_end else since
            gaps.save_cursor(cx, connection_id, cursor, reached, len(old) if whole else 0)
        looked_at += len(old)
        if page.at_end or not whole:
            break
    if missing:
        log.info("changes_fetched", connection_id=connection_id, missing=missing, looked_at=looked_at)
    return Found(looked_at, missing)


def _apply(
    cx: sa.Connection, connection_id: str, page: ChangedPage, told: Iterable[TicketRecord], since: datetime
) -> int:
    """Store what the mirror does not know yet as deliveries; answers how many tickets that was."""
    customers.apply_organizations(cx, connection_id, page.organizations)
    customers.apply_people(cx, connection_id, page.people)
    newest = {t.id: t for t in sorted(told, key=lambda t: t.as_of)}
    mirror = tickets.read(cx, connection_id, sorted({*newest, *page.gone}))
    ours = last_writes(cx, connection_id, sorted(newest))
    rows, found, own = [], [], []
    for ticket_id, record in sorted(newest.items()):
        held = mirror.get(ticket_id)
        if held is not None and (held.as_of > record.as_of or held.gone):
            continue
        kinds = differing(held.values if held else None, record, since)
        if held is not None and held.as_of == record.as_of and not kinds:
            continue
        if held is not None and not kinds and ticket_id in ours and ours[ticket_id] >= record.as_of - OWN_S:
            own.append(record)  # nothing differs and we wrote last: it is our own write we were not told of
            continue
        rows.append(_delivery(connection_id, record, kinds or [UNSEEN]))
        found += _gaps(connection_id, record, kinds)
    tickets.apply(cx, connection_id, own)
    deleted = [one for one in page.gone if one in mirror and not mirror[one].gone]
    tickets.mark_gone(cx, connection_id, deleted)
    found += [_gap(connection_id, f"ticket:{one}", "ticket.deleted", FETCHED, utc_now()) for one in deleted]
    for start in range(0, len(rows), 200):
        add_internal(cx, rows[start : start + 200])
    gaps.note(cx, found)
    metrics.RECOVERED.labels(connection_id).inc(len(rows) + len(deleted))
    return len(rows) + len(deleted)


def differing(held: Mapping[str, Any] | None, record: TicketRecord, since: datetime) -> list[str]:
    """The kinds of event that would have told of the difference. Pure.

    A ticket we never heard of and that was made since then was created; of an older one nothing can be said.
    """
    now = flat(record.values)
    if held is None and parse_iso(str(now.get("created_at") or iso(_LONG_AGO))) < since:
        return []
    if held is None:
        later = [_KINDS[name] for name in _LATER if now.get(name)]
        changed = [_KINDS["status"]] if now.get("status") not in (None, "new") else []
        return ["ticket.created", *changed, *later]
    known = flat(held)
    names = {name for name, value in now.items() if name in known and known[name] != value}
    kinds = {_KINDS[name] for name in names & _KINDS.keys()}
    return sorted(kinds | ({_CUSTOM} if any(name.startswith("custom_fields.") for name in names) else set()))


def _delivery(connection_id: str, record: TicketRecord, kinds: list[str]) -> tuple[str, str, str, str, bytes]:
    body = {
        "ticket_id": record.id, "kinds": kinds, "occurred_at": iso(record.as_of), "values": dict(record.values),
    }  # fmt: skip
    raw = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    key = f"caught_up:{record.id}:{hashlib.sha256(raw).hexdigest()[:24]}"
    return connection_id, key, CAUGHT_UP, f"ticket:{record.id}", raw


def _gaps(connection_id: str, record: TicketRecord, kinds: list[str]) -> list[dict[str, Any]]:
    """What is named in the ledger: each change that was fetched; and what is lost, once a ticket and moment."""
    subject = f"ticket:{record.id}"
    found = [_gap(connection_id, subject, kind, FETCHED, record.as_of) for kind in kinds or [UNSEEN]]
    lost = "a comment or a change that was undone, if there was one" if not kinds else (
        "values before the change, and comments, if there were any"
    )  # fmt: skip
    return [*found, _gap(connection_id, subject, lost, LOST, record.as_of)]


def _gap(connection_id: str, subject: str, what: str, verdict: str, at: datetime) -> dict[str, Any]:
    return {
        "connection_id": connection_id,
        "subject": subject,
        "what": what,
        "verdict": verdict,
        "event_key": "",
        "occurred_at": at,
    }
