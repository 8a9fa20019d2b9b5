"""Sliding windows of a vendor's rate limits."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque


class Windows:
    """Calls in the last seconds, by key."""

    def __init__(self, time_factor: float = 1.0) -> None:
        self._factor = time_factor
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def take(self, key: str, calls: int, window_s: float) -> tuple[int, float]:
        """(left after this one, 0) when there was room; (0, seconds to wait) when not, and nothing is counted."""
        now, span = time.monotonic(), window_s / self._factor
        with self._lock:
            used = self._calls[key]
            while used and used[0] <= now - span:
                used.popleft()
            if len(used) >= calls:
                return 0, used[0] + span - now
            used.append(now)
            return calls - len(used), 0.0

    def resets_in(self, key: str, window_s: float) -> float:
        """Seconds until the oldest call of the window is forgotten; 0 when there is none."""
        with self._lock:
            used = self._calls[key]
            return max(0.0, used[0] + window_s / self._factor - time.monotonic()) if used else 0.0
