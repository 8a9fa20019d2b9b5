"""Objects in doubt, read again at the vendor: tellings that tied, discounts without their coupon, prices not there yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.billing import service, store
from app.db import Database
from integrations.kernel.billing import Gone
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import VendorError
from integrations.kernel.ports import Billing

AT_ONCE = 50
ClientOf = Callable[[str], Billing]
# (transaction, connection, what was read, when, payers whose profile changed): the index and the tickets of others
Tell = Callable[[sa.Connection, str, Any, datetime, set[str]], None]


def drain(database: Database, client_of: ClientOf, seats_used_key: str, tell: Tell, limit: int = AT_ONCE) -> int:
    """Read what is wanted, one object a call, no transaction open meanwhile; answers how many were settled.

    One that fails stays wanted, and does not keep the others waiting.

    Raises:
        VendorError: of the last that failed, after all were tried.
    """
    with database.begin() as cx:
        wanted = store.take_rereads(cx, limit)
    settled, failed = 0, None
    for connection_id, kind, object_id in wanted:
        try:
            record = client_of(connection_id).fetch(kind, object_id)
        except VendorError as error:
            failed = error
            with database.begin() as cx:
                store.want_reread(cx, connection_id, [(kind, object_id)])
            continue
        settle(database, connection_id, record or Gone(kind, object_id), seats_used_key, tell)
        settled += 1
    if failed is not None:
        raise failed
    return settled


def settle(
    database: Database,
    connection_id: str,
    record: object,
    seats_used_key: str,
    tell: Tell,
) -> None:
    """Put one object that was just read into the mirror, its payers' profiles with it."""
    now = utc_now()
    with database.begin() as cx:
        touched = service.apply(cx, connection_id, [(record, now)], seats_used_key, read=True)
        tell(cx, connection_id, record, now, service.refresh(cx, connection_id, touched, seats_used_key))
