"""What the queue itself costs: our batched drain of events that mean nothing / one RQ job an event that does nothing."""

from __future__ import annotations

import time

import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from app.db import Database, migrations
from app.inbox.store import add_internal
from app.servers import Urls, temporary
from bench.idle_worker import worker
from bench.report import line

EVENTS, JOBS, LANES, ROUNDS = 4000, 400, 400, 5
GOAL = 1 / 20


_done = [0]


def nothing() -> None:
    """The job."""
    _done[0] += 1


def by_rq(urls: Urls) -> float:
    """Microseconds a job: taken, run and finished by one SimpleWorker; putting it in is not counted."""
    client = redis.Redis.from_url(urls.redis_url)
    queue = Queue("bench", connection=client, serializer=JSONSerializer)
    for _ in range(JOBS):
        queue.enqueue_call("bench.queue_cost.nothing", result_ttl=0)
    rq = SimpleWorker([queue], connection=client, serializer=JSONSerializer, log_job_description=False)
    before, began = _done[0], time.perf_counter()
    rq.work(burst=True, logging_level="ERROR")
    spent = time.perf_counter() - began
    if _done[0] - before != JOBS:
        raise SystemExit(f"RQ did {_done[0] - before} of {JOBS} jobs")
    client.close()
    return spent / JOBS * 1e6


def batched(database: Database, number: int) -> float:
    """Microseconds an event: claimed, parsed, settled, its lane given back, by one worker."""
    kind = "zen:event-type:user.unheard_of"
    rows = [
        ("desk", f"{number}-{n}", kind, f"lane:{n % LANES}", b'{"type":"%s"}' % kind.encode()) for n in range(EVENTS)
    ]
    with database.begin() as cx:
        for i in range(0, EVENTS, 1000):
            add_internal(cx, rows[i : i + 1000])
    with worker(database) as inbox:
        began = time.perf_counter()
        settled = inbox.drain(lambda: True)
        spent = time.perf_counter() - began
    if settled != EVENTS:
        raise SystemExit(f"{settled} of {EVENTS} events were settled")
    return spent / EVENTS * 1e6


def measured(rounds: int) -> tuple[list[float], list[float]]:
    """(ours, RQ's) in microseconds an event, taken in turn after a warm-up of both."""
    ours, theirs = [], []
    with temporary() as urls:
        migrations.upgrade(urls.migration_url)
        database = Database(urls.database_url)
        for number in range(rounds + 1):
            value, base = batched(database, number), by_rq(urls)
            if number:
                ours.append(value)
                theirs.append(base)
        database.close()
    return ours, theirs


def run() -> None:
    """Print the ratio."""
    load = {"events": EVENTS, "lanes": LANES, "jobs": JOBS, "worker": "one SimpleWorker, Valkey on a socket"}
    line("process: queue cost, batched drain / one RQ job an event", "us", *measured(ROUNDS), load=load,
         goal=("<=", GOAL))  # fmt: skip
