"""Budgets shared by all workers: one Redis script, Redis' own clock, several windows taken together or not at all.

Machines may use 80 % of a limit, people all of it. A 429 closes the bucket for everybody until its Retry-After. With
Redis away each process keeps to its share of the limit by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import redis

MACHINE_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any `window_s` seconds, for one bucket name (account, endpoint, ticket)."""

    bucket: str
    calls: int
    window_s: float


# KEYS: one sorted set a bucket, and beside it "<key>:closed". ARGV: share, id, then calls and window (ms) a bucket.
# Answers 0 when a place was taken in every bucket, else the milliseconds to wait.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local wait = 0
for i, key in ipairs(KEYS) do
  local calls = math.max(1, math.floor(tonumber(ARGV[1 + i * 2]) * tonumber(ARGV[1])))
  local window = tonumber(ARGV[2 + i * 2])
  local closed = tonumber(redis.call('GET', key .. ':closed') or '0')
  if closed > now then wait = math.max(wait, closed - now) end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
  if redis.call('ZCARD', key) >= calls then
    local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    wait = math.max(wait, tonumber(oldest[2]) + window - now, 1)
  end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, now, ARGV[2])
  redis.call('PEXPIRE', key, tonumber(ARGV[2 + i * 2]))
end
return 0
"""

_CLOSE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('SET', KEYS[1] .. ':closed', now + ARGV[1], 'PX', ARGV[1])
return 0
"""


class Budgets:
    """`workers`: how many processes share the limits when Redis cannot be asked."""

    def __init__(self, client: redis.Redis, workers: int = 1) -> None:
        self._client = client
        self._take_script = client.register_script(_TAKE)
        self._close_script = client.register_script(_CLOSE)
        self._workers = max(1, workers)
        self._own: dict[str, list[float]] = {}
        self._lock = threading.Lock()
        self._number = 0

    def take(self, connection_id: str, limits: Sequence[Limit], *, people: bool = False) -> float:
        """Take a place in every limit; answers 0, or the seconds to wait (and nothing was taken)."""
        if not limits:
            return 0.0
        share = 1.0 if people else MACHINE_SHARE
        with self._lock:
            self._number += 1
            call_id = f"{id(self)}-{self._number}-{time.monotonic_ns()}"
        arguments: list[str | float] = [share, call_id]
        for limit in limits:
            arguments += [limit.calls, int(limit.window_s * 1000)]
        try:
            waited = self._take_script(keys=[_key(connection_id, one.bucket) for one in limits], args=arguments)
            return float(waited) / 1000
        except (redis.RedisError, OSError):
            return self._take_alone(connection_id, limits, share)

    def close(self, connection_id: str, bucket: str, seconds: float) -> None:
        """The vendor said stop: nobody calls until then."""
        try:
            self._close_script(keys=[_key(connection_id, bucket)], args=[max(1, int(seconds * 1000))])
        except (redis.RedisError, OSError):
            with self._lock:
                self._own[f"{_key(connection_id, bucket)}:closed"] = [time.monotonic() + seconds]

    def left(self, connection_id: str, limit: Limit) -> int | None:
        """How many calls of a limit are left for machines now; None when Redis is away."""
        try:
            used = self._client.zcard(_key(connection_id, limit.bucket))
        except (redis.RedisError, OSError):
            return None
        return max(0, int(limit.calls * MACHINE_SHARE) - int(used))

    def _take_alone(self, connection_id: str, limits: Sequence[Limit], share: float) -> float:
        """Without Redis: this process's part of each limit, by its own clock."""
        now, wait = time.monotonic(), 0.0
        with self._lock:
            for limit in limits:
                key = _key(connection_id, limit.bucket)
                wait = max(wait, *(until - now for until in self._own.get(f"{key}:closed", [0.0])), 0.0)
                used = [at for at in self._own.get(key, []) if at > now - limit.window_s]
                self._own[key] = used
                if len(used) >= max(1, int(limit.calls * share / self._workers)):
                    wait = max(wait, used[0] + limit.window_s - now)
            if wait <= 0:
                for limit in limits:
                    self._own[_key(connection_id, limit.bucket)].append(now)
        return max(wait, 0.0)


def _key(connection_id: str, bucket: str) -> str:
    return f"deskbridge:budget:{connection_id}:{bucket}"
