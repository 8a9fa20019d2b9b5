"""`make contracts`: the demo's traffic goes through proxies that check each call and answer against the vendor's document.

What no document describes (Zendesk's tokens and webhooks; Salesforce's tokens, collections and jobs) is recorded and held to
schemas of our own: such calls are `unjudged` by the vendor, and one that breaks our schema is a violation all the same.
The documents and the proxy are not part of the project; without them beside it this says so and ends with 2.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from sandbox import demo, refunding, selling
from sandbox.judging import Judged, Schemas, judge
from sandbox.running import PORTS
from sandbox.salesforce import schemas as salesforce
from sandbox.zendesk import schemas as zendesk

SHARED = Path(__file__).resolve().parents[2] / "shared"
SPECS = SHARED / "data" / "contracts" / "specs"
ZENDESK_SPEC, STRIPE_SPEC = "zendesk_support.trimmed.json", "stripe_2026-10-28_derived.trimmed.json"
INTERCOM_SPEC, SALESFORCE_SPEC = "intercom_2.15.trimmed.json", "salesforce_derived.json"


def ignoring(schemas: Schemas) -> list[str]:
    """The proxy's options that leave to us what our schemas judge."""
    return [word for prefix in schemas.PREFIXES for word in ("--ignore", prefix)]


ZENDESK_OPTIONS = [
    "--null-ok", "--waive", str(SPECS / "zendesk_waivers.json"), *ignoring(zendesk),
    "--allow-query", r"^(page|per_page|include|sort|sort_by|sort_order|filter)(\[|$)",
]  # fmt: skip
SALESFORCE_OPTIONS = ignoring(salesforce)


@dataclass(frozen=True, slots=True)
class Checked:
    """A vendor behind a proxy: the proxy's port, where it sends calls on to, the document; schemas of our own beside it."""

    port: int
    upstream: str
    spec: str
    options: Sequence[str] = ()
    own: Schemas | None = None


VENDORS = {
    "zendesk": Checked(8510, demo.ZENDESK, ZENDESK_SPEC, ZENDESK_OPTIONS, zendesk),
    "stripe": Checked(8520, demo.STRIPE, STRIPE_SPEC),
    "intercom": Checked(8530, demo.INTERCOM, INTERCOM_SPEC),
    "salesforce": Checked(8540, f"http://127.0.0.1:{PORTS + 40}", SALESFORCE_SPEC, SALESFORCE_OPTIONS, salesforce),
}


def proxy(spec: str, port: int, upstream: str, log: Path, *options: str) -> subprocess.Popen[bytes]:
    """One strict proxy: a call or an answer outside the document becomes a 502."""
    command = [
        sys.executable, str(SHARED / "tools" / "contract_proxy.py"), "serve", "--spec", str(SPECS / spec),
        "--upstream", upstream, "--listen", f"127.0.0.1:{port}", "--log", str(log), "--strict", *options,
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def report(port: int, own: Judged) -> dict[str, Any]:
    """What a proxy saw, and what our own schemas did."""
    session = requests.Session()
    session.trust_env = False
    with session:
        found = session.get(f"http://127.0.0.1:{port}/__contract__/report", timeout=30).json()
    return {
        "calls": found["exchanges"] + own.calls, "violations": found["with_violations"] + len(own.violations),
        "unjudged": own.calls,
    }  # fmt: skip


def main() -> int:
    """The demo's day through the proxies; 0 when no call and no answer broke a document or a schema."""
    if not SPECS.exists():
        demo.say("The vendors' documents are not here (../shared): nothing was checked.")
        return 2
    options = demo.arguments(["--once"])
    for name, vendor in VENDORS.items():
        setattr(options, f"{name}_url", f"http://127.0.0.1:{vendor.port}")
    with demo.running(options) as day:
        proxies = [started(name, vendor, day.folder) for name, vendor in VENDORS.items()]
        try:
            for vendor in VENDORS.values():
                day.wait_for("A contract proxy", f"http://127.0.0.1:{vendor.port}/__contract__/report")
            demo.set_up(day)
            selling.begin(day)
            demo.run_day(day)
            refunding.perform(day, demo.rest)
            own = {name: judged(name, vendor, day.folder) for name, vendor in VENDORS.items()}
            found = {name: report(vendor.port, own[name]) for name, vendor in VENDORS.items()}
            for line in (*(line for one in own.values() for line in one.violations), *violations(day.folder)):
                demo.say(line)
        finally:
            for one in proxies:
                one.kill()
                one.wait()
    demo.say(json.dumps(found))
    return int(any(one["violations"] for one in found.values()))


def started(name: str, vendor: Checked, folder: Path) -> subprocess.Popen[bytes]:
    """A vendor's proxy; with schemas of our own it keeps a record for them."""
    record = folder / f"{name}.record"
    record.touch()
    options = [*vendor.options, *(("--record", str(record)) if vendor.own else ())]
    return proxy(vendor.spec, vendor.port, vendor.upstream, folder / f"{name}.jsonl", *options)


def judged(name: str, vendor: Checked, folder: Path) -> Judged:
    """What our own schemas say of a vendor's record."""
    lines = (folder / f"{name}.record").read_text(encoding="utf-8").splitlines()
    return judge(lines, vendor.own) if vendor.own else Judged()


def violations(folder: Path) -> list[str]:
    """The first few that each proxy logged."""
    return [
        line
        for name in VENDORS
        for line in [x for x in (folder / f"{name}.jsonl").read_text().splitlines() if '"violation"' in x][:5]
    ]


if __name__ == "__main__":
    sys.exit(main())
