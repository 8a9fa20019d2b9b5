"""Budgets shared by all workers: one Redis script, Redis' own clock, several windows taken together or not at all.

Machines may use 80 % of a limit, counting everybody's calls, so that a fifth is always there for people. A bucket can be
closed until a moment (Retry-After), and can be told that others use the same limit (the vendor's own headers). With
Redis away each process keeps to its share of the limit by itself.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from integrations.transport.own_budget import OwnBudget

MACHINE_SHARE = 0.8
AWAY_S = 2.0  # how long Redis is left alone after it did not answer
PATIENCE_S = 0.5  # for Redis: a budget must never cost more than the call


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any `window_s` seconds, for one bucket (account, endpoint class, object).

    calls 0: no limit is known, but the vendor may close it. each: one bucket for every object called. ours: a limit we
    set ourselves, of our own calls alone; machines may use all of it.
    """

    bucket: str
    calls: int
    window_s: float
    each: bool = False
    ours: bool = False

    def allowed(self, share: float) -> int:
        """Calls for somebody who may use this share."""
        return self.calls if self.ours else max(1, int(self.calls * share))


# KEYS: a bucket's sorted set of calls; beside it "<key>:closed" (until, ms) and "<key>:others" (calls of others).
# ARGV: id, then allowed calls and window (ms) of each bucket. Allowed 0 is no limit; without an id nothing is taken.
# Answers 0 when a place was taken in every bucket, else the milliseconds to wait, and then nothing was taken.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local wait = 0
for i, key in ipairs(KEYS) do
  local allowed, window = tonumber(ARGV[i * 2]), tonumber(ARGV[i * 2 + 1])
  local closed = tonumber(redis.call('GET', key .. ':closed') or '0')
  if closed > now then wait = math.max(wait, closed - now) end
  if allowed > 0 then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
    local ours = redis.call('ZCARD', key)
    local others = tonumber(redis.call('GET', key .. ':others') or '0')
    local over = ours + others - allowed
    if over >= 0 then
      local until_ours, until_others = 0, 0
      if over < ours then
        until_ours = tonumber(redis.call('ZRANGE', key, over, over, 'WITHSCORES')[2]) + window - now
      end
      if others > 0 then until_others = redis.call('PTTL', key .. ':others') + 1 end
      if over >= ours then until_ours = until_others
      elseif until_others > 0 then until_ours = math.min(until_ours, until_others) end
      wait = math.max(wait, until_ours, 1)
    end
  end
end
if wait > 0 or ARGV[1] == '' then return wait end
for i, key in ipairs(KEYS) do
  if tonumber(ARGV[i * 2]) > 0 then
    redis.call('ZADD', key, now, ARGV[1])
    redis.call('PEXPIRE', key, tonumber(ARGV[i * 2 + 1]))
  end
end
return 0
"""

# KEYS: a bucket. ARGV: milliseconds. A shorter closing never shortens a longer one.
_CLOSE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local closed = tonumber(redis.call('GET', KEYS[1] .. ':closed') or '0')
if now + ARGV[1] > closed then redis.call('SET', KEYS[1] .. ':closed', now + ARGV[1], 'PX', ARGV[1]) end
return 0
"""

# KEYS: a bucket. ARGV: calls the vendor has counted, milliseconds they stay counted.
_OTHERS = """
local others = tonumber(ARGV[1]) - redis.call('ZCARD', KEYS[1])
if others > 0 then redis.call('SET', KEYS[1] .. ':others', others, 'PX', ARGV[2])
else redis.call('DEL', KEYS[1] .. ':others') end
return 0
"""

# KEYS: a bucket. ARGV: its window (ms). Answers the calls counted in it, ours and others'.
_USED = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
return redis.call('ZCOUNT', KEYS[1], now - ARGV[1] + 1, '+inf') + tonumber(redis.call('GET', KEYS[1] .. ':others') or '0')
"""


class Budgets:
    """`workers`: how many processes share the limits when Redis cannot be asked."""

    def __init__(self, client: redis.Redis, workers: int = 1) -> None:
        client = _impatient(client)
        self._take = client.register_script(_TAKE)
        self._close = client.register_script(_CLOSE)
        self._others = client.register_script(_OTHERS)
        self._used = client.register_script(_USED)
        self._own = OwnBudget(max(1, workers))
        self._lock = threading.Lock()
        self._name, self._number = uuid.uuid4().hex[:12], 0
        self._away_until = 0.0

    def take(self, connection_id: str, limits: Sequence[Limit], *, people: bool = False) -> float:
        """Take a place in every limit; answers 0, or the seconds to wait (and nothing was taken)."""
        if not limits:
            return 0.0
        allowed = _allowed(connection_id, limits, 1.0 if people else MACHINE_SHARE)
        if not self._is_away():
            try:
                wait = self._take_shared(allowed)
                if not wait:
                    self._own.note(allowed)
                return wait
            except (redis.RedisError, OSError):
                self._gone_away()
        return self._own.take(allowed)

    def wait_s(self, connection_id: str, limits: Sequence[Limit]) -> float:
        """How long a machine would have to wait now; nothing is taken. 0 also while Redis is away."""
        if not limits or self._is_away():
            return 0.0
        try:
            return self._take_shared(_allowed(connection_id, limits, MACHINE_SHARE), take=False)
        except (redis.RedisError, OSError):
            self._gone_away()
            return 0.0

    def _take_shared(self, allowed: Mapping[str, tuple[int, float]], *, take: bool = True) -> float:
        with self._lock:
            self._number += 1
            arguments: list[str | int] = [f"{self._name}-{self._number}" if take else ""]
        for calls, window_s in allowed.values():
            arguments += [calls, int(window_s * 1000)]
        return float(self._take(keys=list(allowed), args=arguments)) / 1000

    def close(self, connection_id: str, limit: Limit, seconds: float) -> None:
        """The vendor said stop: nobody calls until then."""
        key = _key(connection_id, limit)
        self._own.close(key, seconds)
        self._tell(lambda: self._close(keys=[key], args=[max(1, int(seconds * 1000))]))

    def counted(self, connection_id: str, limit: Limit, calls: int, seconds: float) -> None:
        """The vendor has counted this many calls, others' among them; that stays so for some seconds."""
        key = _key(connection_id, limit)
        self._tell(lambda: self._others(keys=[key], args=[calls, max(1, int(seconds * 1000))]))

    def left(self, connection_id: str, limit: Limit) -> int | None:
        """Calls of a limit left for machines now; None when Redis is away."""
        key = _key(connection_id, limit)
        if self._is_away():
            return None
        try:
            used = int(self._used(keys=[key], args=[int(limit.window_s * 1000)]))
        except (redis.RedisError, OSError):
            self._gone_away()
            return None
        return max(0, limit.allowed(MACHINE_SHARE) - used)

    def _tell(self, say: Callable[[], object]) -> None:
        if self._is_away():
            return
        try:
            say()
        except (redis.RedisError, OSError):
            self._gone_away()

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def _gone_away(self) -> None:
        self._away_until = time.monotonic() + AWAY_S


def _impatient(client: redis.Redis) -> redis.Redis:
    """The same server on connections of our own, without the client's retries, which take seconds when it is away."""
    pool = client.connection_pool
    patience = {"retry": Retry(NoBackoff(), 0), "socket_timeout": PATIENCE_S, "socket_connect_timeout": PATIENCE_S}
    return redis.Redis(
        connection_pool=redis.ConnectionPool(pool.connection_class, **{**pool.connection_kwargs, **patience})
    )


def _allowed(connection_id: str, limits: Sequence[Limit], share: float) -> dict[str, tuple[int, float]]:
    return {_key(connection_id, one): (one.allowed(share) if one.calls else 0, one.window_s) for one in limits}


def _key(connection_id: str, limit: Limit) -> str:
    return f"deskbridge:budget:{connection_id}:{limit.bucket}"
