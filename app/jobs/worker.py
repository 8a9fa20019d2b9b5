"""One worker process: an RQ SimpleWorker for wake-ups, the dispatcher and periodic work in threads beside it."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from types import FrameType

import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from app import wake
from app.jobs import work
from app.jobs.work import Work
from app.runtime import Runtime
from app.telemetry.logs import get_logger
from integrations.kernel.ids import new_id

REDIS_AWAY_S = 2.0
GRACE_S = 25.0  # for what is under way when we are told to stop

log = get_logger(__name__)


class Worker(SimpleWorker):
    """RQ's worker, told to stop claiming when a signal comes: the slice in hand ends within seconds."""

    max_connection_wait_time = 5.0  # RQ's default of 60 s would be the longest delay of the whole product
    deskbridge_stop: threading.Event

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.deskbridge_stop.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def run(runtime: Runtime, queues: tuple[str, ...] = wake.QUEUES) -> None:
    """Work until SIGTERM or SIGINT. `queues`: in order of preference; give two workers different ones first."""
    worker_id = f"{socket.gethostname()}-{os.getpid()}-{new_id('wrk')[-6:]}"
    job = Work(runtime, worker_id)
    work.install(job)
    loops = {"dispatcher": job.dispatch, "periodic": job.run_periodic}
    threads = [threading.Thread(target=loop, name=name, daemon=True) for name, loop in loops.items()]
    for thread in threads:
        thread.start()
    log.info("worker_started", worker=worker_id, queues=list(queues))
    signal.signal(signal.SIGTERM, lambda *_: job.stop.set())
    while not job.stop.is_set():
        try:
            _serve(runtime, job, worker_id, queues)
        except (redis.RedisError, OSError) as problem:
            log.warning("redis_away", cause=type(problem).__name__)
        job.stop.wait(REDIS_AWAY_S)
    until = time.monotonic() + GRACE_S
    for thread in threads:
        thread.join(timeout=max(0.1, until - time.monotonic()))
    log.info("worker_stopped", worker=worker_id)


def _serve(runtime: Runtime, job: Work, worker_id: str, queues: tuple[str, ...]) -> None:
    client = redis.Redis.from_url(runtime.urls.redis)
    listen = [Queue(name, connection=client, serializer=JSONSerializer) for name in queues]
    name = f"{worker_id}-{time.monotonic_ns()}"
    worker = Worker(listen, name=name, connection=client, serializer=JSONSerializer, log_job_description=False)
    worker.deskbridge_stop = job.stop
    worker.work(with_scheduler=False, logging_level="WARNING", max_idle_time=None)
