"""Asking a worker to read something: a ticket that never reached us, a payer an agent wants to see afresh."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from app import sessions
from app.billing import newest
from app.billing import store as mirror
from app.identity.policy import PayerKey
from app.inbox.parse import VIEWED, rejudge_row
from app.inbox.store import add_internal
from integrations.kernel.clock import iso
from sidebar_app.identity import Visit

KINDS: Final = ("payer", "subscription", "charge", "invoice", "dispute", "refund")
EACH: Final = 3  # of a kind, the newest
EVERY_S: Final = 10  # more often, a payer is not read on demand


def want_ticket(cx: sa.Connection, who: Visit) -> None:
    """Have an unknown ticket read and mirrored; once a session. Looking at a ticket is no change of it: no rule runs."""
    row = rejudge_row(
        who.session.connection_id, who.subject.id, f"opened:{who.session.id}", VIEWED, iso(who.reader.now)
    )
    add_internal(cx, [row])


def want_payer(cx: sa.Connection, payer: PayerKey, now: datetime) -> bool:
    """Have a payer and its newest objects read again; False when that was asked for a moment ago."""
    window = int(now.timestamp()) // EVERY_S
    once = hashlib.sha256(f"{payer[0]}/{payer[1]}/{window}".encode()).digest()
    if not sessions.use_once(cx, "refresh", once, now + timedelta(seconds=2 * EVERY_S)):
        return False
    found = newest.of_payer(cx, payer, KINDS, EACH)
    mirror.want_reread(cx, payer[0], [(kind, one["id"]) for kind, some in found.items() for one in some])
    return True


def count_try(cx: sa.Connection, who: Visit, now: datetime) -> None:
    """One guess at a payer's facts. Raises TooManyTries."""
    sessions.count_try(cx, who.session, now)
