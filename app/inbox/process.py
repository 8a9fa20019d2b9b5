"""One slice of the inbox: claim lanes, parse, read what must be read, then one transaction for the whole batch.

A batch that raises is done again lane by lane, so that poison meets only itself. Where a vendor cannot be read, only the
lanes that need it rest; the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from app.config import Settings
from app.db import Database
from app.inbox import people, store
from app.inbox.parse import Parsed, parse_lane
from app.inbox.read import Reads, read_tickets, tickets_to_read
from app.inbox.store import Lane
from app.inbox.work import work
from app.telemetry import metrics
from app.telemetry.logs import get_logger
from app.triggers.store import active
from integrations.kernel.errors import RateLimited, VendorError
from integrations.kernel.ports import Helpdesk, PeopleRead, TicketRead
from integrations.transport.backoff import delay_s

LANES = 200  # in one batch: two full reads at the vendor
Clients = Callable[[str], Helpdesk]

log = get_logger(__name__)


@dataclass(slots=True)
class Batch:
    """Lanes with their events, and what was read for them."""

    lanes: list[Lane]
    parsed: list[Parsed]
    reads: dict[str, Reads] = field(default_factory=dict)
    own_users: dict[str, str] = field(default_factory=dict)
    resting: list[tuple[Lane, float, str]] = field(default_factory=list)


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
        return settled

    def _batch(self, lanes: Sequence[Lane]) -> int:
        batch = Batch(list(lanes), [])
        for lane in lanes:
            batch.parsed += parse_lane(lane, self._vendor_of)
        self._know_ourselves(batch)
        self._read(batch)
        try:
            return self._work(batch)
        except Exception as problem:
            log.warning("batch_split", lanes=len(batch.lanes), cause=type(problem).__name__, exc_info=problem)
        return sum(self._single(batch, lane) for lane in batch.lanes)

    def _single(self, batch: Batch, lane: Lane) -> int:
        """One lane, event by event: the first that fails stops it, those before it stand."""
        settled = 0
        for delivery in lane.deliveries:
            step = Lane(lane.connection_id, lane.key, lane.token, [delivery])
            mine = [p for p in batch.parsed if p.delivery.id == delivery.id]
            try:
                settled += self._work(Batch([step], mine, batch.reads, batch.own_users))
            except Exception as problem:  # noqa: BLE001 - as above; the lane is put to rest with its reason
                return settled + self._failed(step, problem)
        return settled

    def _know_ourselves(self, batch: Batch) -> None:
        """Whose writes are ours, by connection: asked before any transaction, remembered for ever after."""
        helpdesks = {connection_id for parsed in batch.parsed for connection_id, _ in parsed.tickets()}
        for connection_id in sorted(helpdesks):
            try:
                batch.own_users[connection_id] = self._own_user(connection_id)
            except VendorError as error:
                mine = {lane: error for lane in map(_key, batch.lanes) if lane[0] == connection_id}
                self._rest(batch, mine)

    def _read(self, batch: Batch) -> None:
        """Fetch every ticket that must be read, 100 a call, in parallel; the lanes of what cannot be read rest."""
        with self._database.begin() as cx:
            wanted = tickets_to_read(cx, batch.parsed)
        submit, client = self._pool.submit, self._client
        calls: list[tuple[str, str, Sequence[str], Future[TicketRead] | Future[PeopleRead]]] = [
            (cid, "ticket", ids, submit(read_tickets, client, cid, ids)) for cid, ids in wanted
        ]
        calls += [
            (cid, "person", ids, submit(people.read, client, cid, ids)) for cid, ids in people.to_read(batch.parsed)
        ]
        failed: dict[tuple[str, str], VendorError] = {}
        for connection_id, kind, ids, call in calls:
            try:
                batch.reads.setdefault(connection_id, Reads()).add(call.result())
            except VendorError as error:
                lost = {(connection_id, kind, one) for one in ids}
                failed |= {_key(p.lane): error for p in batch.parsed if p.subjects() & lost}
        if failed:
            self._rest(batch, failed)

    def _rest(self, batch: Batch, failed: Mapping[tuple[str, str], VendorError]) -> None:
        """Give lanes back untouched, to be taken again when the vendor may answer; it is no try of their events."""
        for lane in [one for one in batch.lanes if _key(one) in failed]:
            error = failed[_key(lane)]
            pause = error.retry_after_s if isinstance(error, RateLimited) else delay_s(1 + lane.deliveries[0].tries)
            batch.resting.append((lane, pause, error.code))
        batch.lanes = [one for one in batch.lanes if _key(one) not in failed]
        batch.parsed = [p for p in batch.parsed if _key(p.lane) not in failed]
        with self._database.begin() as cx:
            for pause in {pause for _, pause, _ in batch.resting}:
                store.release(cx, [lane for lane, mine, _ in batch.resting if mine == pause], rest_s=pause)
        log.warning("lanes_rest", lanes=len(batch.resting), code=batch.resting[-1][2])

    def _work(self, batch: Batch) -> int:
        """The one writing transaction: fenced, mirrors, rules, outbox, verdicts, lanes freed."""
        if not batch.lanes:
            return 0
        with self._database.begin() as cx:
            if not store.still_mine(cx, batch.lanes):
                log.warning("lease_lost", lanes=len(batch.lanes))
                return 0
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
        first = lane.deliveries[0]
        log.error("event_failed", delivery_id=first.id, lane=lane.key, cause=type(problem).__name__, exc_info=problem)
        with self._database.begin() as cx:
            if not store.still_mine(cx, [lane]):
                return 0
            tries = store.failed(cx, first.id)
            if tries >= self._settings.inbox_tries:
                store.settle(cx, {first.id: ("quarantined", f"{type(problem).__name__}: {problem}"[:500])})
                store.release(cx, [lane])
                return 1
            store.release(cx, [lane], rest_s=delay_s(tries))
        return 0


def _key(lane: Lane) -> tuple[str, str]:
    return lane.connection_id, lane.key
