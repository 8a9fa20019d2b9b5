"""What the vendor itself knows: calls it answered, deliveries it sent, changes it made for others."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any


class Ledger:
    """Counts of calls by operation and status; one record a delivery, by event key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.deliveries: dict[str, dict[str, Any]] = {}
        self.changes: Counter[str] = Counter()

    def call(self, operation: str, status: int) -> None:
        with self._lock:
            self.calls[operation] += 1
            self.statuses[f"{operation} {status}"] += 1

    def changed(self, what: str) -> None:
        """A client's write changed something."""
        with self._lock:
            self.changes[what] += 1

    def delivery(self, key: str, **changes: Any) -> None:  # noqa: ANN401 - fields of a record
        with self._lock:
            self.deliveries.setdefault(key, {"attempts": 0, "acknowledged": False, "lost": False}).update(changes)

    def attempt(self, key: str) -> None:
        with self._lock:
            self.deliveries[key]["attempts"] += 1

    def view(self, *, keys: bool = False) -> dict[str, Any]:
        """Everything as JSON; with `keys` every delivery, else their counts."""
        with self._lock:
            found = {
                "calls": sum(self.calls.values()),
                "operations": dict(sorted(self.calls.items())),
                "statuses": dict(sorted(self.statuses.items())),
                "changes": dict(self.changes),
                "deliveries": len(self.deliveries),
                "acknowledged": sum(d["acknowledged"] for d in self.deliveries.values()),
                "lost_on_purpose": sum(d["lost"] for d in self.deliveries.values()),
                "attempts": sum(d["attempts"] for d in self.deliveries.values()),
            }
            if keys:
                found["keys"] = {key: dict(value) for key, value in self.deliveries.items()}
            return found

    def reset_calls(self) -> None:
        """Count calls from now on (a benchmark's start)."""
        with self._lock:
            self.calls.clear()
            self.statuses.clear()
            self.changes.clear()
