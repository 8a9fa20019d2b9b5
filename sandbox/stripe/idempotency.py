"""Results stored by Idempotency-Key.

Source: vendor sheet 3.3: the first result is replayed, 500s included; other parameters are an error; nothing is stored when
validation fails or another request with the key is under way; keys are forgotten after 24 hours.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.base import Context
from sandbox.stripe.errors import IDEMPOTENCY, Invalid

KEPT_S = 24 * 3600
LONGEST = 255


@dataclass(slots=True)
class Answer:
    """status and JSON text of an answer; replayed: it is one of before."""

    status: int
    body: str
    request_id: str
    replayed: bool = False


@dataclass(slots=True)
class _Entry:
    parameters: str
    made: float
    answer: Answer | None = None


class Keys:
    """All keys of the account."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def run(self, key: str, parameters: str, work: Callable[[], Answer]) -> Answer:
        """Do the work once for a key. `work` raises Invalid for what must not be stored. Raises Invalid."""
        if not key:
            return work()
        if len(key) > LONGEST:
            raise Invalid("", f"Idempotency-Key must be at most {LONGEST} characters", 400, kind=IDEMPOTENCY)
        entry = self._begin(key, parameters)
        if entry.answer is not None:
            return Answer(entry.answer.status, entry.answer.body, entry.answer.request_id, replayed=True)
        try:
            entry.answer = work()
        finally:
            if entry.answer is None:
                with self._lock:
                    self._entries.pop(key, None)
        return entry.answer

    def forget(self) -> None:
        """24 hours have passed."""
        with self._lock:
            self._entries.clear()

    def _begin(self, key: str, parameters: str) -> _Entry:
        now = self._context.now().timestamp()
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.made < now - KEPT_S:
                entry = None
            if entry is None:
                self._entries[key] = entry = _Entry(parameters, now)
                return entry
        if entry.parameters != parameters:
            raise Invalid(
                "", "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.", 400,
                kind=IDEMPOTENCY,
            )  # fmt: skip
        if entry.answer is None:
            raise in_use(key)
        return entry


def in_use(key: str) -> Invalid:
    """409: another request with this key is under way."""
    return Invalid(
        "idempotency_key_in_use", f"There is currently another in-progress request using this Idempotency Key ({key}).",
        409, kind=IDEMPOTENCY,
    )  # fmt: skip
