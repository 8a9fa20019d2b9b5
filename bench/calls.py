"""Vendor calls, counted at the simulated vendors: a burst, one ticket alone, a ticket that needs nothing."""

from __future__ import annotations

import time
from typing import Any

from bench.report import line
from sandbox import demo

BURST = 5000
RULES = """
rules:
- {id: number, title: Its own number, order: 1, when: [ticket.*], all: [{fact: ticket.subject, contains: burst}],
   actions: [{set_custom_field: {field_id: "360001", value: "{{ticket.id}}"}}, {add_tags: {tags: [db_seen]}}]}
"""
# The catch-ups, which come by the clock whether tickets do or not: counted, and shown apart.
ASIDE = ("GET /v1/events", "GET /api/v2/incremental/tickets/cursor.json")


def quiet(day: demo.Demo) -> None:
    """Wait until all is worked off."""
    calm = 0
    while calm < 3:
        calm = calm + 1 if demo.is_quiet(day) else 0
        time.sleep(1)


def reset(day: demo.Demo) -> None:
    """Count from now on."""
    for vendor in ("zendesk", "stripe"):
        day.post(f"{demo.SANDBOX}/control/{vendor}/reset", {})


def calls(day: demo.Demo) -> tuple[dict[str, int], int, dict[str, int]]:
    """(Zendesk calls by operation, tickets changed, Stripe calls by operation), authorisation left out."""
    zendesk, stripe = (day.json(f"{demo.SANDBOX}/ledger/{vendor}") for vendor in ("zendesk", "stripe"))
    ours = {name: n for name, n in zendesk["operations"].items() if "oauth" not in name and "users/me" not in name}
    return ours, len(zendesk["changes"]), stripe["operations"]


def for_tickets(operations: dict[str, int]) -> int:
    """Those that were made because of a ticket."""
    return sum(n for name, n in operations.items() if name not in ASIDE)


def act(day: demo.Demo, what: str, *given: object) -> Any:
    """Something a person does at the desk."""
    return day.post(f"{demo.SANDBOX}/control/zendesk/act", {"do": what, "args": list(given)})["answer"]


def writes(ours: dict[str, int]) -> int:
    """Calls that change something."""
    return sum(n for name, n in ours.items() if name.startswith(("PUT", "POST", "DELETE")))


def burst(day: demo.Demo) -> None:
    """Many tickets, each with a change of its own."""
    reset(day)
    began = time.monotonic()
    day.post(f"{demo.SANDBOX}/control/burst", {"tickets": BURST})
    quiet(day)
    ours, changed, theirs = calls(day)
    if changed != BURST:
        raise SystemExit(f"{changed} of {BURST} tickets were changed")
    load = {"tickets": BURST, "calls": ours, "seconds": round(time.monotonic() - began, 1), "limits": "real"}
    line("calls: burst, Zendesk calls a changed ticket", "calls", [sum(ours.values()) / changed], load=load,
         goal=("<=", 0.10))  # fmt: skip
    line("calls: burst, Stripe calls a ticket", "calls", [for_tickets(theirs) / BURST], load={"calls": theirs},
         goal=("<=", 0))  # fmt: skip


def alone(day: demo.Demo) -> int:
    """One ticket, nobody beside it; answers its id."""
    reset(day)
    ticket = act(day, "create_ticket", 10001, "one burst alone", "x")
    quiet(day)
    ours, changed, theirs = calls(day)
    if changed != 1:
        raise SystemExit(f"{changed} tickets were changed instead of one")
    line("calls: alone", "calls", [for_tickets(ours)], load={"calls": ours}, goal=("<=", 3))
    line("calls: alone, writes", "calls", [writes(ours)], load={"calls": ours}, goal=("<=", 1))
    line("calls: alone, Stripe calls", "calls", [for_tickets(theirs)], load={"calls": theirs}, goal=("<=", 0))
    return int(ticket["id"] if isinstance(ticket, dict) else ticket)


def unchanged(day: demo.Demo, ticket: int) -> None:
    """The same ticket again: every rule fires and all it wants is so already."""
    before = day.flask("inbox", "ledger", "--json")
    reset(day)
    act(day, "change", ticket, 10001, {"priority": "high"})
    quiet(day)
    ours, _, _ = calls(day)
    if day.flask("inbox", "ledger", "--json") == before:
        raise SystemExit("the ticket's event did not arrive")
    line("calls: unchanged, writes", "calls", [writes(ours)], load={"calls": ours}, goal=("<=", 0))


def run() -> None:
    """Print the counts."""
    with demo.running(demo.arguments(["--once"])) as day:
        demo.set_up(day)
        (day.folder / "rules.yaml").write_text(RULES)
        day.flask("triggers", "import", str(day.folder / "rules.yaml"))
        act(day, "create_ticket", 10000, "warm up", "x")
        quiet(day)
        burst(day)
        unchanged(day, alone(day))
