"""Slow senders: connections that give a byte of their body a second, and begin again when they are cut off."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.clients import HOST
from bench.deliveries import Deliveries

TIMEOUT_S = 5.0  # an honest sender waits no longer
PAUSE_S = 0.05
STALLED = 5  # honest deliveries lost after which there is nothing more to learn


@dataclass(slots=True)
class Sender:
    """One slow connection. given: bytes of the request sent so far."""

    connection: socket.socket
    request: bytes
    since_s: float
    given: int = 0

    def drip(self) -> bool:
        """The whole head first, then a byte a time and never the last one; False when the server has cut it off."""
        head = self.request.index(b"\r\n\r\n") + 4
        upto = head if self.given < head else min(self.given + 1, len(self.request) - 1)
        try:
            self.given += self.connection.send(self.request[self.given : upto])
            self.connection.recv(1)  # whatever it says, it is the end of this request
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False


class Crowd(threading.Thread):
    """`size` slow senders until `leave` is called. longest_s: the greatest age of any of them."""

    def __init__(self, port: int, size: int, request: Callable[[], bytes]) -> None:
        super().__init__(daemon=True)
        self._port, self._size, self._request = port, size, request
        self._left = threading.Event()
        self._senders: list[Sender] = []
        self.longest_s = 0.0

    def run(self) -> None:
        while not self._left.is_set():
            due = time.monotonic() + 1.0
            while len(self._senders) < self._size and time.monotonic() < due and self._begin():
                pass
            now = time.monotonic()
            self.longest_s = max([self.longest_s, *(now - sender.since_s for sender in self._senders)])
            alive = []
            for sender in self._senders:
                if sender.drip():
                    alive.append(sender)
                else:
                    sender.connection.close()
            self._senders = alive
            self._left.wait(max(0.0, due - time.monotonic()))
        for sender in self._senders:
            sender.connection.close()

    def leave(self) -> None:
        """Close everything."""
        self._left.set()
        self.join()

    def wait_until_full(self, seconds: float) -> int:
        """How many are connected, at the latest after some seconds."""
        until = time.monotonic() + seconds
        while (count := len(self._senders)) < self._size and time.monotonic() < until:
            time.sleep(0.1)
        return count

    def _begin(self) -> bool:
        try:
            connection = socket.create_connection((HOST, self._port), timeout=1.0)
        except OSError:
            return False
        connection.setblocking(False)
        self._senders.append(Sender(connection, self._request(), time.monotonic()))
        return True


@dataclass(slots=True)
class Honest:
    """What honest senders saw meanwhile. stored: event keys answered 2xx."""

    waits_s: list[float] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    failed: int = 0

    @property
    def p99_s(self) -> float:
        """The wait that one in a hundred exceeds; that of the last who gave up when one failed."""
        return TIMEOUT_S if self.failed or not self.waits_s else sorted(self.waits_s)[int(len(self.waits_s) * 0.99)]


def honest(port: int, deliveries: Deliveries, seconds: float) -> Honest:
    """One new connection after the other, each with one delivery, until the time is over or nothing gets through."""
    seen, until = Honest(), time.monotonic() + seconds
    while time.monotonic() < until and seen.failed < STALLED:
        key, request = deliveries.one()
        began = time.monotonic()
        try:
            with socket.create_connection((HOST, port), timeout=TIMEOUT_S) as connection:
                connection.sendall(request)
                good = connection.recv(4096)[9:10] == b"2"
        except OSError:
            good = False
        seen.waits_s.append(time.monotonic() - began)
        if good:
            seen.stored.append(key)
        else:
            seen.failed += 1
        time.sleep(PAUSE_S)
    return seen
