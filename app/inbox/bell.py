"""Wake-ups. A wake-up says only "there is work": losing one costs the dispatcher's two seconds, nothing else.

A request must not pay for Redis: `ring` sets a flag, a thread of the process sends at most a few wake-ups a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

PAUSE_S = 0.25


class Bell:
    """Rings `wake` in a thread of its own, at most once each PAUSE_S, and once more for a ring that came meanwhile."""

    def __init__(self, wake: Callable[[], object], pause_s: float = PAUSE_S) -> None:
        self._wake = wake
        self._pause_s = pause_s
        self._rung = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Ask for a wake-up; returns at once."""
        if self._thread is None:
            with self._lock:
                if self._thread is None:  # started at the first ring, so after a fork
                    self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                    self._thread.start()
        self._rung.set()

    def close(self) -> None:
        """Stop the thread, the wake-up in hand included."""
        self._closed.set()
        self._rung.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._rung.wait()
            self._rung.clear()
            if not self._closed.is_set():
                self._wake()  # swallows its own faults: Redis away is not the door's trouble
                self._closed.wait(self._pause_s)
