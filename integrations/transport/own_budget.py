"""Budgets of one process alone, by its own clock: what is kept to while Redis cannot be asked."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping


class OwnBudget:
    """Each of `workers` processes takes its part of every limit, so that together they stay within it."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._closed: dict[str, float] = {}

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
                for key, (calls, _) in allowed.items():
                    if calls:
                        self._calls[key].append(now)
        return max(wait, 0.0)

    def close(self, key: str, seconds: float) -> None:
        """Nobody of this process calls until then."""
        with self._lock:
            self._closed[key] = max(self._closed.get(key, 0.0), time.monotonic() + seconds)
