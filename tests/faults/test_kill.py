"""kill -9 of worker, web, Redis and PostgreSQL in the middle of a day: nothing acknowledged is lost, nothing done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time

import pytest

from app.servers import layout
from app.servers.postgres import Postgres
from app.servers.valkey import Valkey
from sandbox import demo


def children_of(pid):
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]


def kill_in_turn(day, done):
    """One of each, a few seconds apart; parents and supervisor start again what they lost."""
    at = layout.find(day.folder / "servers")
    web, worker = day.children[1].pid, day.children[2].pid
    for name, victims in (
        ("worker", lambda: children_of(worker)[:1]),
        ("redis", Valkey(at).pids),
        ("postgres", Postgres(at).pids),
        ("web", lambda: children_of(web)[:1]),
        ("worker again", lambda: children_of(worker)),
    ):
        time.sleep(2.0)
        for pid in victims():
            os.kill(pid, signal.SIGKILL)
            done.append(name)


@pytest.mark.usefixtures("demo_ports")
def test_a_day_with_everything_killed_once_loses_nothing_and_does_nothing_twice():
    options = demo.arguments(["--once", "--seconds", "14", "--tickets", "60", "--lose", "0"])
    done = []
    with demo.running(options) as day:
        day.environment |= {"INBOX_LEASE_S": "5", "OUTBOX_LEASE_S": "5", "CATCHUP_S": "5", "CATCHUP_GRACE_S": "2"}
        demo.set_up(day)
        killer = threading.Thread(target=kill_in_turn, args=(day, done))
        killer.start()
        demo.run_day(day)
        killer.join()
        figures = demo.summary(day, 0)
    assert {"worker", "redis", "postgres", "web", "worker again"} <= set(done)
    assert figures["lost"] == 0
    assert figures["duplicates_applied"] == 0
    assert figures["tickets"] == figures["enriched"] == 60
    assert figures["tagged"] > 0
