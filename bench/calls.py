"""Zendesk calls a changed ticket: a burst of 5,000 tickets with 5,000 different changes, and one ticket alone."""

from __future__ import annotations

import time

from bench.report import line
from sandbox import demo

BURST = 5000
RULES = """
rules:
- {id: number, title: Its own number, order: 1, when: [ticket.*], all: [{fact: ticket.subject, contains: burst}],
   actions: [{set_custom_field: {field_id: "360001", value: "{{ticket.id}}"}}, {add_tags: {tags: [db_seen]}}]}
"""


def quiet(day):
    """Wait until all is worked off."""
    calm = 0
    while calm < 3:
        calm = calm + 1 if demo.is_quiet(day) else 0
        time.sleep(1)


def calls(day):
    """(calls of the product, tickets changed, calls by operation) since the last reset, authorisation left out."""
    found = day.json(f"{demo.SANDBOX}/ledger/zendesk")
    ours = {name: n for name, n in found["operations"].items() if "oauth" not in name and "users/me" not in name}
    return sum(ours.values()), len(found["changes"]), ours


def create(day, person, subject):
    """One ticket at the desk."""
    day.post(f"{demo.SANDBOX}/control/zendesk/act", {"do": "create_ticket", "args": [person, subject, "x"]})


def run():
    """Print calls a changed ticket."""
    with demo.running(demo.arguments(["--once"])) as day:
        demo.set_up(day)
        (day.folder / "rules.yaml").write_text(RULES)
        day.flask("triggers", "import", str(day.folder / "rules.yaml"))
        create(day, 10000, "warm up")
        quiet(day)
        day.post(f"{demo.SANDBOX}/control/zendesk/reset", {})
        began = time.monotonic()
        day.post(f"{demo.SANDBOX}/control/burst", {"tickets": BURST})
        quiet(day)
        made, changed, ours = calls(day)
        if changed != BURST:
            raise SystemExit(f"{changed} of {BURST} tickets were changed")
        load = {"tickets": BURST, "calls": ours, "seconds": round(time.monotonic() - began, 1), "limits": "real"}
        line("calls: burst", "calls a changed ticket", [made / changed], load=load)
        day.post(f"{demo.SANDBOX}/control/zendesk/reset", {})
        create(day, 10001, "one burst alone")
        quiet(day)
        made, changed, ours = calls(day)
        line("calls: alone", "calls a changed ticket", [made / max(changed, 1)], load={"calls": ours})
