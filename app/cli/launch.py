"""Processes that share a port, each a server of its own; a parent that starts them again and stops them all.

The kernel spreads connections over the sockets (SO_REUSEPORT), so no process is in front of another and one that is
killed takes only its own connections along. Why this server: docs/decisions/0003-web-server.md.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from app.config import Settings

CONNECTIONS = 4000  # per process: slow senders hold a connection, never a thread
IDLE_S = 15  # a connection that sends nothing for that long is closed
REQUEST_S = 20  # a request that is not whole so long after its first byte is cut off, however lively its sender
LOOK_S = 5  # how often connections are looked at for both
GRACE_S = 25
RESTART_PAUSE_S = 0.5


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that remembers when the request it is receiving began; waitress itself only knows the last byte."""

    _partial: object = None
    _began_s = 0.0

    def received(self, data: bytes) -> bool:
        taken: bool = super().received(data)
        if self.request is not self._partial:
            self._partial, self._began_s = self.request, time.monotonic()
        return taken

    def is_late(self, now_s: float) -> bool:
        """Has its request been on the way for longer than REQUEST_S?"""
        return self._partial is not None and now_s - self._began_s > REQUEST_S


class Server(TcpWSGIServer):  # type: ignore[misc]
    """waitress with a deadline for the whole request, so that a byte now and then does not hold a connection for ever."""

    channel_class = Channel

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.is_late(time.monotonic()):
                channel.will_close = True


def serve(app: Flask, settings: Settings) -> None:
    """Serve in this process until SIGTERM."""
    server = build(app, settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.run()
    finally:
        server.close()


def build(app: Flask, settings: Settings) -> Server:
    """The server of one process, listening. Bodies are read whole before a thread is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.web_host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((settings.web_host, settings.web_port))
    adjustments = Adjustments(
        sockets=[listener],
        threads=settings.web_threads,
        connection_limit=CONNECTIONS,
        channel_timeout=IDLE_S,
        cleanup_interval=LOOK_S,
        max_request_body_size=1 << 20,
        max_request_header_size=32 << 10,
        asyncore_use_poll=True,
        ident=None,
        clear_untrusted_proxy_headers=True,
        **_believed(settings.trusted_proxies),
    )
    bound = (listener.family, listener.type, listener.proto, listener.getsockname())
    return Server(app, _sock=listener, bind_socket=False, sockinfo=bound, adj=adjustments)


def _believed(proxies: int) -> dict[str, Any]:
    """Of a chain of so many proxies of ours, where the last of them says a request came from; without one, nothing.

    Scheme and host are never taken from a header: PUBLIC_URL says them, and few proxies take away what a visitor sent.
    waitress can tell one proxy by its address only, so whoever reaches the port is believed: WEB_HOST keeps others out.
    """
    if not proxies:
        return {}
    return {"trusted_proxy": "*", "trusted_proxy_count": proxies, "trusted_proxy_headers": {"x-forwarded-for"}}


def supervise(commands: Sequence[Sequence[str]], metrics_folder: Path) -> None:
    """Run `flask <command>` once for each, start again what dies, stop all on SIGTERM or SIGINT."""
    stopping = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    children = [_start(command, metrics_folder) for command in commands]
    while not stopping:
        time.sleep(0.2)
        for number, child in enumerate(children):
            if child.poll() is not None and not stopping:
                time.sleep(RESTART_PAUSE_S)
                children[number] = _start(commands[number], metrics_folder)
    _stop(children)


def shared_metrics(data_folder: Path) -> Path:
    """Where web and worker processes of a machine keep their counters, so that one scrape answers for all of them.

    Counters of processes that are gone are left out from here on: whoever scrapes knows that a restart begins at 0.
    """
    folder = data_folder.absolute() / "metrics"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.glob("*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if not pid.isdigit() or not _lives(int(pid)):
            file.unlink(missing_ok=True)
    return folder


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start(command: Sequence[str], metrics_folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics_folder)}  # noqa: TID251 - handed on, not read
    return subprocess.Popen([sys.executable, "-m", "flask", "--app", "wsgi", *command], env=environment)


def _stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    until = time.monotonic() + GRACE_S
    for child in children:
        try:
            child.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
