"""A breaker for each connection, in each process: stops calling what does not answer, and tries it carefully again.

Per process on purpose: it needs no Redis, which may be what is broken, and every process learns within a few calls; the
price is one probe a process.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 60.0
LEAST_CALLS = 20
SHARE = 0.5
STRAIGHT_TIMEOUTS = 5
FIRST_PAUSE_S = 15.0
LONGEST_PAUSE_S = 300.0
PROBE_S = 60.0  # a probe that was never heard of again is given up


class Breaker:
    """Opens at half of 20 or more calls failing in a minute, or five without an answer in a row; half-open lets one
    probe out. A call is asked for and told of in the same thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: deque[tuple[float, bool]] = deque()
        self._failed = 0
        self._straight = 0
        self._open_until: float | None = None
        self._pause_s = FIRST_PAUSE_S
        self._probe: tuple[int, float] | None = None  # (thread, since)

    def closed_for_s(self) -> float:
        """0 when a call may go out (as the probe, after a pause); else the seconds until one may."""
        with self._lock:
            now = self._clock()
            if self._open_until is None:
                return 0.0
            if now < self._open_until:
                return self._open_until - now
            if self._probe is not None and now < self._probe[1] + PROBE_S:
                return 1.0
            self._probe = (threading.get_ident(), now)
            return 0.0

    def not_called(self) -> None:
        """The call that was let out did not go: if it was the probe, the next one may be."""
        with self._lock:
            if self._is_probe():
                self._probe = None

    def tell(self, *, ok: bool, timeout: bool = False) -> None:
        """How a call ended. A refusal by the vendor (4xx, 429) is an answer: it is `ok` here."""
        with self._lock:
            now = self._clock()
            if self._open_until is not None:
                if self._is_probe():  # calls that were under way when it opened tell nothing new
                    self._after_probe(ok, now)
                return
            self._count(ok, now)
            self._straight = self._straight + 1 if timeout else 0
            often = len(self._calls) >= LEAST_CALLS and self._failed >= SHARE * len(self._calls)
            if often or self._straight >= STRAIGHT_TIMEOUTS:
                self._open_until = now + self._pause_s

    def _is_probe(self) -> bool:
        return self._probe is not None and self._probe[0] == threading.get_ident()

    def _count(self, ok: bool, now: float) -> None:
        self._calls.append((now, ok))
        self._failed += not ok
        while self._calls[0][0] < now - WINDOW_S:
            self._failed -= not self._calls.popleft()[1]

    def _after_probe(self, ok: bool, now: float) -> None:
        self._probe = None
        self._calls.clear()
        self._failed = self._straight = 0
        if ok:
            self._open_until, self._pause_s = None, FIRST_PAUSE_S
        else:
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            self._open_until = now + self._pause_s
