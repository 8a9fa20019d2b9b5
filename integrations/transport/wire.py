"""Connections that keep one deadline for a whole call and know whether anything was sent.

A socket's time-out counts from byte to byte, so a server that drips can hold a thread for hours. Here every read gets
only what is left of the call's time. Requests are made and read in one thread, so the call's state is the thread's.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class _Call(threading.local):
    """until: when the call must be over, by the monotonic clock. sent: has anything of the request left us?"""

    until: float = float("inf")
    sent: bool = False


CALL = _Call()


def begin(until: float) -> None:
    """A new call of this thread starts."""
    CALL.until, CALL.sent = until, False


def was_sent() -> bool:
    """Has the vendor seen anything of this thread's call? If not, repeating it is safe."""
    return CALL.sent


def _left_s() -> float:
    left = CALL.until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call's time is over")
    return max(left, 0.001)


class _BoundedReader(io.RawIOBase):
    """A socket's reading end, each read bounded by what is left of the call."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - anything writable
        self._sock.settimeout(min(_left_s(), threading.TIMEOUT_MAX))
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock))


class _Plain(HTTPConnection):
    response_class = _Answer

    def send(self, data: Any) -> None:  # noqa: ANN401 - bytes or a file
        if self.sock is None:
            self.connect()
        _left_s()
        CALL.sent = True
        super().send(data)


class _Secure(HTTPSConnection):
    response_class = _Answer

    def send(self, data: Any) -> None:  # noqa: ANN401 - bytes or a file
        if self.sock is None:
            self.connect()
        _left_s()
        CALL.sent = True
        super().send(data)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class BoundedAdapter(HTTPAdapter):
    """requests' adapter over these connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
