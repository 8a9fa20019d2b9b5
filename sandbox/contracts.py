"""`make contracts`: the demo's traffic goes through proxies that check each call and answer against the vendor's document.

The documents and the proxy are not part of the project; without them beside it this says so and ends with 2.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from sandbox import demo

SHARED = Path(__file__).resolve().parents[2] / "shared"
SPECS = SHARED / "data" / "contracts" / "specs"
ZENDESK, STRIPE = 8510, 8520
UNJUDGED = ("/oauth/",)  # no document describes these; the product's own tests hold them to the vendor sheet
ZENDESK_OPTIONS = [
    "--null-ok", "--waive", str(SPECS / "zendesk_waivers.json"), "--ignore", UNJUDGED[0],
    "--allow-query", r"^(page|per_page|include|sort|sort_by|sort_order|filter)(\[|$)",
]  # fmt: skip


def proxy(spec: str, port: int, upstream: str, log: Path, *options: str) -> subprocess.Popen[bytes]:
    """One strict proxy: a call or an answer outside the document becomes a 502."""
    command = [
        sys.executable, str(SHARED / "tools" / "contract_proxy.py"), "serve", "--spec", str(SPECS / spec),
        "--upstream", upstream, "--listen", f"127.0.0.1:{port}", "--log", str(log), "--strict", *options,
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def report(port: int, unjudged: int) -> dict[str, Any]:
    """What a proxy saw."""
    session = requests.Session()
    session.trust_env = False
    found = session.get(f"http://127.0.0.1:{port}/__contract__/report", timeout=30).json()
    return {"calls": found["exchanges"] + unjudged, "violations": found["with_violations"], "unjudged": unjudged}


def main() -> int:
    """The demo's day through both proxies; 0 when no call and no answer broke a document."""
    if not SPECS.exists():
        demo.say("The vendors' documents are not here (../shared): nothing was checked.")
        return 2
    options = demo.arguments(
        ["--once", "--zendesk-url", f"http://127.0.0.1:{ZENDESK}", "--stripe-url", f"http://127.0.0.1:{STRIPE}"]
    )
    with demo.running(options) as day:
        proxies = [
            proxy("zendesk_support.trimmed.json", ZENDESK, demo.ZENDESK, day.folder / "z.jsonl", *ZENDESK_OPTIONS),
            proxy("stripe_2026-10-28_derived.trimmed.json", STRIPE, demo.STRIPE, day.folder / "s.jsonl"),
        ]
        try:
            for port in (ZENDESK, STRIPE):
                day.wait_for("A contract proxy", f"http://127.0.0.1:{port}/__contract__/report")
            demo.set_up(day)
            demo.run_day(day)
            operations = day.json(f"{demo.SANDBOX}/ledger/zendesk")["operations"]
            oauth = (
                sum(n for name, n in operations.items() if any(path in name for path in UNJUDGED)) - 1
            )  # one is the demo's
            found = {"zendesk": report(ZENDESK, oauth), "stripe": report(STRIPE, 0)}
            for log in ("z.jsonl", "s.jsonl"):
                for line in (day.folder / log).read_text().splitlines()[:5]:
                    if '"violation"' in line:
                        demo.say(line)
        finally:
            for one in proxies:
                one.kill()
                one.wait()
    demo.say(json.dumps(found))
    return int(any(one["violations"] for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
