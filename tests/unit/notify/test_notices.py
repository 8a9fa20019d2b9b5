"""Notices: told once, sent by every channel that is set up, over real SMTP and HTTP."""

from __future__ import annotations

import base64
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa

from app.config import load
from app.notify import listing, send_due, tell
from app.notify.channels import post_webhook, sign
from integrations.kernel.errors import ConfigError

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


class Mailbox(socketserver.StreamRequestHandler):
    """As much SMTP as a client needs."""

    def handle(self):
        self.say("220 mailbox")
        data = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if data:
                data = line != "."
                self.server.got.append(line)
                if not data:
                    self.say("250 kept")
            elif line.upper().startswith("DATA"):
                data = True
                self.say("354 go on")
            elif line.upper().startswith("QUIT"):
                self.say("221 bye")
                break
            else:
                self.say("250 fine")

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        """Say nothing."""


def served(server):
    server.got, server.status = [], 204
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@pytest.fixture
def mailbox():
    server = served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook():
    server = served(ThreadingHTTPServer(("127.0.0.1", 0), Hook))
    yield server
    server.shutdown()
    server.server_close()


def settings(mailbox=None, hook=None, **more):
    told = dict(more)
    if mailbox:
        told |= {"SMTP_URL": f"smtp://127.0.0.1:{mailbox.server_address[1]}", "NOTIFY_EMAIL_TO": "lead@desk.example"}
    if hook:
        told |= {"NOTIFY_WEBHOOK_URL": f"http://127.0.0.1:{hook.server_port}/hook", "NOTIFY_WEBHOOK_SECRETS": SECRET}
    return load(told)


def say(database, key="k1"):
    with database.begin() as cx:
        return tell(cx, "refund.failed", key, "Refund rfd_1 failed", "It failed.\nLook.", {"refund_id": "rfd_1"})


def rows(database):
    with database.begin() as cx:
        return listing(cx)


def due(database):
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE notice SET due_at = now()"))


def test_a_notice_is_told_once_and_goes_out_by_every_channel(database, mailbox, hook):
    assert (say(database), say(database)) == (True, False)
    assert send_due(database, settings(mailbox, hook)) == 1
    assert send_due(database, settings(mailbox, hook)) == 0
    mail = "\n".join(mailbox.got)
    assert "Subject: Refund rfd_1 failed" in mail
    assert "To: lead@desk.example" in mail
    assert f"Message-ID: <{rows(database)[0]['id']}@deskbridge.invalid>" in mail
    path, headers, body = hook.got[0]
    told = {name.lower(): value for name, value in headers.items()}
    assert (path, body) == (
        "/hook", b'{"data": {"refund_id": "rfd_1", "subject": "Refund rfd_1 failed"}, "type": "refund.failed"}',
    )  # fmt: skip
    assert told["webhook-signature"] == sign(SECRET, told["webhook-id"], told["webhook-timestamp"], body)
    assert [row["state"] for row in rows(database)] == ["sent"]


def test_a_channel_that_fails_is_tried_again_and_the_others_are_not(database, mailbox, hook):
    say(database)
    hook.status = 500
    assert send_due(database, settings(mailbox, hook)) == 0
    assert (rows(database)[0]["state"], rows(database)[0]["channels"]) == ("pending", ["email"])
    hook.status = 200
    due(database)
    assert send_due(database, settings(mailbox, hook)) == 1
    assert "\n".join(mailbox.got).count("Subject:") == 1
    assert len(hook.got) == 2


def test_without_a_channel_it_stands_on_the_page(database):
    say(database)
    assert send_due(database, settings()) == 1
    assert rows(database)[0]["state"] == "shown"


def test_what_never_goes_out_ends_as_dead_with_its_reason(database, hook):
    say(database)
    hook.status = 404
    for _ in range(12):
        due(database)
        send_due(database, settings(hook=hook))
    assert (rows(database)[0]["state"], rows(database)[0]["reason"]) == ("dead", "webhook: VendorRejected")


@pytest.mark.parametrize("url", [
    "http://example.com/x", "https://example.com:8443/x", "https://user@example.com/x", "https://127.0.0.1/x", "https://",
])  # fmt: skip
def test_in_production_only_public_https_addresses_are_called(url):
    class Notice:
        id, kind, subject, data = "ntc_1", "x", "x", {}

    class Production:
        mode, notify_webhook_url, notify_webhook_secrets = "production", url, ()

    with pytest.raises(ConfigError):
        post_webhook(Notice, Production)
