"""Idempotency-Key: the first success is answered again.

Source: vendor sheet 1.6: up to 255 characters, x-idempotency-lookup miss or hit, about two hours, 400 for other parameters
(R). What was refused is not kept: the same key may try again.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

from flask import Response, g, request

from sandbox.base import Context
from sandbox.zendesk.errors import bad_request

KEPT_S = 2 * 3600.0
LONGEST = 255
HEADER = "x-idempotency-lookup"


class Keys:
    """Stored answers by key. Requests with one key wait for each other."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}
        self._kept: dict[str, tuple[float, str, int, bytes]] = {}

    def run(self, work: Callable[[], Response]) -> Response:
        """Do the work of this request once for its key. Raises 400 for a key used with other parameters."""
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return work()
        if len(key) > LONGEST:
            raise bad_request(f"Idempotency-Key must be at most {LONGEST} characters", "IdempotentRequestError")
        with self._lock:
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            return self._once(key, work)

    def _once(self, key: str, work: Callable[[], Response]) -> Response:
        asked = request.full_path.encode() + b"\n" + request.method.encode() + b"\n" + request.get_data()
        parameters = hashlib.sha256(asked).hexdigest()
        kept = self._kept.get(key)
        if kept is not None and kept[0] > time.monotonic():
            if kept[1] != parameters:
                words = "Request parameters are different from those of the first request with this Idempotency-Key"
                raise bad_request(words, "IdempotentRequestError")
            g.headers[HEADER] = "hit"
            return Response(kept[3], kept[2], mimetype="application/json")
        answer = work()  # a refusal is raised, so only successes are kept
        g.headers[HEADER] = "miss"
        until = time.monotonic() + KEPT_S / self._context.time_factor
        self._kept[key] = (until, parameters, answer.status_code, answer.get_data())
        return answer
