"""One Valkey of ours (speaks Redis). It holds wake-ups only, so nothing of it is written to disk."""

from __future__ import annotations

import signal
import subprocess
import time

import redis

from app.servers import processes
from app.servers.layout import Layout
from integrations.kernel.errors import ConfigError

START_S = 20.0


def url(at: Layout) -> str:
    """Where it is, over the private socket folder."""
    return f"unix://{at.sockets}/redis.sock?db=0"


def answers(at: Layout) -> bool:
    """Is the server behind our socket there, and is it the one of our folder?"""
    client = redis.Redis.from_url(url(at), socket_timeout=2, socket_connect_timeout=2)
    try:
        return client.config_get("dir").get("dir") == str(at.sockets)
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def start(at: Layout) -> None:
    """Start it, or find it running."""
    if answers(at):
        return
    stop(at)
    (at.sockets / "redis.sock").unlink(missing_ok=True)
    options = {
        "port": "0", "unixsocket": str(at.sockets / "redis.sock"), "unixsocketperm": "700", "dir": str(at.sockets),
        "save": "", "appendonly": "no", "maxmemory": "256mb", "maxmemory-policy": "noeviction", "daemonize": "no",
    }  # fmt: skip
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    started = subprocess.Popen(
        [at.valkey / "valkey-server", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=at.sockets,
        start_new_session=True, **at.as_user(),  # type: ignore[call-overload]
    )  # fmt: skip
    processes.outlives(started)
    until = time.monotonic() + START_S
    while not answers(at):
        if time.monotonic() > until:
            raise ConfigError("Valkey did not start; run `flask servers stop` and try again")
        time.sleep(0.03)


def stop(at: Layout) -> None:
    """End it, and whatever is left of it by force."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if left := processes.working_in(at.sockets, "valkey-server"):
            processes.end(left, how, 3.0)
