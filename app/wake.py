"""Wake-ups through RQ: one constant job a queue, JSON only. What Redis forgets, the dispatcher finds in the database.

A wake-up is sent at most once a second and queue, by a key that expires by itself. RQ's own `unique` ids are not used:
a job whose worker was killed stays "started" for minutes and would refuse every wake-up until then.
"""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from app.telemetry.logs import get_logger

INBOX = "inbox"
OUTBOX = "outbox"
REFUNDS = "refunds"
QUEUES = (REFUNDS, INBOX, OUTBOX)  # money first
QUIET_MS = 900  # between two wake-ups of a queue
JOB_TIMEOUT_S = 120  # RQ's death penalty does not bound threads: slices bound themselves, this is the last resort

log = get_logger(__name__)


def connect(url: str) -> redis.Redis:
    """A client that fails fast: the door's thread and the dispatcher must not hang on Redis."""
    return redis.Redis.from_url(
        url, socket_timeout=2.0, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0), health_check_interval=15
    )


class Waker:
    """Sends wake-ups. Never raises: Redis away costs delay, and the dispatcher then works by itself."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._queues = {name: Queue(name, connection=client, serializer=JSONSerializer) for name in QUEUES}

    def wake(self, queue: str) -> bool:
        """Say that there is work. False when Redis could not be told; a wake-up sent a moment ago is enough."""
        try:
            if self._client.set(f"deskbridge:woken:{queue}", b"1", px=QUIET_MS, nx=True):
                self._queues[queue].enqueue_call(
                    f"app.jobs.work.{queue}", timeout=JOB_TIMEOUT_S, result_ttl=0, failure_ttl=60, ttl=60
                )
        except (redis.RedisError, OSError) as error:
            log.warning("wake_failed", queue=queue, cause=type(error).__name__)
            return False
        return True
