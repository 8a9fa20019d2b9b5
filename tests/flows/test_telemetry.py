"""Real web and worker processes at debug level: what they tell the operator, and what they must never tell anybody."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time

import pytest
import redis
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from app import identity
from app.billing.backfill import backfill
from app.config import load
from app.inbox import facts
from app.inbox.models import delivery_key
from app.inbox.store import add_internal
from app.outbox.models import outbox
from app.runtime import Runtime
from app.triggers import service
from tests.flows.conftest import ROOT, connect

TOKEN = "metrics-token-canary-5f1c"
KEY = base64.b64encode(b"master key canary 1234567890abcd").decode()
END = "ECHO the end"
RULES = """
rules:
- {id: past_due, title: Overdue, order: 1, when: ["*"], all: [{fact: billing.status, is: past_due}],
   actions: [{add_tags: {tags: [db_past_due]}}]}
- {id: note, title: Note, order: 2, when: ["*"], all: [{fact: requester.email, is_present: true}],
   actions: [{add_note: {body: "From {{requester.email}} about {{ticket.subject}}"}}]}
"""


class Installation:
    """`flask web` (two processes) and `flask worker` (two) as an operator runs them."""

    def __init__(self, folder, database, redis_url, vendors):
        self.folder, self.vendors = folder, vendors
        self.values = {
            "MODE": "sandbox", "DATABASE_URL": database.url, "REDIS_URL": redis_url, "INBOX_GATHER_S": "0.2",
            "OUTBOX_GATHER_S": "0.2", "OUTBOX_POLL_S": "0.2", "DISPATCH_S": "0.5", "WEB_PORT": str(vendors.first + 5),
            "PUBLIC_URL": f"http://127.0.0.1:{vendors.first + 5}", "LOG_LEVEL": "debug", "METRICS_TOKENS": TOKEN,
            "MASTER_KEYS": KEY, "DATA_FOLDER": str(folder / "data"), "WORKER_THREADS": "4",
        }  # fmt: skip
        self.url = self.values["PUBLIC_URL"]
        self.runtime = Runtime(load(self.values))
        self.children = []

    def start(self, *words):
        environment = {**os.environ, **self.values}  # noqa: TID251 - handed on, not read
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        with (self.folder / f"{words[0]}.log").open("wb") as log:
            self.children.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))

    def wait(self, until_true, seconds=90):
        until = time.monotonic() + seconds
        while not until_true():
            assert time.monotonic() < until, "it did not happen" + self.logs()[-3000:]
            time.sleep(0.2)

    def get(self, path, **headers):
        try:
            return self.vendors.http.get(self.url + path, headers=headers, timeout=10)
        except OSError:
            return None

    def is_ready(self):
        answer = self.get("/readyz")
        return answer is not None and answer.status_code == 200

    def metrics(self):
        """(name, sorted labels) -> value, from whichever process answers."""
        text = self.get("/metrics", Authorization=f"Bearer {TOKEN}").text
        return {
            (s.name, tuple(sorted(s.labels.items()))): s.value for f in text_string_to_metric_families(text) for s in f.samples
        }  # fmt: skip

    def at_rest(self):
        with self.runtime.database.begin() as cx:
            waiting = cx.execute(sa.select(sa.func.count()).where(delivery_key.c.state == "received")).scalar_one()
            states = ("pending", "sending", "accepted")
            waiting += cx.execute(sa.select(sa.func.count()).where(outbox.c.state.in_(states))).scalar_one()
        flying = sum(self.vendors.get(f"ledger/{v}")["pending"] for v in ("zendesk", "stripe"))
        return waiting + flying == 0

    def logs(self):
        return "".join(log.read_text() for log in sorted(self.folder.glob("*.log")))

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(30)
        self.children = []

    def close(self):
        self.stop()
        self.runtime.redis.close()
        self.runtime.database.close()


@pytest.fixture
def installed(tmp_path, database, redis_url, vendors):
    found = Installation(tmp_path, database, redis_url, vendors)
    yield found
    found.close()


def set_up(installed):
    own = installed.runtime
    secrets = connect(own, installed.vendors, installed.url, limits="on")
    with own.database.begin() as cx:
        service.import_yaml(cx, RULES, "test")
    settings = facts.ladder(own.settings)
    backfill(
        own.database, "bank", own.clients.billing("bank"), seats_used_key="seats_used", progress=lambda *_: None,
        index=lambda cx, cid, records: identity.index_payers(cx, cid, records, settings=settings),
    )  # fmt: skip
    poison = b'{"type": "zen:event-type:ticket.created", "subject": "canary-body-77@example.com", "id": "p"}'
    with own.database.begin() as cx:
        add_internal(cx, [("desk", "p", "zen:event-type:ticket.created", "ticket:1", poison)])
        add_internal(cx, [("desk", "q", "zen:event-type:ticket.created", "ticket:1", b'{"canary": "not json')])
    return secrets


def listen(url, heard):
    """Everything anybody says to Redis, until somebody says the end."""
    with redis.Redis.from_url(url, socket_timeout=None) as client, client.monitor() as monitor:
        while END not in heard[-1:]:
            heard.append(monitor.next_command()["command"])


def refusals(installed):
    """Answers to requests that are wrong in several ways, each with canaries in it."""
    post, url = installed.vendors.http.post, f"{installed.url}/webhooks"
    headers = {
        "Content-Type": "application/json", "X-Zendesk-Webhook-Signature": "canary-signature-77",
        "Authorization": "Bearer canary-bearer-77", "X-Zendesk-Webhook-Signature-Timestamp": "2026-11-24T00:00:00Z",
    }  # fmt: skip
    body = b'{"email": "canary-body-77@example.com"}'
    return [
        post(f"{url}/zendesk/desk", data=body, headers=headers), post(f"{url}/stripe/bank", data=body, headers=headers),
        post(f"{url}/zendesk/nobody", data=body, headers=headers), post(f"{url}/zendesk/desk", data=body),
        installed.get("/metrics", Authorization="Bearer canary-bearer-77"), installed.get("/nothing?token=canary-bearer-77"),
    ]  # fmt: skip


def canaries(installed, secrets):
    people = installed.vendors.get("state/people")["people"]
    customers = installed.vendors.get("state/stripe/customers")["objects"]
    tickets = installed.vendors.get("state/zendesk")["tickets"]
    return {
        *secrets, TOKEN, KEY, "sandbox-client-secret-not-safe", "rk_test_sandbox_not_safe", "Bearer ", "canary",
        *(p["email"] for p in people), *(c["email"] for c in customers if c["email"]),
        *(t["description"] for t in tickets if len(t["description"]) > 12),
    }  # fmt: skip


def a_small_day(installed):
    vendors = installed.vendors
    vendors.post("control/zendesk/faults", [
        {"method": "PUT", "kind": "cut_after", "times": 2}, {"method": "GET", "kind": "status", "status": 500, "times": 2},
    ])  # fmt: skip
    vendors.post("control/day", {"seed": 2, "tickets": 25, "acts": 60, "seconds": 3})
    installed.wait(lambda: not vendors.get("control/day")["running"])
    calm = iter(range(4))  # a write of ours is answered by events of its own
    installed.wait(lambda: installed.at_rest() and next(calm, None) is None)


def test_a_day_at_debug_level_tells_much_and_gives_nothing_away(installed):
    heard, own = [], installed.runtime
    secrets = set_up(installed)
    listener = threading.Thread(target=listen, args=(own.urls.redis, heard), daemon=True)
    listener.start()
    installed.start("web")
    installed.start("worker")
    installed.wait(installed.is_ready)
    answers = refusals(installed)
    a_small_day(installed)
    scraped, first, second = installed.get("/metrics", Authorization=f"Bearer {TOKEN}").text, *_twice(installed)
    installed.stop()
    own.redis.echo("the end")
    listener.join(10)
    _hold_nothing_back(installed, {
        "logs": installed.logs(), "metrics": scraped, "redis": "\n".join(heard), "answers": "".join(a.text for a in answers),
    }, secrets)  # fmt: skip
    assert [a.status_code for a in answers] == [401, 401, 404, 415, 401, 404]
    _logs_say_where_they_belong(installed.logs())
    _metrics_move(installed, first)
    counters = {k: v for k, v in first.items() if k[0].startswith("deskbridge_deliveries")}
    assert counters == {k: second[k] for k in counters}, "whichever process answers, it tells of all"


def _twice(installed):
    """Scrapes on connections of their own, which the kernel spreads over the processes."""
    found = []
    for _ in range(2):
        installed.vendors.http.close()
        found.append(installed.metrics())
    return found


def _hold_nothing_back(installed, places, secrets):
    assert "write_failed" in places["logs"], "a day without a fault proves little"
    assert "app.jobs.work" in places["redis"], "nobody was heard waking anybody"
    found = [
        (place, canary) for place, text in places.items() for canary in canaries(installed, secrets) if canary in text
    ]
    assert found == []


def _logs_say_where_they_belong(text):
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    by_source = {}
    for line in lines:
        by_source.setdefault(line.get("source"), []).append(line)
    assert by_source["app.relay.service"]
    for line in by_source["app.relay.service"]:
        assert {"job", "connection_id"} <= line.keys(), line
    for line in by_source.get("app.inbox.process", []):
        assert "job" in line, line


def _metrics_move(installed, found):
    ledgers = [installed.vendors.get(f"ledger/{v}") for v in ("zendesk", "stripe")]
    # "duplicate": catching up had fetched the event before its webhook came.
    taken = sum(v for (name, labels), v in found.items() if name == "deskbridge_deliveries_total"
                and {("verdict", "stored"), ("verdict", "duplicate")} & set(labels))  # fmt: skip
    assert taken == sum(ledger["acknowledged"] for ledger in ledgers)
    assert found["deskbridge_deliveries_total", (("vendor", "zendesk"), ("verdict", "auth.signature"))] >= 1
    assert found["deskbridge_effects_total", (("state", "done"),)] >= 20
    assert found["deskbridge_inbox_quarantined", ()] >= 1
    assert found["deskbridge_inbox_depth", ()] == found["deskbridge_outbox_depth", ()] == 0
    reads = (("endpoint", "tickets_show_many"), ("outcome", "200"), ("vendor", "zendesk"))
    assert found["deskbridge_vendor_calls_total", reads] >= 1
    assert found["deskbridge_vendor_budget_left", (("bucket", "account"), ("connection", "desk"))] > 0
    assert found["deskbridge_vendor_call_seconds_count", (("vendor", "zendesk"),)] >= 1
    assert found["deskbridge_delivery_seconds_count", (("vendor", "zendesk"),)] >= 1
    assert found["deskbridge_slice_seconds_count", (("job", "inbox"),)] >= 1
    events = sum(v for (name, _), v in found.items() if name == "deskbridge_events_total")
    assert events >= taken
