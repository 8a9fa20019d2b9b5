"""One slice of the inbox: claim lanes, parse, read what must be read, then one transaction for the whole batch.

A batch that raises is done again event by event, so that poison meets only itself. Where a vendor cannot be read or a
connection cannot be opened, only the lanes that need it rest; the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.config import Settings
from app.db import Database
from app.inbox import store
from app.inbox.parse import Parsed, parse_lane
from app.inbox.read import Reads, read_all, to_read
from app.inbox.rest import pause_s, reason, waits
from app.inbox.store import Lane
from app.inbox.work import work
from app.telemetry import metrics
from app.telemetry.logs import bind, get_logger
from app.triggers.store import active
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError
from integrations.kernel.ports import Helpdesk
from integrations.transport.backoff import delay_s

LANES = 200  # in one batch: two full reads at the vendor
NOT_THE_EVENTS_FAULT = (OperationalError, InterfaceError, PoolTimeout)  # a database that restarts, a deadlock
Clients = Callable[[str], Helpdesk]
Key = tuple[str, str]

log = get_logger(__name__)


@dataclass(slots=True)
class Batch:
    """Lanes with their events, and what was read for them. failed: lanes that cannot be worked now, and why."""

    lanes: list[Lane]
    parsed: list[Parsed]
    reads: Mapping[str, Reads] = field(default_factory=dict)
    own_users: dict[str, str] = field(default_factory=dict)
    failed: dict[Key, Exception] = field(default_factory=dict)

    def only(self, keys: set[Key]) -> Batch:
        """The part of it that these lanes are."""
        lanes = [one for one in self.lanes if one.address in keys]
        return Batch(lanes, [p for p in self.parsed if p.lane.address in keys], self.reads, self.own_users)

    def alone(self, lane: Lane, delivery_id: int) -> Batch:
        """One event with what was read for its tickets: another's reading may be the poison."""
        parsed = [p for p in self.parsed if p.delivery.id == delivery_id]
        step = Lane(lane.connection_id, lane.key, lane.token, [p.delivery for p in parsed])
        subjects = {subject for p in parsed for subject in p.subjects()}
        read = {lane.connection_id: self.reads.get(lane.connection_id, Reads()).of(subjects)}
        return Batch([step], parsed, read, self.own_users)


class Inbox:
    """Works the inbox off. `client`: the helpdesk client of a connection, kept by the worker.

    vendor_of: the vendor of a connection. own_user: the vendor's id of the user we write as there.
    """

    def __init__(
        self, database: Database, vendor_of: Callable[[str], str], client: Clients, own_user: Callable[[str], str],
        pool: ThreadPoolExecutor, settings: Settings,
    ) -> None:  # fmt: skip
        self._database = database
        self._vendor_of = vendor_of
        self._client = client
        self._own_user = own_user
        self._pool = pool
        self._settings = settings

    def drain(self, go_on: Callable[[], bool]) -> int:
        """Work until nothing is due or `go_on` says no; answers how many deliveries were settled."""
        settled = 0
        while go_on():
            with self._database.begin() as cx:
                waited_s = store.oldest_wait_s(cx)
            if waited_s is None:
                return settled
            if waited_s < self._settings.inbox_gather_s:
                time.sleep(min(self._settings.inbox_gather_s - waited_s, 0.5))
                continue  # whoever comes meanwhile shares the read
            with self._database.begin() as cx:
                lanes = store.claim(cx, lanes=LANES, lease_s=self._settings.inbox_lease_s)
            if lanes:
                with metrics.SLICE_SECONDS.labels("inbox").time():
                    settled += self._batch(lanes)
            else:
                time.sleep(0.05)  # another worker is at the same rows
        return settled

    def _batch(self, lanes: Sequence[Lane]) -> int:
        batch = Batch(list(lanes), [])
        self._parse(batch)
        self._know_ourselves(batch)
        self._read(batch)
        settled = self._part(batch)
        batch = batch.only({lane.address for lane in batch.lanes} - batch.failed.keys())
        try:
            return settled + self._work(batch)
        except Exception as problem:
            log.warning("batch_split", lanes=len(batch.lanes), cause=type(problem).__name__, exc_info=problem)
        return settled + sum(self._single(batch, lane) for lane in batch.lanes)

    def _parse(self, batch: Batch) -> None:
        """A connection that was disabled or cannot be opened keeps its lanes waiting, nobody else's."""
        for lane in batch.lanes:
            try:
                batch.parsed += parse_lane(lane, self._vendor_of)
            except AppError as error:
                batch.failed[lane.address] = error

    def _know_ourselves(self, batch: Batch) -> None:
        """Whose writes are ours, by connection: asked before any transaction, remembered for ever after."""
        for connection_id in sorted({connection_id for p in batch.parsed for connection_id, _ in p.tickets()}):
            try:
                batch.own_users[connection_id] = self._own_user(connection_id)
            except AppError as error:
                batch.failed |= {lane.address: error for lane in batch.lanes if lane.connection_id == connection_id}

    def _read(self, batch: Batch) -> None:
        """Fetch every ticket and person that must be read, 100 a call, in parallel."""
        with self._database.begin() as cx:
            wanted = to_read(cx, [p for p in batch.parsed if p.lane.address not in batch.failed])
        batch.reads, unread = read_all(self._pool, self._client, wanted)
        for one in batch.parsed:
            for lost in one.subjects() & unread.keys():
                batch.failed[one.lane.address] = unread[lost]

    def _part(self, batch: Batch) -> int:
        """Put what cannot be worked now aside: to rest, untouched, where waiting helps; else it was a failed try."""
        failed = [(lane, batch.failed[lane.address]) for lane in batch.lanes if lane.address in batch.failed]
        resting = [(lane, error) for lane, error in failed if waits(error)]
        now = utc_now()
        if resting:
            with self._database.begin() as cx:
                for lane, error in resting:
                    store.release(
                        cx, [lane], rest_s=pause_s(error, (now - lane.deliveries[0].received_at).total_seconds())
                    )
            log.warning("lanes_rest", lanes=len(resting), causes=sorted({type(e).__name__ for _, e in resting}))
        return sum(self._failed(lane, error) for lane, error in failed if not waits(error))

    def _single(self, batch: Batch, lane: Lane) -> int:
        """One lane, event by event: the first that fails stops it, those before it stand."""
        settled = 0
        for delivery in lane.deliveries:
            step = batch.alone(lane, delivery.id)
            with bind(connection_id=lane.connection_id, delivery_id=delivery.id):
                try:
                    settled += self._work(step)
                except NOT_THE_EVENTS_FAULT as problem:
                    log.warning("event_postponed", lane=lane.key, cause=type(problem).__name__)
                    with self._database.begin() as cx:
                        store.release(cx, [lane], rest_s=delay_s(1))
                    return settled
                except Exception as problem:  # noqa: BLE001 - as above; the lane is put to rest with its reason
                    return settled + self._failed(step.lanes[0], problem)
        return settled

    def _work(self, batch: Batch) -> int:
        """The one writing transaction: fenced, mirrors, rules, outbox, verdicts, lanes freed."""
        if not batch.lanes:
            return 0
        with self._database.begin() as cx:
            mine = store.still_mine(cx, batch.lanes)
            if len(mine) < len(batch.lanes):
                log.warning("lease_lost", lanes=len(batch.lanes) - len(mine))
                batch = batch.only(mine)
            open_ids = store.still_open(cx, [d.id for lane in batch.lanes for d in lane.deliveries])
            parsed = [p for p in batch.parsed if p.delivery.id in open_ids]
            verdicts = work(cx, parsed, batch.reads, batch.own_users, active(cx), self._settings)
            store.settle(cx, verdicts)
            store.release(cx, batch.lanes)
        for state, _ in verdicts.values():
            metrics.EVENTS.labels(state).inc()
        return len(verdicts)

    def _failed(self, lane: Lane, problem: Exception) -> int:
        """One more failed try of the lane's first event; after the last it is set aside and the lane goes on."""
        first, cause = lane.deliveries[0], type(problem).__name__
        with bind(connection_id=lane.connection_id, delivery_id=first.id):
            log.error("event_failed", lane=lane.key, cause=cause, exc_info=problem)
        with self._database.begin() as cx:
            if not store.still_mine(cx, [lane]):
                return 0
            tries = store.failed(cx, first.id)
            if tries >= self._settings.inbox_tries:
                store.settle(cx, {first.id: ("quarantined", reason(problem))})
                store.release(cx, [lane])
                metrics.EVENTS.labels("quarantined").inc()
                return 1
            store.release(cx, [lane], rest_s=delay_s(tries))
        return 0
