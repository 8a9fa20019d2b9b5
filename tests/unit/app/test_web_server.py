"""The server on a real socket: the deadline of a whole request, and whom a request is said to come from.

Whoever gives a byte now and then is cut off, whoever goes on with new requests is not.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import threading
import time

import pytest
from flask import Flask, request

from app.cli import launch
from app.config import load
from app.factory import create_app

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"


@contextlib.contextmanager
def served(make, **settings):
    """The port of a server that runs. make: settings -> app."""
    for _ in range(20):
        told = load({"WEB_PORT": str(random.randrange(10_000, 32_000)), "WEB_THREADS": "1", **settings})
        with contextlib.suppress(OSError):
            server = launch.build(make(told), told)
            break

    def run():
        with contextlib.suppress(OSError, ValueError):  # its sockets are closed under it
            server.run()

    threading.Thread(target=run, daemon=True).start()
    yield told.web_port
    server.close()
    server.task_dispatcher.shutdown()


@pytest.fixture
def port(monkeypatch):
    monkeypatch.setattr(launch, "REQUEST_S", 1.0)
    monkeypatch.setattr(launch, "LOOK_S", 0)
    app = Flask(__name__)
    app.add_url_rule("/", "read", lambda: str(len(request.get_data())), methods=["POST"])
    with served(lambda _: app) as number:
        yield number


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


def seen(settings):
    app = create_app(settings)
    app.add_url_rule("/seen", "seen", lambda: f"{request.remote_addr} {request.scheme} {request.host}")
    return app


VISITOR, INNER = "203.0.113.9", "192.0.2.2"


@pytest.mark.parametrize(("proxies", "forwarded", "place"), [
    (0, VISITOR, "127.0.0.1"),
    (1, VISITOR, VISITOR),
    (1, f"127.0.0.1, {VISITOR}", VISITOR),
    (1, f"198.51.100.1,198.51.100.2 , {VISITOR}", VISITOR),
    (1, None, "127.0.0.1"),
    (2, f"198.51.100.1, {VISITOR}, {INNER}", VISITOR),
    (2, VISITOR, VISITOR),
])  # fmt: skip
def test_only_what_the_own_proxies_added_says_where_a_request_comes_from(proxies, forwarded, place):
    told = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "X_Forwarded_For": "198.51.100.7"}
    if forwarded:
        told["X-Forwarded-For"] = forwarded
    with served(seen, TRUSTED_PROXIES=str(proxies)) as number:
        client = http.client.HTTPConnection("127.0.0.1", number, timeout=5)
        client.request("GET", "/seen", headers=told)
        assert client.getresponse().read().decode() == f"{place} http 127.0.0.1:{number}"
        client.close()


@pytest.mark.parametrize("open_quote", ['"a', '"127.0.0.1', '"a", "b'])
def test_a_quote_that_a_visitor_opens_hides_nobody(open_quote):
    """Read as a quoted list, the address that the proxy adds would be a part of what the visitor wrote."""
    with served(seen, TRUSTED_PROXIES="1") as number:
        client = http.client.HTTPConnection("127.0.0.1", number, timeout=5)
        client.request("GET", "/seen", headers={"X-Forwarded-For": f"{open_quote}, {VISITOR}"})
        assert client.getresponse().status == 400
        client.close()


def test_a_header_sent_twice_is_one_list():
    with served(seen, TRUSTED_PROXIES="1") as number, socket.create_connection(("127.0.0.1", number), 5) as connection:
        connection.sendall(
            b"GET /seen HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
        )
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.endswith(b"203.0.113.9 http x")
