"""A worker's loops: wake-ups without Redis, periodic work that is slow or fails, many workers at once."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa

from app.config import load
from app.inbox import billing_sync
from app.inbox.models import delivery_key
from app.inbox.store import add_internal
from app.jobs import periodic
from app.jobs.models import periodic as table
from app.jobs.models import worker
from app.jobs.periodic import Task, claim_due, register, run_due
from app.jobs.work import Work
from app.runtime import Runtime
from integrations import registry
from integrations.kernel.errors import VendorUnavailable


@pytest.fixture
def work(database, redis_url):
    runtime = Runtime(load({"DATABASE_URL": database.url, "REDIS_URL": redis_url, "DISPATCH_S": "0.1"}))
    found = Work(runtime, "test")
    yield found
    found.stop.set()
    runtime.pool.shutdown()
    runtime.redis.close()
    runtime.database.close()


def run(loop):
    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


def wait(until_true):
    until = time.monotonic() + 20
    while not until_true():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def beats(database):
    with database.begin() as cx:
        return cx.execute(sa.select(worker.c.seen_at)).scalar()


def test_a_slow_vendor_in_periodic_work_stops_neither_heart_nor_wake_ups(work, database):
    begun, go_on = threading.Event(), threading.Event()
    work._tasks = {"slow": Task("slow", 60, lambda: (begun.set(), go_on.wait(30)))}
    threads = [run(work.dispatch), run(work.run_periodic)]
    assert begun.wait(10)
    first = beats(database)
    wait(lambda: beats(database) not in (None, first))
    go_on.set()
    work.stop.set()
    for thread in threads:
        thread.join(10)


def test_a_task_that_fails_keeps_no_other_from_running_and_says_so_beside_its_row(database):
    ran = []

    def fail():
        raise VendorUnavailable("away")

    tasks = {"a": Task("a", 60, fail), "b": Task("b", 60, lambda: ran.append("b"))}
    with database.begin() as cx:
        register(cx, tasks)
    assert run_due(database, tasks) == 2
    assert ran == ["b"]
    with database.begin() as cx:
        assert dict(cx.execute(sa.select(table.c.key, table.c.last_error)).all()) == {
            "a": "VendorUnavailable",
            "b": None,
        }
    assert run_due(database, tasks) == 0, "not due again before its time"


def test_many_workers_claim_a_task_once(database):
    tasks = {name: Task(name, 60, lambda: None) for name in "abcdefgh"}
    with database.begin() as cx:
        register(cx, tasks)
    claimed = []

    def worker_loop():
        with database.begin() as cx:
            claimed.extend(claim_due(cx, tasks))

    threads = [threading.Thread(target=worker_loop) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(tasks)


def test_workers_not_seen_for_a_minute_do_not_count(database):
    with database.begin() as cx:
        periodic.heartbeat(cx, "here")
        periodic.heartbeat(cx, "gone")
        cx.execute(
            sa.update(worker).where(worker.c.id == "gone").values(seen_at=sa.text("now() - interval '2 minutes'"))
        )
        assert periodic.workers_seen(cx) == 1


def test_a_billing_connection_that_is_away_keeps_no_other_from_its_rereads(database, monkeypatch):
    read = []

    class Bank:
        def fetch(self, kind, object_id):
            read.append(object_id)

    def client_of(connection_id):
        if connection_id == "another":
            raise VendorUnavailable("away")
        return Bank()

    with database.begin() as cx:
        billing_sync.store.want_reread(cx, "another", [("charge", "ch_1")])
        billing_sync.store.want_reread(cx, "bank", [("charge", "ch_2"), ("charge", "ch_3")])
    with pytest.raises(VendorUnavailable):
        billing_sync.reread(database, client_of, load({}))
    assert read == ["ch_2", "ch_3"]
    with database.begin() as cx:
        assert ("another", "charge", "ch_1") in billing_sync.store.take_rereads(cx, 10), "its wish stands"


@pytest.mark.parametrize("redis_state", ["away", "flushed", "frozen"])
def test_events_are_worked_off_whatever_redis_does(database, redis_state, valkey):
    runtime = Runtime(
        load({"DATABASE_URL": database.url, "REDIS_URL": valkey.url, "DISPATCH_S": "0.1", "INBOX_GATHER_S": "0"})
    )
    card, secrets = registry.by_slug("stripe"), {"api_key": ["rk_test_work"], "webhook_secret": ["s"]}
    runtime.connections.add(card, "Bank", {}, secrets, connection_id="bank")
    body = b'{"id": "evt_1", "type": "something.new", "data": {"object": {}}}'
    with database.begin() as cx:
        add_internal(cx, [("bank", "evt_1", "something.new", "alone:evt_1", body)])
    work = Work(runtime, "test")
    if redis_state == "away":
        valkey.stop()
    elif redis_state == "frozen":
        valkey.freeze()
    thread = run(work.dispatch)
    if redis_state == "flushed":
        wait(lambda: runtime.redis.llen("rq:queue:inbox"))
        runtime.redis.flushall()
        wait(lambda: runtime.redis.llen("rq:queue:inbox"))  # told again: RQ's worker would take it from here
        work.drain_inbox()
    wait(lambda: state(database, "evt_1") == "ignored")
    work.stop.set()
    valkey.thaw()
    thread.join(15)
    runtime.pool.shutdown()
    runtime.redis.close()
    runtime.database.close()


def state(database, key):
    with database.begin() as cx:
        return cx.execute(sa.select(delivery_key.c.state).where(delivery_key.c.event_key == key)).scalar()
