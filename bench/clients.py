"""A load generator in one thread over epoll: so light that the servers are the ones that work.

No wrk: every delivery must be a new, signed event, and every answer is checked.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Answers:
    """What came back. stored: keys answered 2xx. refused: other statuses. broken: connections that ended early."""

    seconds: float = 0.0
    stored: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    broken: int = 0

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return len(self.stored) / self.seconds


class Client:
    """Some connections, each with one request on the way at any time."""

    def __init__(self, port: int, requests: Iterator[tuple[str, bytes]], connections: int) -> None:
        self._port = port
        self._requests = requests
        self._select = selectors.DefaultSelector()
        self._flying: dict[socket.socket, tuple[str, bytearray]] = {}
        self.answers = Answers()
        for _ in range(connections):
            self._connect()

    def run(self, seconds: float) -> Answers:
        """Send for that long, then take the answers still on their way."""
        began = time.monotonic()
        until = began + seconds
        for connection in list(self._flying):
            self._send(connection)
        while (now := time.monotonic()) < until + 10 and self._flying:
            for key, _ in self._select.select(0.1):
                self._read(key.fileobj, send_more=now < until)  # type: ignore[arg-type]
        self.answers.seconds = time.monotonic() - began
        for connection in list(self._flying):
            self._close(connection)
            self.answers.broken += 1
        self._select.close()
        return self.answers

    def _connect(self) -> socket.socket | None:
        connection = socket.socket()
        connection.settimeout(5)
        try:
            connection.connect((HOST, self._port))
        except OSError:
            connection.close()
            return None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._select.register(connection, selectors.EVENT_READ)
        self._flying[connection] = ("", bytearray())
        return connection

    def _send(self, connection: socket.socket) -> None:
        key, request = next(self._requests)
        self._flying[connection] = (key, bytearray())
        try:
            connection.sendall(request)
        except OSError:
            self._broke(connection)

    def _read(self, connection: socket.socket, *, send_more: bool) -> None:
        key, answer = self._flying[connection]
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._broke(connection, send_more=send_more)
            return
        answer += data
        if not _is_whole(answer):
            return
        status = int(answer[9:12])
        if 200 <= status < 300:
            self.answers.stored.append(key)
        else:
            self.answers.refused.append(status)
        if send_more:
            self._send(connection)
        else:
            self._close(connection)

    def _broke(self, connection: socket.socket, *, send_more: bool = False) -> None:
        """A connection ended without an answer: whether its delivery was stored is not known. Go on with a new one."""
        self.answers.broken += 1
        self._close(connection)
        fresh = self._connect() if send_more else None
        if fresh is not None:
            self._send(fresh)

    def _close(self, connection: socket.socket) -> None:
        del self._flying[connection]
        self._select.unregister(connection)
        connection.close()


def _is_whole(answer: bytearray) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(found) and (length is None or len(body) >= int(length[1]))
