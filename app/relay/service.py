"""Send what is due. Threads that call vendors hold no database connection; every end has its own transaction."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import sqlalchemy as sa

from app.config import Settings
from app.db import Database
from app.outbox import store
from app.outbox.store import Row
from app.relay.ends import Ends, lapsed, sort_error, sort_results, write_down
from app.telemetry import metrics
from app.telemetry.logs import bind, get_logger
from app.tickets import store as tickets
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError, VendorError
from integrations.kernel.ports import Helpdesk, JobState
from integrations.kernel.records import TicketChange

BATCH = 100  # tickets in one write; Zendesk's limit
JOBS_OUT = 20  # write jobs running at once for a connection; Zendesk takes 30 an account, people need some
LOOK_AGAIN_S = 2.0  # when a desk could not tell of its jobs

log = get_logger(__name__)
Clients = Callable[[str], Helpdesk]
T = TypeVar("T")


class Relay:
    """Drains the outbox. `client`: the helpdesk client of a connection, kept by the worker."""

    def __init__(
        self,
        database: Database,
        client: Clients,
        pool: ThreadPoolExecutor,
        settings: Settings,
    ) -> None:
        self._database = database
        self._client = client
        self._pool = pool
        self._settings = settings

    def drain(self, go_on: Callable[[], bool]) -> int:
        """Send and follow until nothing is due or `go_on` says no; answers how many writes ended."""
        ended = 0
        while go_on():
            self._take_over_lapsed()
            sent = self._send_due()
            looked = self._look_at_jobs()
            ended += sent + looked
            if not sent and not looked:
                if not self._jobs_are_out():
                    return ended
                time.sleep(min(self._settings.outbox_poll_s, 0.25))
        return ended

    def _jobs_are_out(self) -> bool:
        with self._database.begin() as cx:
            return bool(store.jobs_out(cx))

    def _take_over_lapsed(self) -> None:
        with self._database.begin() as cx:
            write_down(cx, lapsed(store.lapsed(cx, 500), self._settings.outbox_tries))

    def _send_due(self) -> int:
        """Claim what is due, a connection at a time: one desk that is full or away takes no room from the others."""
        lease_s, claimed = self._settings.outbox_lease_s, 0
        calls: list[Future[None]] = []
        with self._database.begin() as cx:
            connections, out = store.due_connections(cx), store.jobs_out(cx)
        for connection_id in connections:
            room = JOBS_OUT - out.get(connection_id, 0)
            if room <= 0:
                continue
            with self._database.begin() as cx:
                rows = store.claim(cx, connection_id, limit=room * BATCH, lease_s=lease_s)
                needed, so = self._without_what_is_so(cx, connection_id, rows)
                write_down(cx, Ends(already=so))
            claimed += len(rows)
            calls += [self._pool.submit(self._send, connection_id, batch) for batch in _batches(needed)]
        _wait_for(calls)
        return claimed

    def _without_what_is_so(
        self, cx: sa.Connection, connection_id: str, rows: Sequence[Row]
    ) -> tuple[list[Row], list[Row]]:
        """Leave out what the mirror shows already; a row that may have landed is never left out."""
        needed: list[Row] = []
        so: list[Row] = []
        mirror = tickets.read(cx, connection_id, [row.ticket_id for row in rows])
        for row in rows:
            ticket = mirror.get(row.ticket_id)
            is_so = not row.unsure and ticket is not None and row.wanted.beyond(ticket.values).is_empty
            (so if is_so else needed).append(row)
        return needed, so

    def _send(self, connection_id: str, rows: Sequence[Row]) -> None:
        """One call for many tickets (or one alone), then its end in one transaction."""
        with bind(job="outbox", connection_id=connection_id):
            with self._database.begin() as cx:  # it may have waited for a thread longer than its lease
                mine = store.renew(cx, rows, self._settings.outbox_lease_s)
            rows = [row for row in rows if row.id in mine]
            if rows:
                self._end(self._attempt(connection_id, rows))

    def _attempt(self, connection_id: str, rows: Sequence[Row]) -> Ends:
        """What became of each row; whatever is raised, each gets an end."""
        written: list[Row] = []
        try:
            client = self._client(connection_id)
            changes = {row.id: _change(client, row) for row in rows}
            written = [row for row in rows if changes[row.id].is_empty]  # its note was there already
            rows = [row for row in rows if not changes[row.id].is_empty]
            ends = self._call(client, rows, [changes[row.id] for row in rows]) if rows else Ends()
        except VendorError as error:
            log.warning("write_failed", code=error.code, tickets=len(rows), detail=str(error)[:200])
            ends = sort_error(rows, error, self._settings.outbox_tries, utc_now())
        except Exception as problem:
            log.exception("write_broken", cause=type(problem).__name__, tickets=len(rows))
            ends = sort_error(rows, problem, self._settings.outbox_tries, utc_now())
        ends.done += written
        return ends

    def _call(self, client: Helpdesk, rows: Sequence[Row], changes: Sequence[TicketChange]) -> Ends:
        """The call itself. Rows that went into a job have no end yet: the job is followed."""
        tries = self._settings.outbox_tries
        if len(rows) == 1 and rows[0].alone:
            return sort_results(rows, [client.update_ticket(changes[0], _key(rows))], tries)
        receipt = client.update_tickets(changes, _key(rows))
        if receipt.job_id:
            with self._database.begin() as cx:
                store.accepted(cx, rows, receipt.job_id, self._settings.outbox_poll_s)
            return Ends()
        return sort_results(rows, receipt.results, tries)

    def _end(self, ends: Ends) -> None:
        with self._database.begin() as cx:
            counts = write_down(cx, ends)
        for state, count in counts.items():
            if count:
                metrics.EFFECTS.labels(state).inc(count)

    def _look_at_jobs(self) -> int:
        """Ask after every job that is due, all of a connection in one call; answers how many writes ended."""
        with self._database.begin() as cx:
            rows = store.claim_jobs(cx, limit=JOBS_OUT * BATCH * 2, lease_s=self._settings.outbox_lease_s)
        return sum(_wait_for([self._pool.submit(self._look, cid, mine) for cid, mine in _by_connection(rows)]))

    def _look(self, connection_id: str, rows: Sequence[Row]) -> int:
        with bind(job="outbox", connection_id=connection_id):
            by_job: dict[str, list[Row]] = defaultdict(list)
            for row in rows:
                by_job[row.job_id].append(row)
            try:
                states = self._client(connection_id).jobs(sorted(by_job))
            except AppError as error:
                log.warning("job_look_failed", code=error.code, jobs=len(by_job))
                with self._database.begin() as cx:
                    store.look_later(cx, rows, getattr(error, "retry_after_s", LOOK_AGAIN_S))
                return 0
            return sum(self._follow(states.get(j, JobState(j, finished=True)), mine) for j, mine in by_job.items())

    def _follow(self, state: JobState, rows: Sequence[Row]) -> int:
        if state.finished:
            self._end(sort_results(rows, state.results, self._settings.outbox_tries))
            return len(rows)
        with self._database.begin() as cx:
            store.look_later(cx, rows, self._settings.outbox_poll_s * 2)
        return 0


def _wait_for(calls: Sequence[Future[T]]) -> list[T]:
    """Wait for all; one that raised (the database went away) is logged, its rows' lease lapses, the others count."""
    ended = []
    for call in calls:
        try:
            ended.append(call.result())
        except Exception as problem:
            log.exception("outbox_call_broken", cause=type(problem).__name__)
    return ended


def _change(client: Helpdesk, row: Row) -> TicketChange:
    """The change to send; a note that may have been written before is looked for first."""
    change = row.wanted.change(row.ticket_id)
    if row.unsure and change.note and client.has_note(row.ticket_id, change.note.key):
        return replace(change, note=None)
    return change


def _by_connection(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.connection_id].append(row)
    return sorted(grouped.items())


def _batches(rows: Sequence[Row]) -> list[tuple[Row, ...]]:
    """The fewest calls: up to 100 tickets of a connection together, rows that must stand alone by themselves."""
    together = [row for row in rows if not row.alone]
    batches = [tuple(together[i : i + BATCH]) for i in range(0, len(together), BATCH)]
    return [(row,) for row in rows if row.alone] + batches


def _key(rows: Sequence[Row]) -> str:
    """The same for a repeat of the same write: made of the rows and what they want, never of chance."""
    text = json.dumps([[row.id, row.wanted.to_json()] for row in rows], sort_keys=True)
    return f"db-{hashlib.sha256(text.encode()).hexdigest()[:40]}"
