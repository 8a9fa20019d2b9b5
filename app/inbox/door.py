"""What the webhook door does with one delivery, without HTTP: open the connection, verify, address, store, ring."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime

from psycopg import OperationalError
from sqlalchemy.exc import SQLAlchemyError

from app.connections import Connections, UnknownConnection
from app.db import Database
from app.inbox import store
from app.inbox.bell import Bell
from app.inbox.receive import Receiver
from integrations import registry
from integrations.kernel.errors import MalformedPayload, Overloaded
from integrations.kernel.vendor import Port
from integrations.transport import jsonscan

BACKLOG_LOOK_S = 2.0


class Door:
    """One process's door. `max_backlog`: waiting deliveries above which nothing more is taken."""

    def __init__(self, database: Database, connections: Connections, bell: Bell, max_backlog: int) -> None:
        self._database = database
        self._connections = connections
        self._bell = bell
        self._max_backlog = max_backlog
        self._receiver = Receiver(database.door_pool)
        self._backlog_lock = threading.Lock()
        self._backlog_due = 0.0
        self._full = False

    def receive(self, vendor: str, connection: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Store a delivery; True when it is new, False when its event was known.

        Raises:
            UnknownConnection, BadSignature, MalformedPayload: the sender's fault, nothing stored.
            Overloaded: ours, nothing stored, send it again.
        """
        card = registry.by_slug(vendor)
        if card is None or Port.WEBHOOKS not in card.ports:
            raise UnknownConnection
        try:
            account = self._connections.account(connection, vendor)
        except (SQLAlchemyError, OperationalError) as error:
            raise Overloaded(cause=type(error).__name__) from error
        webhook = registry.webhook_module(vendor)
        webhook.verify(headers, body, account.secrets.get("webhook_secret", ()), now)
        envelope = webhook.envelope(headers, body, jsonscan.parse(body))
        if not envelope.kind.isprintable():
            raise MalformedPayload("an event type with control characters")
        self._refuse_when_full()
        _, new = self._receiver.store(account.connection_id, envelope, headers, body)
        if new:
            self._bell.ring()
        return new

    def close(self) -> None:
        """Stop ringing."""
        self._bell.close()

    def _refuse_when_full(self) -> None:
        """Look at the backlog every two seconds, in whichever request comes first; all others read the answer."""
        if time.monotonic() >= self._backlog_due and self._backlog_lock.acquire(blocking=False):
            try:
                self._backlog_due = time.monotonic() + BACKLOG_LOOK_S
                with self._database.begin() as cx:
                    self._full = store.backlog(cx, self._max_backlog + 1) > self._max_backlog
            except (SQLAlchemyError, OperationalError):
                self._full = False  # the insert itself will say that the database is away
            finally:
                self._backlog_lock.release()
        if self._full:
            raise Overloaded("backlog")
