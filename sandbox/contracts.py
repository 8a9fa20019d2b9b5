"""`make contracts`: the demo's traffic goes through proxies that check each call and answer against the vendor's document.

What no document describes (Zendesk's tokens and webhooks API) is recorded and held to schemas of our own: such calls are
`unjudged` by the vendor, and one that breaks our schema is a violation all the same. The documents and the proxy are not
part of the project; without them beside it this says so and ends with 2.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from sandbox import demo, refunding
from sandbox.judging import Judged, judge
from sandbox.zendesk.schemas import PREFIXES

SHARED = Path(__file__).resolve().parents[2] / "shared"
SPECS = SHARED / "data" / "contracts" / "specs"
ZENDESK_SPEC, STRIPE_SPEC = "zendesk_support.trimmed.json", "stripe_2026-10-28_derived.trimmed.json"
INTERCOM_SPEC = "intercom_2.15.trimmed.json"
ZENDESK, STRIPE, INTERCOM = 8510, 8520, 8530
ZENDESK_OPTIONS = [
    "--null-ok", "--waive", str(SPECS / "zendesk_waivers.json"),
    *(word for prefix in PREFIXES for word in ("--ignore", prefix)),
    "--allow-query", r"^(page|per_page|include|sort|sort_by|sort_order|filter)(\[|$)",
]  # fmt: skip


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
    ports = {"zendesk": ZENDESK, "stripe": STRIPE, "intercom": INTERCOM}
    urls = [word for vendor, port in ports.items() for word in (f"--{vendor}-url", f"http://127.0.0.1:{port}")]
    options = demo.arguments(["--once", *urls])
    with demo.running(options) as day:
        record = day.folder / "zendesk.record"
        record.touch()
        proxies = [
            proxy(
                ZENDESK_SPEC, ZENDESK, demo.ZENDESK, day.folder / "z.jsonl", *ZENDESK_OPTIONS, "--record", str(record)
            ),
            proxy(STRIPE_SPEC, STRIPE, demo.STRIPE, day.folder / "s.jsonl"),
            proxy(INTERCOM_SPEC, INTERCOM, demo.INTERCOM, day.folder / "i.jsonl"),
        ]
        try:
            for port in ports.values():
                day.wait_for("A contract proxy", f"http://127.0.0.1:{port}/__contract__/report")
            demo.set_up(day)
            demo.run_day(day)
            refunding.perform(day, demo.rest)
            own = judge(record.read_text(encoding="utf-8").splitlines())
            found = {vendor: report(port, own if vendor == "zendesk" else Judged()) for vendor, port in ports.items()}
            for line in (*own.violations, *violations(day.folder)):
                demo.say(line)
        finally:
            for one in proxies:
                one.kill()
                one.wait()
    demo.say(json.dumps(found))
    return int(any(one["violations"] for one in found.values()))


def violations(folder: Path) -> list[str]:
    """The first few that each proxy logged."""
    return [
        line
        for log in ("z.jsonl", "s.jsonl", "i.jsonl")
        for line in [x for x in (folder / log).read_text().splitlines() if '"violation"' in x][:5]
    ]


if __name__ == "__main__":
    sys.exit(main())
