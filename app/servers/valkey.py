"""One Valkey (it speaks Redis). It holds wake-ups only, so nothing of it is written to disk."""

from __future__ import annotations

import signal
from pathlib import Path

import redis

from app.servers import processes, programs
from app.servers.server import Server

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
    "set-proc-title": "no",  # the command line stays as it was given: we are found by it
}


class Valkey(Server):
    """The Valkey of one data folder."""

    name = "valkey"

    @property
    def socket(self) -> Path:
        """See Server."""
        return self.at.sockets / "valkey.sock"

    def url(self) -> str:
        """Where it is, as redis-py takes it."""
        return f"unix://{self.socket}?db=0"

    def answers(self) -> bool:
        """See Server. Its working folder is ours alone."""
        client = redis.Redis.from_url(self.url(), socket_timeout=2, socket_connect_timeout=2)
        try:
            return bool(client.config_get("dir").get("dir") == str(self.at.cache))
        except (redis.RedisError, OSError):
            return False
        finally:
            client.close()

    def leads(self, line: list[bytes]) -> bool:
        """See Server."""
        return bool(line) and line[0].endswith(b"/valkey-server") and processes.option("--dir", self.at.cache)(line)

    belongs = leads

    def launch(self) -> None:
        """See Server."""
        self.socket.unlink(missing_ok=True)
        settings = {**SETTINGS, "unixsocket": str(self.socket), "dir": str(self.at.cache)}
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        processes.launch(self.at.owner, [programs.valkey(self.at.owner), *arguments], self.log, self.at.cache)

    def end(self) -> None:
        """See Server."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            if processes.end(self.at.owner.uid, self.belongs, how, 5.0):
                return
        raise self._force_failed()
