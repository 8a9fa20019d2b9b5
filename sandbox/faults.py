"""`make faults`: the servers are killed, frozen and restarted under load, and one JSON line a fault says what it cost.

Acknowledged: events answered with a 2xx. Stored: those of them that have a row. Applied: tickets that got their tag at the
simulated desk. Lost and doubled must be 0. recovery_s: from the end of the fault until everything was applied.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import redis
import requests

from sandbox import demo
from sandbox.demo import Demo

SECRET = "faults-secret-not-safe"
RECOVERY_S = 60.0
RULES = """rules:
- {id: seen, title: Seen, order: 1, when: ["ticket.created"], all: [{fact: ticket.id, is_present: true}],
   actions: [{add_tags: {tags: [db_seen]}}]}
"""


class Load:
    """New tickets at the desk whose deliveries are sent by us: signed, several copies, again until they are taken."""

    def __init__(self, day: Demo, events: int, copies: int) -> None:
        self.day = day
        self.copies = copies
        known = {t["id"] for t in day.json(f"{demo.SANDBOX}/state/zendesk")["tickets"]}
        day.post(f"{demo.SANDBOX}/control/zendesk/mishaps", {"lose": 1.0})
        day.post(f"{demo.SANDBOX}/control/burst", {"tickets": events})
        made = [t for t in day.json(f"{demo.SANDBOX}/state/zendesk")["tickets"] if t["id"] not in known]
        self.tickets = {f"fault-{t['id']}": t for t in made}
        self.acknowledged: set[str] = set()
        self._pause_s = 0.0
        self._local = threading.local()

    def send(self, over_s: float, threads: int = 8) -> None:
        """All copies, shuffled and spread over some seconds, each until it was acknowledged."""
        keys = [key for key in self.tickets for _ in range(self.copies)]
        random.Random(1).shuffle(keys)
        self._pause_s = over_s * threads / len(keys)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(self._until_taken, keys))

    def _until_taken(self, key: str) -> None:
        time.sleep(self._pause_s)
        body = self._body(key)
        url = f"http://127.0.0.1:{demo.WEB}/webhooks/zendesk/zendesk_demo"
        for _ in range(400):
            try:
                answer = self._session().post(url, data=body, headers=_signed(body), timeout=15)
                if answer.status_code in (200, 202):
                    self.acknowledged.add(key)
                    return
                if answer.status_code < 500:
                    raise SystemExit(f"the door refused an honest delivery: {answer.status_code} {answer.text}")
            except requests.RequestException:
                pass
            time.sleep(0.25)
        raise SystemExit("the door did not take a delivery for 100 seconds")

    def _body(self, key: str) -> bytes:
        ticket = self.tickets[key]
        now = ticket["created_at"]
        detail = {
            "id": str(ticket["id"]), "actor_id": str(ticket["requester_id"]), "status": "NEW", "created_at": now,
            "requester_id": str(ticket["requester_id"]), "subject": ticket["subject"], "tags": ticket["tags"],
            "updated_at": ticket["updated_at"],
        }  # fmt: skip
        return json.dumps({
            "account_id": 1, "id": key, "type": "zen:event-type:ticket.created", "subject": f"zen:ticket:{ticket['id']}",
            "time": now, "zendesk_event_version": "2022-11-06", "detail": detail, "event": {},
        }).encode()  # fmt: skip

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session

    def outcome(self) -> dict[str, int]:
        """Counts at the desk and in our ledger."""
        stored = {line.split("\t")[0] for line in self.day.flask("inbox", "keys", "zendesk_demo").splitlines()}
        writes = self.day.json(f"{demo.SANDBOX}/ledger/zendesk")["changes"]
        mine = [str(t["id"]) for t in self.tickets.values()]
        return {
            "acknowledged": len(self.acknowledged), "stored": len(self.acknowledged & stored), "applied": self.applied(),
            "lost": len(self.acknowledged - stored), "doubled": sum(max(0, writes.get(t, 0) - 1) for t in mine),
        }  # fmt: skip

    def applied(self) -> int:
        """Tickets of this load that carry their tag."""
        ours = {t["id"] for t in self.tickets.values()}
        tickets = self.day.json(f"{demo.SANDBOX}/state/zendesk")["tickets"]
        return sum(1 for t in tickets if t["id"] in ours and "db_seen" in t["tags"])

    def wait(self, seconds: float = 2 * RECOVERY_S) -> float:
        """Until every acknowledged event was applied, or the time is over; answers how long it took."""
        began = time.monotonic()
        while self.applied() < len(self.acknowledged) and time.monotonic() - began < seconds:
            time.sleep(0.2)
        return time.monotonic() - began


def _signed(body: bytes) -> dict[str, str]:
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hmac.new(SECRET.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json", "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
    }  # fmt: skip


def _processes(day: Demo, program: str) -> list[psutil.Process]:
    """The main processes of an embedded server of this run, by their command lines."""
    folder = str(day.folder / "servers")
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if line and line[0].endswith(program) and any(folder in part for part in line):
            found.append(process)
    return sorted(found, key=lambda p: p.pid)[:1]


def _kill(processes: Sequence[psutil.Process], how: signal.Signals) -> None:
    for process in processes:
        process.send_signal(how)


def nothing(day: Demo, scale: float) -> None:
    """Only the copies."""


def postgres_restarts(day: Demo, scale: float) -> None:
    """Fast, immediate and killed, in turn; the supervisor starts it again each time."""
    hows = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
    for number in range(max(2, int(10 * scale))):
        time.sleep(1.0)
        until = time.monotonic() + 30
        while not (server := _processes(day, "/postgres")) and time.monotonic() < until:
            time.sleep(0.1)
        _kill(server, hows[number % len(hows)])


def _redis(day: Demo) -> redis.Redis:
    sockets = next((day.folder / "servers" / "run").resolve().glob("*valkey*"), None)
    if sockets is None:
        raise SystemExit("the embedded Redis has no socket")
    return redis.Redis(unix_socket_path=str(sockets))


def redis_flushed(day: Demo, scale: float) -> None:
    """Everything Redis knows is gone, three times."""
    for _ in range(3):
        time.sleep(1.0)
        with _redis(day) as client:
            client.flushall()


def redis_killed(day: Demo, scale: float) -> None:
    """kill -9, twice."""
    for _ in range(2):
        time.sleep(1.5)
        _kill(_processes(day, "valkey-server"), signal.SIGKILL)


def redis_frozen(day: Demo, scale: float) -> None:
    """It takes connections and answers nothing, for a while."""
    server = _processes(day, "valkey-server")
    _kill(server, signal.SIGSTOP)
    time.sleep(max(6.0, 60.0 * scale))
    _kill(server, signal.SIGCONT)


def workers_killed(day: Demo, scale: float) -> None:
    """kill -9 of every worker, twice; their parent starts them again."""
    for _ in range(2):
        time.sleep(1.5)
        _kill(_children(day, "worker"), signal.SIGKILL)


def web_killed(day: Demo, scale: float) -> None:
    """kill -9 of every web process, twice; their parent starts them again."""
    for _ in range(2):
        time.sleep(1.0)
        _kill(_children(day, "web"), signal.SIGKILL)


def _children(day: Demo, command: str) -> list[psutil.Process]:
    for child in day.children:
        parent = psutil.Process(child.pid)
        if parent.cmdline()[-1:] == [command]:
            return parent.children()
    return []


# What is done, and over how many seconds the load is spread meanwhile, at scale 1.
FAULTS: dict[str, tuple[Callable[[Demo, float], None], float]] = {
    "copies": (nothing, 0.0), "postgres_restarts": (postgres_restarts, 40.0), "redis_flushed": (redis_flushed, 5.0),
    "redis_killed": (redis_killed, 5.0), "redis_frozen": (redis_frozen, 60.0), "workers_killed": (workers_killed, 5.0),
    "web_killed": (web_killed, 5.0),
}  # fmt: skip


@contextmanager
def product(tickets: int = 1) -> Iterator[Demo]:
    """The whole product beside the sandbox, with one rule: every new ticket gets one tag."""
    with demo.running(demo.arguments(["--once", "--tickets", str(tickets)])) as day:
        day.environment |= {"INBOX_LEASE_S": "5", "OUTBOX_LEASE_S": "5", "INBOX_GATHER_S": "1", "CATCHUP_S": "3600"}
        demo.set_up(day)
        rules = Path(day.folder) / "rules.yaml"
        rules.write_text(RULES, encoding="utf-8")
        day.flask("triggers", "import", str(rules))
        day.flask("connections", "rotate", "zendesk_demo", f"webhook_secret={SECRET}")
        yield day


def strike(day: Demo, name: str, events: int, copies: int, scale: float) -> dict[str, Any]:
    """One fault under load; answers its line."""
    load = Load(day, events, copies)
    fault, over_s = FAULTS[name]
    sending = threading.Thread(target=load.send, args=(over_s * scale,))
    sending.start()
    fault(day, scale)
    ended = time.monotonic()
    sending.join()
    load.wait()
    recovery_s = time.monotonic() - ended
    return {"fault": name, "events": events, "copies": copies, **load.outcome(), "recovery_s": round(recovery_s, 1)}


def is_well(line: dict[str, Any]) -> bool:
    """Nothing lost, nothing doubled, everything applied in time."""
    whole = line["acknowledged"] == line["stored"] == line["applied"] == line["events"]
    return whole and not line["lost"] and not line["doubled"] and line["recovery_s"] <= RECOVERY_S


def main() -> int:
    """Every fault in turn; 0 when all of them were survived."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="1: ten restarts, a minute frozen")
    parser.add_argument("--only", choices=sorted(FAULTS))
    options = parser.parse_args()
    lines = []
    with product() as day:
        for name in [options.only] if options.only else FAULTS:
            demo.say(f"{name} ...")
            lines.append(strike(day, name, options.events, options.copies, options.scale))
            demo.say(json.dumps(lines[-1]))
    return int(not all(map(is_well, lines)))


if __name__ == "__main__":
    sys.exit(main())
