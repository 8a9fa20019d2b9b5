"""Send what is due. Threads that call vendors hold no database connection; every end has its own transaction."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import sqlalchemy as sa

from app.config import Settings
from app.db import Database
from app.outbox import store
from app.outbox.service import Again, give_back
from app.outbox.store import Row
from app.relay.ends import Ends, sort_error, sort_results, write_down
from app.telemetry import metrics
from app.telemetry.logs import bind, get_logger
from app.tickets import store as tickets
from integrations.kernel.errors import VendorError
from integrations.kernel.ports import Helpdesk, JobState
from integrations.kernel.records import TicketChange

BATCH = 100  # tickets in one write; Zendesk's limit
JOBS_OUT = 20  # write jobs running at once; Zendesk takes 30 an account, people need some

log = get_logger(__name__)
Clients = Callable[[str], Helpdesk]


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
            return store.jobs_out(cx) > 0

    def _take_over_lapsed(self) -> None:
        """A worker died while it was sending: what it sent may have landed, so look first and drop nothing."""
        with self._database.begin() as cx:
            rows = store.lapsed(cx, 500)
            give_back(cx, [Again(row, 0.0, "the worker that was sending it went away", unsure=True) for row in rows])

    def _send_due(self) -> int:
        with self._database.begin() as cx:
            room = max(0, JOBS_OUT - store.jobs_out(cx))
            rows = store.claim(cx, limit=room * BATCH, lease_s=self._settings.outbox_lease_s) if room else []
            rows, so = self._without_what_is_so(cx, rows)
            if so:
                write_down(cx, Ends(already=so), self._settings.outbox_gather_s)
        calls = [self._pool.submit(self._send, connection_id, batch) for connection_id, batch in _batches(rows)]
        for call in calls:
            call.result()
        return len(rows) + len(so)

    def _without_what_is_so(self, cx: sa.Connection, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        """Leave out what the mirror shows already; a row that may have landed is never left out."""
        needed: list[Row] = []
        so: list[Row] = []
        for connection_id, mine in _by_connection(rows):
            mirror = tickets.read(cx, connection_id, [row.ticket_id for row in mine])
            for row in mine:
                ticket = mirror.get(row.ticket_id)
                is_so = not row.unsure and ticket is not None and row.wanted.beyond(ticket.values).is_empty
                (so if is_so else needed).append(row)
        return needed, so

    def _send(self, connection_id: str, rows: Sequence[Row]) -> None:
        """One call for many tickets (or one alone), then its end in one transaction."""
        with bind(job="outbox", connection_id=connection_id):
            tries = self._settings.outbox_tries
            try:
                client = self._client(connection_id)
                changes = {row.ticket_id: _change(client, row) for row in rows}
                written = [row for row in rows if changes[row.ticket_id].is_empty]  # its note was there already
                rows = [row for row in rows if not changes[row.ticket_id].is_empty]
                ends = self._call(client, rows, [changes[row.ticket_id] for row in rows]) if rows else Ends()
                ends.done += written
            except VendorError as error:
                log.warning("write_failed", code=error.code, tickets=len(rows), detail=str(error)[:200])
                ends = sort_error(rows, error, tries)
            self._end(connection_id, ends)

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

    def _end(self, connection_id: str, ends: Ends) -> None:
        with self._database.begin() as cx:
            counts = write_down(cx, ends, self._settings.outbox_gather_s)
        for state, count in counts.items():
            if count:
                metrics.EFFECTS.labels(state).inc(count)

    def _look_at_jobs(self) -> int:
        """Ask after every job that is due, all of a connection in one call."""
        with self._database.begin() as cx:
            rows = store.claim_jobs(cx, limit=JOBS_OUT * BATCH * 2, lease_s=self._settings.outbox_lease_s)
        calls = [self._pool.submit(self._look, cid, mine) for cid, mine in _by_connection(rows)]
        return sum(call.result() for call in calls)

    def _look(self, connection_id: str, rows: Sequence[Row]) -> int:
        by_job: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_job[row.job_id].append(row)
        try:
            states = self._client(connection_id).jobs(sorted(by_job))
        except VendorError as error:
            log.warning("job_look_failed", code=error.code, jobs=len(by_job))
            with self._database.begin() as cx:
                store.look_later(cx, rows, getattr(error, "retry_after_s", 2.0))
            return 0
        ended = 0
        for job_id, mine in by_job.items():
            state = states.get(job_id, JobState(job_id, finished=True))
            if not state.finished:
                with self._database.begin() as cx:
                    store.look_later(cx, mine, self._settings.outbox_poll_s * 2)
                continue
            self._end(connection_id, sort_results(mine, state.results, self._settings.outbox_tries))
            ended += len(mine)
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


def _batches(rows: Iterable[Row]) -> list[tuple[str, tuple[Row, ...]]]:
    """The fewest calls: up to 100 tickets of a connection together, rows that must stand alone by themselves."""
    calls: list[tuple[str, tuple[Row, ...]]] = []
    for connection_id, mine in _by_connection(rows):
        calls += [(connection_id, (row,)) for row in mine if row.alone]
        together = [row for row in mine if not row.alone]
        calls += [(connection_id, tuple(together[i : i + BATCH])) for i in range(0, len(together), BATCH)]
    return calls


def _key(rows: Sequence[Row]) -> str:
    """The same for a repeat of the same write: made of the rows and what they want, never of chance."""
    text = json.dumps([[row.id, row.wanted.to_json()] for row in rows], sort_keys=True)
    return f"db-{hashlib.sha256(text.encode()).hexdigest()[:40]}"
