"""`make demo`: the whole product against simulated vendors, as one would install it, from an empty folder.

It knows the product only as an operator does: its commands, its addresses, its ledger. With --once it streams one day,
shows what happened, and ends with one JSON line; its exit is 0 only when nothing was lost and nothing applied twice.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from sandbox.desk import demo as sidebar

ROOT = Path(__file__).resolve().parents[1]
PORTS = 8400
WEB = 8300
SANDBOX = f"http://127.0.0.1:{PORTS}/sandbox"
ZENDESK, STRIPE = f"http://127.0.0.1:{PORTS + 10}", f"http://127.0.0.1:{PORTS + 20}"
EVENTS = (
    "created comment_added status_changed priority_changed type_changed subject_changed tags_changed "
    "custom_field_changed requester_changed agent_assignment_changed group_assignment_changed"
).split()
QUIET_S = 180.0


def say(text: str) -> None:
    """One line for whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Demo:
    """One run: a folder of its own, the sandbox and the product as child processes."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.options = options
        self.http = requests.Session()
        self.http.trust_env = False
        self.children: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,  # noqa: TID251 - handed on to the children, with the demo's own settings on top
            "MODE": "sandbox", "DATA_FOLDER": str(folder / "servers"), "WEB_PORT": str(WEB),
            "PUBLIC_URL": f"http://127.0.0.1:{WEB}", "WEB_PROCESSES": "2", "WORKER_PROCESSES": "2",
            "LOG_LEVEL": "warning", **sidebar.environment(SANDBOX),
        }  # fmt: skip

    def flask(self, *words: str, show: bool = False) -> str:
        """Run a command of the product; its words come back, or the demo ends with them."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=None if show else subprocess.PIPE, text=True,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"`flask {' '.join(words)}` failed:\n{done.stdout}{done.stderr or ''}")
        return done.stdout

    def start(self, name: str, *command: str) -> None:
        """A child process, its output in a log beside the data."""
        with (self.folder / f"{name}.log").open("wb") as log:
            self.children.append(
                subprocess.Popen(
                    [sys.executable, "-m", *command],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )  # fmt: skip
            )

    def stop(self) -> None:
        """End every child, then the embedded servers."""
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
        self.flask("servers", "stop")
        self.http.close()

    def wait_for(self, what: str, url: str, seconds: float = 60.0) -> None:
        """Until an address answers 200."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and all(child.poll() is None for child in self.children):
            try:
                if self.http.get(url, timeout=5).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.2)
        raise SystemExit(f"{what} did not come up at {url}.{self.logs()}")

    def logs(self) -> str:
        """The end of what each child wrote."""
        return "".join(f"\n{log.name}: {log.read_text()[-2000:]}" for log in sorted(self.folder.glob("*.log")))

    def json(self, url: str) -> Any:  # noqa: ANN401 - JSON
        answer = self.http.get(url, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, url: str, body: Any) -> Any:  # noqa: ANN401 - JSON
        answer = self.http.post(url, json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()


def set_up(demo: Demo) -> None:
    """Sandbox, servers, tables, connections, rules, the mirror, web and workers."""
    say("Starting the simulated Zendesk and Stripe ...")
    own = f"http://127.0.0.1:{WEB}"
    demo.start("sandbox", "sandbox", "--ports-from", str(PORTS), "--deskbridge-url", own)
    demo.wait_for("The sandbox", f"{SANDBOX}/")
    say("Starting PostgreSQL and Redis, making the tables ...")
    demo.flask("db", "upgrade")
    say("Connecting both vendors, importing the starter rules ...")
    _connect(demo)
    sidebar.connect(demo, SANDBOX)
    say("  " + demo.flask("triggers", "import", "examples/rules.yaml").strip())
    say("Copying what Stripe knows (flask billing backfill) ...")
    say("  " + demo.flask("billing", "backfill", "stripe_demo", show=True).strip())
    say("Starting two web processes and two workers ...")
    demo.start("web", "flask", "--app", "wsgi", "web")
    demo.start("worker", "flask", "--app", "wsgi", "worker")
    demo.wait_for("Deskbridge", f"http://127.0.0.1:{WEB}/readyz")


def _connect(demo: Demo) -> None:
    """Webhooks first, as an admin would: their secrets go into the connections."""
    token = demo.post(f"{ZENDESK}/oauth/tokens", {
        "grant_type": "client_credentials", "client_id": "deskbridge",
        "client_secret": "sandbox-client-secret-not-safe", "scope": "read write", "expires_in": 7200,
    })["access_token"]  # fmt: skip
    bearer = {"Authorization": f"Bearer {token}"}
    hook = demo.http.post(f"{ZENDESK}/api/v2/webhooks", headers=bearer, json={"webhook": {
        "name": "Deskbridge", "status": "active", "endpoint": f"http://127.0.0.1:{WEB}/webhooks/zendesk/zendesk_demo",
        "http_method": "POST", "request_format": "json",
        "subscriptions": [f"zen:event-type:ticket.{kind}" for kind in EVENTS],
    }}).json()["webhook"]  # fmt: skip
    secret = demo.http.get(f"{ZENDESK}/api/v2/webhooks/{hook['id']}/signing_secret", headers=bearer).json()
    endpoint = demo.http.post(
        f"{STRIPE}/v1/webhook_endpoints", headers={"Authorization": "Bearer rk_test_sandbox_not_safe"},
        data={"url": f"http://127.0.0.1:{WEB}/webhooks/stripe/stripe_demo", "enabled_events[0]": "*"},
    ).json()  # fmt: skip
    base_zendesk, base_stripe = demo.options.zendesk_url or ZENDESK, demo.options.stripe_url or STRIPE
    demo.flask(
        "connections", "add", "zendesk", "--id", "zendesk_demo", "--name", "Simulated Zendesk",
        "--base-url", base_zendesk, "--set", "subdomain=acme", "--set", "client_id=deskbridge",
        "--set", "calls_per_minute=700", "--secret", "client_secret=sandbox-client-secret-not-safe",
        "--secret", f"webhook_secret={secret['signing_secret']['secret']}",
    )  # fmt: skip
    demo.flask(
        "connections", "add", "stripe", "--id", "stripe_demo", "--name", "Simulated Stripe", "--base-url", base_stripe,
        "--secret", "api_key=rk_test_sandbox_not_safe", "--secret", f"webhook_secret={endpoint['secret']}",
    )  # fmt: skip


def run_day(demo: Demo) -> None:
    """Stream the day in, then wait until everything has come to rest."""
    seconds, tickets = demo.options.seconds, demo.options.tickets
    demo.post(f"{SANDBOX}/control/day", {"seed": 1, "tickets": tickets, "acts": tickets * 5, "seconds": seconds})
    while (progress := demo.json(f"{SANDBOX}/control/day"))["running"]:
        counts = json.loads(demo.flask("inbox", "ledger", "--json"))
        stored = sum(counts["deliveries"].values())
        say(f"  {progress['done']:>5} of {progress['total']} things happened, {stored} deliveries stored")
        time.sleep(3)
    if progress["error"]:
        raise SystemExit(f"The day broke off: {progress['error']}")
    say("The day is over; waiting until everything is worked off and written back ...")
    until = time.monotonic() + QUIET_S
    calm = 0
    while calm < 3:
        calm = calm + 1 if is_quiet(demo) else 0
        if time.monotonic() > until:
            raise SystemExit(
                f"It did not come to rest in {QUIET_S:.0f} s: {demo.flask('inbox', 'ledger')}{demo.logs()}"
            )
        time.sleep(1.0)


def is_quiet(demo: Demo) -> bool:
    """Nothing on the way at the vendors, nothing waiting in ours."""
    if any(demo.json(f"{SANDBOX}/ledger/{vendor}")["pending"] for vendor in ("zendesk", "stripe")):
        return False
    counts = json.loads(demo.flask("inbox", "ledger", "--json"))
    waiting = [n for name, n in counts["deliveries"].items() if name.endswith(" received")]
    open_changes = [
        n for name, n in counts["changes"].items() if name.split()[-1] in ("pending", "sending", "accepted")
    ]
    return not sum(waiting) and not sum(open_changes)


def summary(demo: Demo, seconds: float) -> dict[str, Any]:
    """The figures, ours and the vendors' own side by side."""
    zendesk, stripe = (demo.json(f"{SANDBOX}/ledger/{v}?keys=1") for v in ("zendesk", "stripe"))
    counts = json.loads(demo.flask("inbox", "ledger", "--json"))
    tickets = demo.json(f"{SANDBOX}/state/zendesk")["tickets"]
    lost = 0
    for connection, ledger in (("zendesk_demo", zendesk), ("stripe_demo", stripe)):
        stored = {line.split("\t")[0] for line in demo.flask("inbox", "keys", connection).splitlines()}
        lost += sum(1 for key, d in ledger["keys"].items() if key not in stored and not d["lost"])
    ours: Counter[str] = Counter()
    for line in demo.flask("outbox", "writes", "zendesk_demo").splitlines():
        ticket, writes = line.split("\t")
        ours[ticket] = int(writes)
    twice = sum(max(0, made - ours[ticket]) for ticket, made in zendesk["changes"].items())
    operations = zendesk["operations"]
    writes = sum(n for name, n in operations.items() if name.startswith(("PUT", "DELETE")))
    tagged = [t for t in tickets if any(tag.startswith("db_") for tag in t["tags"])]
    return {
        "deliveries": zendesk["deliveries"] + stripe["deliveries"],
        "events": sum(n for name, n in counts["deliveries"].items() if not name.endswith(" ignored")),
        "tickets": len(tickets), "enriched": counts["tickets"].get("zendesk_demo", 0), "tagged": len(tagged),
        "zendesk_reads": sum(n for name, n in operations.items() if name.startswith("GET")), "zendesk_writes": writes,
        "tickets_changed": len(zendesk["changes"]), "stripe_calls": stripe["calls"] - 1, "lost": lost,
        "duplicates_applied": twice, "seconds": round(seconds, 1),
    }  # fmt: skip


def show_some(demo: Demo) -> None:
    """A few tickets, before and after, with the reason of each tag."""
    tickets = demo.json(f"{SANDBOX}/state/zendesk")["tickets"]
    tagged = sorted((t for t in tickets if any(x.startswith("db_") for x in t["tags"])), key=lambda t: -len(t["tags"]))
    for ticket in tagged[:3]:
        own = [tag for tag in ticket["tags"] if tag.startswith("db_")]
        say(f"\nTicket {ticket['id']}: {ticket['subject']}")
        say(f"  before  {', '.join(tag for tag in ticket['tags'] if tag not in own) or '(no tags)'}")
        say(f"  after   {', '.join(ticket['tags'])}")
        for line in demo.flask("triggers", "explain", str(ticket["id"]), "--fired").splitlines():
            say(f"  {line}")


@contextmanager
def running(options: argparse.Namespace) -> Iterator[Demo]:
    """A demo in a fresh folder; everything it started is ended, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="deskbridge-demo-"))
    folder.chmod(0o711)
    demo = Demo(folder, options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        yield demo
    finally:
        demo.stop()
        shutil.rmtree(folder, ignore_errors=True)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The options of a run."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="one day, a summary, the end")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--tickets", type=int, default=320)
    parser.add_argument("--zendesk-url", default="", help="another address for our calls, such as a proxy's")
    parser.add_argument("--stripe-url", default="")
    return parser.parse_args(words)


def main() -> int:
    """Run it; 0 when nothing was lost and nothing applied twice."""
    options = arguments()
    began = time.monotonic()
    with running(options) as demo:
        set_up(demo)
        say("")
        say(f"  The simulated desk      {SANDBOX}/")
        say(f"  The sidebar in it       {SANDBOX}/desk/")
        say(f"  Deskbridge              http://127.0.0.1:{WEB}/readyz and /metrics")
        say("  Why a ticket has a tag  the ticket's page at the desk, or with the same servers from a terminal:")
        say(f"                          DATA_FOLDER={demo.folder}/servers .venv/bin/flask triggers explain ID")
        say("")
        say(f"A support day streams in: {options.tickets} tickets in {options.seconds:.0f} s ...")
        run_day(demo)
        show_some(demo)
        figures = summary(demo, time.monotonic() - began)
        say("\n" + json.dumps(figures))
        if not options.once:
            say("Everything stays up; stop it with Ctrl-C.")
            try:
                signal.pause()
            except KeyboardInterrupt:
                say("Stopping ...")
        return int(bool(figures["lost"] or figures["duplicates_applied"]))


if __name__ == "__main__":
    sys.exit(main())
