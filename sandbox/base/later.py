"""Things that happen some time after they were asked for, each at its time, carried out by one thread."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable

from sandbox.base.context import Context


class Later:
    """What is still to come, in the order of its time. The thread holds no lock of ours while it carries something out."""

    def __init__(self, context: Context, name: str) -> None:
        self._wake = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._number = 0
        self._ended = False
        context.closing.append(self._end)
        threading.Thread(target=self._run, daemon=True, name=name).start()

    def after(self, delay_s: float, action: Callable[[], object]) -> None:
        """Carry this out then. After the end nothing is taken any more."""
        with self._wake:
            if self._ended:
                return
            self._number += 1
            heapq.heappush(self._due, (time.monotonic() + delay_s, self._number, action))
            self._wake.notify()

    def _end(self) -> None:
        """What is still to come is dropped."""
        with self._wake:
            self._ended = True
            self._due.clear()
            self._wake.notify()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            action()

    def _next(self) -> Callable[[], object] | None:
        """Wait for what comes next; None at the end."""
        with self._wake:
            while not self._ended and (not self._due or self._due[0][0] > time.monotonic()):
                self._wake.wait(self._due[0][0] - time.monotonic() if self._due else None)
            return None if self._ended else heapq.heappop(self._due)[2]
