"""What every simulator is built with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from integrations.kernel.clock import utc_now


@dataclass(slots=True)
class Context:
    """limits: are the vendor's limits kept. time_factor: waits of the vendor (retries, jobs) are divided by it.

    latency_s: added to every answer. lock: one for all state, so that nothing is half changed. closing: what ends the
    threads that simulators begin.
    """

    seed: int = 1
    limits: bool = True
    time_factor: float = 1.0
    latency_s: float = 0.0
    deskbridge_url: str = ""
    ports_from: int = 8400
    lock: threading.RLock = field(default_factory=threading.RLock)
    simulators: dict[str, Any] = field(default_factory=dict)
    closing: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        """End whatever still waits for its time: nothing is sent after this."""
        while self.closing:
            self.closing.pop()()

    def now(self) -> datetime:
        """The simulated vendors live in real time."""
        return utc_now()

    def random(self, name: str) -> Random:
        """A source of chance of its own for each part, the same for the same seed."""
        return Random(f"{self.seed}-{name}")
