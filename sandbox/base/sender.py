"""Sends signed webhooks by real HTTP, with the vendor's own retries, and with mishaps on purpose."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests

from sandbox.base.context import Context
from sandbox.base.later import Later
from sandbox.base.ledger import Ledger

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT_S = 12.0


@dataclass(slots=True)
class Endpoint:
    """Where deliveries go. sign: (secret, body) -> headers, asked at each attempt, so that a retry is signed anew.

    blocked: asked before each attempt; while True nothing is sent and that attempt is over. attempted: told (status or
    None for no answer, seconds) after each.
    """

    id: str
    url: str
    secret: str
    sign: Callable[[str, bytes], Mapping[str, str]]
    method: str = "POST"
    content_type: str = "application/json"
    blocked: Callable[[], bool] = lambda: False
    attempted: Callable[[int | None, float], None] = lambda status, seconds: None


@dataclass(slots=True)
class Mishaps:
    """Probabilities of what goes wrong on the way; reordering is a delay of up to delay_s."""

    duplicate: float = 0.0
    reorder: float = 0.0
    lose: float = 0.0
    delay_s: float = 2.0


Retry = Callable[
    [int, int | None, Mapping[str, str]], float | None
]  # (attempt, status, headers) -> seconds, or give up


class Sender:
    """A queue by time and a pool of threads. retry: the vendor's own policy. timeout_s: how long it waits for an answer."""

    def __init__(
        self, context: Context, ledger: Ledger, retry: Retry, threads: int = 8, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._context = context
        self._ledger = ledger
        self._retry = retry
        self._timeout_s = timeout_s
        self._random = context.random("sender")
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sender")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._under_way = 0
        self._ended = False
        self.mishaps = Mishaps()
        context.closing.append(self._end)
        self._later = Later(context, "sender-clock")

    def _end(self) -> None:
        """What is still on its way is dropped."""
        with self._lock:
            self._ended = True
            self._pool.shutdown(wait=False, cancel_futures=True)

    def send(self, endpoint: Endpoint, key: str, body: Any) -> None:  # noqa: ANN401 - a JSON document
        """Send one delivery, sooner or later, or (on purpose) twice or never. body: bytes go as they are."""
        if urlsplit(endpoint.url).hostname not in LOOPBACK:
            raise ValueError("simulated vendors send to loopback addresses only")
        raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        m, chance = self.mishaps, self._random.random
        self._ledger.delivery(key, lost=False)
        if chance() < m.lose:
            self._ledger.delivery(key, lost=True, body=body if isinstance(body, dict) else {})
            return
        delay = self._random.uniform(0, m.delay_s) if chance() < m.reorder else 0.0
        self._put(delay, endpoint, key, raw, 1)
        if chance() < m.duplicate:
            self._put(delay + self._random.uniform(0, m.delay_s), endpoint, key, raw, 1)

    def pending(self) -> int:
        """Deliveries that are still on their way."""
        return self._under_way

    def _put(self, delay_s: float, endpoint: Endpoint, key: str, raw: bytes, attempt: int) -> None:
        with self._lock:
            self._under_way += 1
        self._later.after(delay_s, partial(self._begin, partial(self._attempt, endpoint, key, raw, attempt)))

    def _begin(self, attempt: Callable[[], None]) -> None:
        with self._lock:
            if not self._ended:
                self._pool.submit(attempt)

    def _attempt(self, endpoint: Endpoint, key: str, raw: bytes, attempt: int) -> None:
        try:
            if endpoint.blocked():
                self._ledger.delivery(key, blocked=True)
                return
            status, headers = self._post(endpoint, key, raw)
            if status is not None and 200 <= status < 300:
                self._ledger.delivery(key, acknowledged=True)
            elif (pause := self._retry(attempt, status, headers)) is not None:
                self._put(pause / self._context.time_factor, endpoint, key, raw, attempt + 1)
        finally:
            with self._lock:
                self._under_way -= 1

    def _post(self, endpoint: Endpoint, key: str, raw: bytes) -> tuple[int | None, Mapping[str, str]]:
        """One attempt: status and headers of the answer; None when there was none."""
        began = time.monotonic()
        self._ledger.attempt(key)
        sent = {"Content-Type": endpoint.content_type, **endpoint.sign(endpoint.secret, raw)}
        status: int | None = None
        headers: Mapping[str, str] = {}
        try:
            answer = self._session().request(
                endpoint.method, endpoint.url, data=raw, headers=sent, timeout=self._timeout_s
            )
            status, headers = answer.status_code, answer.headers
        except requests.RequestException:
            pass
        endpoint.attempted(status, time.monotonic() - began)
        return status, headers

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session
