"""The product in this process, the simulated vendors in another: real HTTP both ways, a real PostgreSQL and Redis."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
import waitress

from app.billing.models import billing_reread
from app.config import load
from app.db import Database
from app.factory import create_app
from app.inbox.models import delivery_key
from app.jobs.work import Work
from app.outbox.models import outbox
from integrations import registry
from webhooks import blueprint

ROOT = Path(__file__).resolve().parents[2]
KINDS = [
    *(f"ticket.{kind}" for kind in (
        "created comment_added status_changed priority_changed tags_changed custom_field_changed requester_changed "
        "agent_assignment_changed soft_deleted"
    ).split()),
    *(f"user.{kind}" for kind in "identity_created identity_changed identity_deleted merged deleted role_changed".split()),
]  # fmt: skip


def free_ports(count=5, step=10):
    """Some ports, `step` apart, that are all free; below 32768, where the kernel hands none out.

    Looked for from a place of each process's own: two that look at once must not find the same.
    """
    places = list(range(10_000, 32_000, 97))
    begin = random.Random(os.getpid()).randrange(len(places))
    for first in places[begin:] + places[:begin]:
        taken = False
        for port in range(first, first + count * step, step):
            with socket.socket() as probe:
                taken |= probe.connect_ex(("127.0.0.1", port)) == 0
        if not taken:
            return first
    raise RuntimeError("no free ports")


def serve(server):
    """Run a server until its sockets are closed under it, which is how a test ends one."""
    with contextlib.suppress(OSError, ValueError):
        server.run()


@pytest.fixture
def serving():
    """How to run a server in a thread."""
    return serve


@pytest.fixture
def ports():
    """How to find free ports."""
    return free_ports


class Vendors:
    """The sandbox: steer it, look into it."""

    def __init__(self, first):
        self.first = first
        self.http = requests.Session()
        self.http.trust_env = False
        self.zendesk, self.stripe = f"http://127.0.0.1:{first + 10}", f"http://127.0.0.1:{first + 20}"

    def get(self, path):
        answer = self.http.get(f"http://127.0.0.1:{self.first}/sandbox/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, path, body=None):
        answer = self.http.post(f"http://127.0.0.1:{self.first}/sandbox/{path}", json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def act(self, vendor, do, *args, **kwargs):
        return self.post(f"control/{vendor}/act", {"do": do, "args": args, "kwargs": kwargs})["answer"]

    def ticket(self, ticket_id):
        return self.get(f"state/zendesk/{ticket_id}")["ticket"]

    def customer_of(self, **wanted):
        """A Stripe customer whose subscription fits, and the id of the person who writes from its address."""
        subscriptions = {s["customer"]: s for s in self.get("state/stripe/subscriptions")["objects"]}
        for customer in self.get("state/stripe/customers")["objects"]:
            s = subscriptions[customer["id"]]
            if (
                customer["email"]
                and customer["name"].endswith(")") is False
                and all(s[k] == v for k, v in wanted.items())
            ):
                yield customer


@contextlib.contextmanager
def sandbox(folder, *options):
    """A sandbox of its own, with waits a tenth as long; without limits unless `options` say otherwise."""
    first = free_ports()
    ready = folder / f"ready{uuid.uuid4().hex}"
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--ports-from", str(first), "--limits", "off", "--time-factor", "10",
         "--ready-file", str(ready), *options],
        cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None, "the sandbox ended"
        assert time.monotonic() < until, "the sandbox did not start"
        time.sleep(0.05)
    found = Vendors(first)
    try:
        yield found
    finally:
        found.http.close()
        process.kill()
        process.wait()


@pytest.fixture
def vendors(tmp_path):
    """The sandbox of a test."""
    with sandbox(tmp_path) as found:
        yield found


def connect(runtime, vendors, url, limits="off"):
    """As an admin does: webhooks at the vendors, their secrets into the connections. Answers the signing secrets."""
    v = vendors
    token = v.http.post(f"{v.zendesk}/oauth/tokens", json={
        "grant_type": "client_credentials", "client_id": "deskbridge",
        "client_secret": "sandbox-client-secret-not-safe", "expires_in": 7200,
    }).json()["access_token"]  # fmt: skip
    bearer = {"Authorization": f"Bearer {token}"}
    hook = v.http.post(f"{v.zendesk}/api/v2/webhooks", headers=bearer, json={"webhook": {
        "name": "d", "status": "active", "endpoint": f"{url}/webhooks/zendesk/desk", "http_method": "POST",
        "request_format": "json", "subscriptions": [f"zen:event-type:{k}" for k in KINDS],
    }}).json()["webhook"]  # fmt: skip
    secret = v.http.get(f"{v.zendesk}/api/v2/webhooks/{hook['id']}/signing_secret", headers=bearer).json()
    endpoint = v.http.post(
        f"{v.stripe}/v1/webhook_endpoints", headers={"Authorization": "Bearer rk_test_sandbox_not_safe"},
        data={"url": f"{url}/webhooks/stripe/bank", "enabled_events[0]": "*"},
    ).json()  # fmt: skip
    signing = secret["signing_secret"]["secret"]
    runtime.connections.add(
        registry.by_slug("zendesk"), "Desk", {"subdomain": "acme", "client_id": "deskbridge", "limits": limits},
        {"client_secret": ["sandbox-client-secret-not-safe"], "webhook_secret": [signing]},
        connection_id="desk", base_url=v.zendesk,
    )  # fmt: skip
    runtime.connections.add(
        registry.by_slug("stripe"), "Bank", {"limits": "off"},
        {"api_key": ["rk_test_sandbox_not_safe"], "webhook_secret": [endpoint["secret"]]},
        connection_id="bank", base_url=v.stripe,
    )  # fmt: skip
    return signing, endpoint["secret"]


class Product:
    """Web server in a thread, worker's work called by the test: each step when the test says so."""

    def __init__(self, database: Database, redis_url: str, vendors: Vendors, port: int, **settings: str):
        self.settings = load(
            {
                "MODE": "sandbox", "DATABASE_URL": database.url, "REDIS_URL": redis_url, "INBOX_GATHER_S": "0",
                "OUTBOX_GATHER_S": "0", "OUTBOX_POLL_S": "0.1", "WORKER_THREADS": "8", "WEB_PORT": str(port),
                "PUBLIC_URL": f"http://127.0.0.1:{port}", "SLICE_S": "20",
                "WRITES_PER_TICKET": "100", **settings,
            }
        )  # fmt: skip
        self.url = self.settings.public_url
        self.vendors = vendors
        app = create_app(self.settings)
        app.register_blueprint(blueprint)
        self.door = app.extensions["deskbridge.door"]
        self.runtime = app.extensions["deskbridge"]
        self.server = waitress.create_server(app, host="127.0.0.1", port=port, threads=4)
        threading.Thread(target=serve, args=(self.server,), daemon=True).start()
        self.worker = Work(self.runtime, "test")

    def connect(self):
        connect(self.runtime, self.vendors, self.url)

    def settle(self, seconds=30):
        """Work until nothing is on its way anywhere."""
        until = time.monotonic() + seconds
        calm = 0
        while calm < 2:
            assert time.monotonic() < until, "it did not come to rest"
            flying = sum(self.vendors.get(f"ledger/{v}")["pending"] for v in ("zendesk", "stripe"))
            self.worker._tasks["billing.reread"].run()
            done = self.worker.drain_inbox() + self.worker.drain_outbox()
            calm = calm + 1 if not flying and not done and not self.waiting() else 0
            time.sleep(0.05)

    def waiting(self):
        """Deliveries and changes that are not at their end, resting ones too."""
        with self.runtime.database.begin() as cx:
            open_changes = outbox.c.state.in_(("pending", "sending", "accepted"))
            return (
                cx.execute(sa.select(sa.func.count()).where(delivery_key.c.state == "received")).scalar_one()
                + cx.execute(sa.select(sa.func.count()).where(open_changes)).scalar_one()
                + cx.execute(sa.select(sa.func.count()).select_from(billing_reread)).scalar_one()
            )

    def close(self):
        # Closing alone does not free the port: the loop in its thread still waits on the listening socket.
        with contextlib.suppress(OSError):
            self.server.socket.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.door.close()
        self.runtime.pool.shutdown()
        self.runtime.redis.close()
        self.runtime.database.close()


@pytest.fixture
def product(database, redis_url, vendors):
    found = Product(database, redis_url, vendors, vendors.first + 5)
    found.connect()
    yield found
    found.close()


@pytest.fixture
def installation(tmp_path, new_database, redis_url):
    """How to set up a whole installation beside the test's own: sandbox, database, product."""

    @contextlib.contextmanager
    def another(*options, **settings):
        with sandbox(tmp_path, *options) as vendors, new_database() as database:
            found = Product(database, redis_url, vendors, vendors.first + 5, **settings)
            found.connect()
            try:
                yield found
            finally:
                found.close()

    return another
