"""Send what is due, by every channel that is set up. Called periodically; no database connection is held meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.config import Settings
from app.db import Database
from app.notify import store
from app.notify.channels import Channel, channels
from app.notify.store import Notice
from app.telemetry.logs import get_logger
from integrations.kernel.errors import AppError
from integrations.transport.backoff import delay_s

BATCH, LEASE_S, TRIES = 20, 120.0, 12

log = get_logger(__name__)


def send_due(
    database: Database, settings: Settings, open_channels: Callable[[Settings], Mapping[str, Channel]] = channels
) -> int:
    """Send due notices; answers how many are settled."""
    with database.begin() as cx:
        due = store.claim(cx, BATCH, LEASE_S)
    ways = open_channels(settings) if due else {}
    return sum(_send(database, one, ways) for one in due)


def _send(database: Database, one: Notice, ways: Mapping[str, Channel]) -> bool:
    if not ways:
        log.warning("notice", kind=one.kind, notice_id=one.id, subject=one.subject)
        return _settle(database, one, "shown", "no channel is set up")
    faults = []
    for name in sorted(set(ways) - set(one.channels)):
        try:
            ways[name](one)
        except (AppError, OSError) as problem:
            log.warning("notice_failed", channel=name, notice_id=one.id, cause=type(problem).__name__)
            faults.append(f"{name}: {type(problem).__name__}")
            continue
        with database.begin() as cx:
            store.sent_by(cx, one.id, name)
    if not faults:
        return _settle(database, one, "sent")
    if one.tries >= TRIES:
        return _settle(database, one, "dead", "; ".join(faults))
    with database.begin() as cx:
        store.settle(cx, one.id, "pending", "; ".join(faults), delay_s(one.tries))
    return False


def _settle(database: Database, one: Notice, state: str, reason: str = "") -> bool:
    with database.begin() as cx:
        store.settle(cx, one.id, state, reason)
    return True
