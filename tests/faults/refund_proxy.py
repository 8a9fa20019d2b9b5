"""Stands between the product and the simulated Stripe and answers a refund in every way a network and a vendor can.

Each charge has a script: the answers to its refund calls, one after the other, then honest ones. It can also kill the
calling process at a moment only the wire knows.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WIRE_KILLS = ("half_sent", "accepted_no_reply", "reply_half_read")
# Scripted answers; what is not here passes.
ANSWERS = (
    "ok", "pending", "too_large", "declined", "unauthorised", "conflict", "limited", "limited_bare", "broken_before",
    "broken_after", "broken_stored", "reset_before", "reset_after", "silent_before", "silent_after", "late", "cut",
    "html", "drip", "half_closed", "other_amount", "list_lags", "key_forgotten",
)  # fmt: skip


def error(code, kind="invalid_request_error"):
    return json.dumps({"error": {"code": code, "type": kind, "message": "on purpose"}}).encode()


REFUSALS = {  # answered without asking the vendor: status, body, headers
    "too_large": (400, error("amount_too_large"), {}),
    "declined": (402, error("card_declined", "card_error"), {}),
    "unauthorised": (401, error("api_key_expired"), {}),
    "conflict": (409, error("idempotency_key_in_use", "idempotency_error"), {}),
    "limited": (429, error("rate_limit", "rate_limit_error"), {"Retry-After": "1"}),
    "limited_bare": (429, error("rate_limit", "rate_limit_error"), {}),
    "broken_before": (500, error("", "api_error"), {}),
}
ALWAYS = frozenset({"too_large", "declined", "broken_stored"})  # the same at every try


class Proxy:
    """url: where the product calls. victim: the process a wire kill strikes."""

    def __init__(self, stripe, deadline_s):
        self.stripe, self.deadline_s = stripe, deadline_s
        self.upstream = urlsplit(stripe.url).netloc
        self.scripts, self.kills, self.lags = {}, {}, {}
        self.victim = 0
        self.forwarded = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                """Say nothing."""

            def do_GET(self):
                proxy.get(self)

            def do_POST(self):
                proxy.post(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def ask(self, handler, body=None):
        """Pass the request on; answers status, body."""
        headers = {
            n: v for n, v in handler.headers.items() if n.lower() not in ("host", "content-length", "connection")
        }
        with contextlib.closing(HTTPConnection(self.upstream, timeout=30)) as connection:
            connection.request(handler.command, handler.path, body, headers)
            answer = connection.getresponse()
            self.forwarded += handler.command == "POST"
            return answer.status, answer.read()

    def get(self, handler):
        status, body = self.ask(handler)
        charge = parse_qs(urlsplit(handler.path).query).get("charge", [""])[0]
        if handler.path.startswith("/v1/refunds") and self.lags.get(charge, 0) > 0:
            self.lags[charge] -= 1  # the list does not know yet what was made a moment ago
            body = json.dumps({"object": "list", "data": [], "has_more": False, "url": "/v1/refunds"}).encode()
        reply(handler, status, body)

    def post(self, handler):
        size = int(handler.headers.get("Content-Length") or 0)
        charge = ""
        body = handler.rfile.read(size)
        if handler.path == "/v1/refunds":
            charge = parse_qs(body.decode()).get("charge", [""])[0]
        if self.kills.get(charge) == "half_sent":
            self.kill(charge)
            return hang_up(handler)
        if self.kills.get(charge):
            return self.kill_after(handler, charge, body)
        return self.answer(handler, charge, body, self.next(charge))

    def next(self, charge):
        script = self.scripts.get(charge) or ["ok"]
        return script[0] if script[0] in ALWAYS else script.pop(0)

    def kill(self, charge):
        self.kills.pop(charge)
        os.kill(self.victim, signal.SIGKILL)

    def kill_after(self, handler, charge, body):
        """The vendor has done what its script says; the caller dies before, or in the middle of, its answer."""
        name = self.next(charge)
        status, made = REFUSALS[name][:2] if name in REFUSALS else self.ask(handler, body)
        if name == "pending":
            self.pend(made)
        if name == "list_lags":
            self.lags[charge] = 2
        if self.kills[charge] == "reply_half_read":
            start(handler, status, len(made))
            handler.wfile.write(made[: len(made) // 2])
            handler.wfile.flush()
            time.sleep(0.02)
        self.kill(charge)
        hang_up(handler)

    def answer(self, handler, charge, body, name):
        if name in REFUSALS:
            return reply(handler, *REFUSALS[name])
        if name in ("reset_before", "silent_before", "late"):
            return self.before(handler, body, name)
        status, made = self.ask(handler, body)
        return self.after(handler, charge, name, status, made)

    def before(self, handler, body, name):
        if name != "reset_before":
            time.sleep(self.deadline_s + 0.2)
        if name == "late":
            self.ask(handler, body)
        hang_up(handler)

    def after(self, handler, charge, name, status, made):
        if name == "pending":
            self.pend(made)
            made = made.replace(b'"status": "succeeded"', b'"status": "pending"')
        if name == "other_amount":
            told = json.loads(made)
            made = json.dumps({**told, "amount": told["amount"] + 100}).encode()
        if name == "list_lags":
            self.lags[charge] = 2
        if name in ("ok", "pending", "other_amount"):
            return reply(handler, status, made)
        if name in ("broken_after", "broken_stored"):
            return reply(handler, 500, error("", "api_error"))
        if name == "html":
            return reply(handler, 200, b"<html>Bad gateway</html>", {"Content-Type": "text/html"})
        return self.spoilt(handler, name, status, made)

    def spoilt(self, handler, name, status, made):
        """Answers that do not arrive whole."""
        if name in ("cut", "half_closed", "drip"):
            start(handler, status, len(made))
            handler.wfile.write(made[: len(made) // 2])
            handler.wfile.flush()
        if name == "half_closed":
            handler.connection.shutdown(socket.SHUT_WR)
        if name == "drip":
            until = time.monotonic() + self.deadline_s + 0.2
            with contextlib.suppress(OSError):
                while time.monotonic() < until:
                    handler.wfile.write(b" ")
                    handler.wfile.flush()
                    time.sleep(0.1)
        if name in ("silent_after", "half_closed", "key_forgotten"):
            time.sleep(self.deadline_s + 0.2)
        hang_up(handler)

    def pend(self, made):
        """The bank takes its time."""
        with self.stripe.context.lock:
            refund = self.stripe.state.lists["refunds"].get(json.loads(made).get("id"))
            if refund is not None:
                refund["status"] = "pending"


def start(handler, status, size, headers=None):
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(size))
    handler.end_headers()


def reply(handler, status, body, headers=None):
    with contextlib.suppress(OSError):
        start(handler, status, len(body), headers)
        handler.wfile.write(body)


def hang_up(handler):
    """A reset, not a polite end."""
    handler.close_connection = True
    with contextlib.suppress(OSError):
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
