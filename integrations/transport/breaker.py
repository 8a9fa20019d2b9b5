"""A breaker for each connection, in each process: stops calling what does not answer, and tries it carefully again.

Per process on purpose: it needs no Redis, which may be what is broken, and every process learns within a few calls.
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


class Breaker:
    """Opens at half of 20 or more calls failing in a minute, or five time-outs in a row; half-open lets one probe out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: deque[tuple[float, bool]] = deque()
        self._straight = 0
        self._open_until = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._probing = False

    def closed_for_s(self) -> float:
        """0 when a call may go out (as the probe, after a pause); else the seconds until one may."""
        with self._lock:
            now = self._clock()
            if self._open_until == 0.0:
                return 0.0
            if now < self._open_until:
                return self._open_until - now
            if self._probing:
                return 1.0
            self._probing = True
            return 0.0

    def tell(self, *, ok: bool, timeout: bool = False) -> None:
        """How a call ended. A refusal by the vendor (4xx, 429) is an answer: it is `ok` here."""
        with self._lock:
            now = self._clock()
            if self._probing:
                self._after_probe(ok, now)
                return
            self._calls.append((now, ok))
            while self._calls and self._calls[0][0] < now - WINDOW_S:
                self._calls.popleft()
            self._straight = self._straight + 1 if timeout else 0
            failed = sum(not good for _, good in self._calls)
            if self._straight >= STRAIGHT_TIMEOUTS or (
                len(self._calls) >= LEAST_CALLS and failed >= SHARE * len(self._calls)
            ):
                self._open_until = now + self._pause_s

    def _after_probe(self, ok: bool, now: float) -> None:
        self._probing = False
        self._calls.clear()
        self._straight = 0
        if ok:
            self._open_until, self._pause_s = 0.0, FIRST_PAUSE_S
        else:
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            self._open_until = now + self._pause_s
