"""Inbox row to written ticket against a simulated Zendesk that takes 60 ms for every call, one worker, 16 threads.

Ideal: 16 threads that do nothing but wait for calls, so total call time / 16; no CPU is ever needed. Two figures:
events as they come, where the ideal is a worker whose every event makes a read and a write of its own (2 x 60 ms / 16
threads an event; ours share their calls), and the worst case, in which nothing can be shared: notes that may have landed
before their worker died, each looked for and then written by itself, where the calls that were made are counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from app.config import load
from app.db import Database, migrations
from app.inbox.store import add_internal
from app.jobs.work import Work
from app.runtime import Runtime
from app.servers import temporary
from app.triggers import service
from bench.report import line
from bench.web import ROOT
from integrations import registry
from integrations.kernel.clock import iso, utc_now

CALL_S, THREADS, EVENTS, ALONE, ROUNDS, PORTS = 0.060, 16, 400, 160, 5, 21_800
RULES = """
rules:
- {id: seen, title: Seen, order: 1, when: [ticket.*], all: [{fact: ticket.subject, contains: Burst}],
   actions: [{%s}]}
"""
TAG, NOTE = "add_tags: {tags: [db_seen]}", "add_note: {body: Seen by the benchmark}"
_STATES = "SELECT state, count(*) AS n FROM outbox GROUP BY state"


class Desk:
    """The simulated Zendesk, looked at from behind."""

    def __init__(self, first: int) -> None:
        self.url = f"http://127.0.0.1:{first + 10}"
        self._behind = f"http://127.0.0.1:{first}/sandbox"
        self._http = requests.Session()
        self._http.trust_env = False

    def burst(self, tickets: int) -> list[str]:
        """Make tickets; answers their ids."""
        before = {str(t["id"]) for t in self.tickets()}
        self._http.post(f"{self._behind}/control/burst", json={"tickets": tickets}, timeout=120).raise_for_status()
        return [str(t["id"]) for t in self.tickets() if str(t["id"]) not in before]

    def tickets(self) -> list[dict[str, Any]]:
        """All tickets as they are there."""
        found: list[dict[str, Any]] = self._http.get(f"{self._behind}/state/zendesk", timeout=60).json()["tickets"]
        return found

    def has_note(self, ticket: str) -> bool:
        """Is our note on it, once?"""
        found = self._http.get(f"{self._behind}/state/zendesk/{ticket}", timeout=60).json()["comments"]
        return sum("Seen by the benchmark" in str(comment) for comment in found) == 1

    def calls(self) -> int:
        """Calls answered so far."""
        return int(self._http.get(f"{self._behind}/ledger/zendesk", timeout=60).json()["calls"])


@contextmanager
def desk(first: int = PORTS) -> Iterator[Desk]:
    """The sandbox as a process of its own, 60 ms a call, without limits."""
    with tempfile.TemporaryDirectory(prefix="deskbridge-bench-") as folder:
        ready = Path(folder) / "ready"
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--ports-from", str(first), "--limits", "off",
             "--latency-ms", str(CALL_S * 1000), "--ready-file", str(ready)],
            cwd=ROOT, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise SystemExit("the sandbox did not start")
                time.sleep(0.05)
            yield Desk(first)
        finally:
            process.kill()
            process.wait()


@contextmanager
def worker(zendesk: Desk) -> Iterator[Work]:
    """The work of one worker process, connected to the desk, its rule live."""
    with temporary() as urls:
        migrations.upgrade(urls.migration_url)
        settings = {
            "MODE": "sandbox", "LOG_LEVEL": "error", "DATABASE_URL": urls.database_url, "REDIS_URL": urls.redis_url,
            "INBOX_GATHER_S": "0", "OUTBOX_GATHER_S": "0", "OUTBOX_POLL_S": "0.1", "WORKER_THREADS": str(THREADS),
            "SLICE_S": "60",
        }  # fmt: skip
        runtime = Runtime(load(settings))
        card = registry.by_slug("zendesk")
        assert card is not None
        secrets = {"client_secret": ["sandbox-client-secret-not-safe"], "webhook_secret": ["x"]}
        config = {"subdomain": "acme", "client_id": "deskbridge", "limits": "off"}
        runtime.connections.add(card, "Desk", config, secrets, connection_id="desk", base_url=zendesk.url)
        yield Work(runtime, "bench")
        runtime.pool.shutdown()
        runtime.redis.close()
        runtime.database.close()


def come_in(database: Database, tickets: list[str]) -> None:
    """One event for each ticket, of which the mirror knows nothing yet."""
    rows = []
    for ticket in tickets:
        body = {
            "type": "zen:event-type:ticket.created", "id": f"new-{ticket}", "subject": f"zen:ticket:{ticket}",
            "time": iso(utc_now()), "detail": {"id": ticket, "updated_at": iso(utc_now())}, "event": {},
        }  # fmt: skip
        rows.append(("desk", f"new-{ticket}", str(body["type"]), f"ticket:{ticket}", json.dumps(body).encode()))
    with database.begin() as cx:
        add_internal(cx, rows)


def use(work: Work, action: str) -> None:
    """Make this the one action of the one rule."""
    with work.runtime.database.begin() as cx:
        service.import_yaml(cx, RULES % action, "bench")


def must_be_written(work: Work, tickets: list[str], written: set[str]) -> None:
    """Each of these tickets was written at the desk and nothing is left over, or the benchmark ends."""
    with work.runtime.database.begin() as cx:
        states = {row.state: row.n for row in cx.execute(sa.text(_STATES))}
    if set(tickets) - written or set(states) != {"done"}:
        raise SystemExit(f"{len(set(tickets) - written)} of {len(tickets)} were not written; outbox: {states}")


def as_they_come(work: Work, zendesk: Desk) -> float:
    """Events a second, from inbox rows to tags at the desk."""
    tickets = zendesk.burst(EVENTS)
    come_in(work.runtime.database, tickets)
    began = time.monotonic()
    work.drain_inbox()
    work.drain_outbox()
    spent = time.monotonic() - began
    must_be_written(work, tickets, {str(t["id"]) for t in zendesk.tickets() if "db_seen" in t["tags"]})
    return EVENTS / spent


def alone(work: Work, zendesk: Desk) -> tuple[float, float]:
    """(calls a second, those of the ideal) for notes whose worker died while it was sending them."""
    tickets = zendesk.burst(ALONE)
    come_in(work.runtime.database, tickets)
    work.drain_inbox()
    with work.runtime.database.begin() as cx:
        cx.execute(sa.text("UPDATE outbox SET alone = true, unsure = true WHERE state = 'pending'"))
    before, began = zendesk.calls(), time.monotonic()
    work.drain_outbox()
    spent = time.monotonic() - began
    made = zendesk.calls() - before
    must_be_written(work, tickets, {ticket for ticket in tickets if zendesk.has_note(ticket)})
    if made != 2 * ALONE:
        raise SystemExit(f"{made} calls for {ALONE} notes that are looked for and written alone")
    return made / spent, THREADS / CALL_S


def run() -> None:
    """Print both ratios."""
    with desk() as zendesk, worker(zendesk) as work:
        use(work, TAG)
        as_they_come(work, zendesk)  # a token is fetched, pools are opened
        came = [as_they_come(work, zendesk) for _ in range(ROUNDS)]
        use(work, NOTE)
        went = [alone(work, zendesk) for _ in range(ROUNDS)]
    load = {"events_a_round": EVENTS, "threads": THREADS, "call_s": CALL_S, "gathering_s": 0}
    ideal = [THREADS / (2 * CALL_S)] * ROUNDS
    line("process: end to end / 16 threads that only call, two calls an event", "1/s", came, ideal, load=load,
         goal=(">=", 0.85))  # fmt: skip
    values, base = [v for v, _ in went], [b for _, b in went]
    # No goal: no installation works so. It tells what our own work costs where no call is shared.
    line("process: nothing shared, two calls an event / 16 threads that only call", "1/s", values, base,
         load={**load, "events_a_round": ALONE})  # fmt: skip
