"""The deadline of a whole request: whoever gives a byte now and then is cut off, whoever goes on with new requests is not."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time

import pytest
from flask import Flask, request

from app.cli import launch
from app.config import load

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"


@pytest.fixture
def port(monkeypatch):
    monkeypatch.setattr(launch, "REQUEST_S", 1.0)
    monkeypatch.setattr(launch, "LOOK_S", 0)
    app = Flask(__name__)
    app.add_url_rule("/", "read", lambda: str(len(request.get_data())), methods=["POST"])
    for _ in range(20):
        number = random.randrange(10_000, 32_000)
        with contextlib.suppress(OSError):
            server = launch.build(app, load({"WEB_PORT": str(number), "WEB_THREADS": "1"}))
            break

    def run():
        with contextlib.suppress(OSError, ValueError):  # its sockets are closed under it
            server.run()

    threading.Thread(target=run, daemon=True).start()
    yield number
    server.close()
    server.task_dispatcher.shutdown()


def drip(connection, seconds):
    """A byte each 50 ms; how long it was until the server closed, None when it did not."""
    began = time.monotonic()
    connection.setblocking(False)
    while time.monotonic() < began + seconds:
        try:
            connection.send(b"x")
            if connection.recv(1) == b"":
                return time.monotonic() - began
        except BlockingIOError:
            pass
        except OSError:
            return time.monotonic() - began
        time.sleep(0.05)
    return None


@pytest.mark.parametrize("begun", [HEAD, b"POST / HT"])
def test_a_request_that_never_becomes_whole_is_cut_off(port, begun):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(begun)
        lived_s = drip(connection, 4.5)
    assert lived_s is not None, "it was still served"
    assert lived_s >= 0.9


def test_a_connection_whose_requests_are_whole_lives_on(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for _ in range(8):
            connection.sendall(HEAD + b"x" * 50)
            time.sleep(0.2)
            connection.sendall(b"x" * 50)
            answer = b""
            while not answer.endswith(b"\r\n\r\n100"):
                assert (data := connection.recv(4096)), "it was cut off"
                answer += data
