"""Budgets of one process alone, by its own clock: what is kept to while Redis cannot be asked.

Calls that Redis allowed are noted here too: when it goes away in the middle of a window, what this process has used of it
still counts.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping

LONGEST_WINDOW_S = 600.0  # of any limit of any vendor
MOST_SILENT = 4096


class OwnBudget:
    """Each of `workers` processes takes its part of every limit, so that together they stay within it."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._closed: dict[str, float] = {}
        self._forget_at = MOST_SILENT

    def take(self, allowed: Mapping[str, tuple[int, float]]) -> float:
        """As Budgets.take: `allowed` is calls (0: no limit) and window by key, for all processes together."""
        now, wait = time.monotonic(), 0.0
        with self._lock:
            for key, (calls, window_s) in allowed.items():
                wait = max(wait, self._closed.get(key, 0.0) - now)
                used = self._calls[key]
                while used and used[0] <= now - window_s:
                    used.popleft()
                mine = max(1, calls // self._workers)
                if calls and len(used) >= mine:
                    wait = max(wait, used[len(used) - mine] + window_s - now)
            if wait <= 0:
                self._count(allowed, now)
        return max(wait, 0.0)

    def note(self, allowed: Mapping[str, tuple[int, float]]) -> None:
        """A call was made with leave from elsewhere."""
        now = time.monotonic()
        with self._lock:
            self._count(allowed, now)

    def _count(self, allowed: Mapping[str, tuple[int, float]], now: float) -> None:
        for key, (calls, window_s) in allowed.items():
            if calls:
                used = self._calls[key]
                used.append(now)
                while used[0] <= now - window_s:
                    used.popleft()
        if len(self._calls) > self._forget_at:  # a bucket for each ticket: those long silent are forgotten
            self._calls = defaultdict(
                deque, {k: u for k, u in self._calls.items() if u and u[-1] > now - LONGEST_WINDOW_S}
            )
            self._forget_at = 2 * len(self._calls) + MOST_SILENT

    def close(self, key: str, seconds: float) -> None:
        """Nobody of this process calls until then."""
        with self._lock:
            self._closed[key] = max(self._closed.get(key, 0.0), time.monotonic() + seconds)
