"""What a day of the demo came to: figures, ours and the vendors' own side by side, and some tickets with their reasons."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.recovering import CONNECTIONS, missing
from sandbox.running import SANDBOX, Demo, say

DESKS = ("zendesk_demo", "intercom_demo")
WRITES = ("PUT", "DELETE", "POST")
SHOWN = 3


def summary(demo: Demo, seconds: float) -> dict[str, Any]:
    """The figures of the last line."""
    ledgers = {vendor: demo.json(f"{SANDBOX}/ledger/{vendor}?keys=1") for _, vendor in CONNECTIONS}
    zendesk, stripe, intercom = (ledgers[vendor] for vendor in ("zendesk", "stripe", "intercom"))
    unsent, unknown = missing(demo)
    counts = json.loads(demo.flask("inbox", "ledger", "--json"))
    tickets = demo.json(f"{SANDBOX}/state/zendesk")["tickets"]
    operations = {name: n for name, n in zendesk["operations"].items() if "/oauth/" not in name}
    return {
        "deliveries": sum(ledger["deliveries"] for ledger in ledgers.values()),
        "events": sum(n for name, n in counts["deliveries"].items() if not name.endswith(" ignored")),
        "tickets": len(tickets), "enriched": counts["tickets"].get("zendesk_demo", 0),
        "tagged": sum(any(tag.startswith("db_") for tag in t["tags"]) for t in tickets),
        "zendesk_reads": sum(n for name, n in operations.items() if name.startswith("GET")),
        "zendesk_writes": sum(n for name, n in operations.items() if name.startswith(WRITES)),
        "tickets_changed": len(zendesk["changes"]), "stripe_calls": stripe["calls"],
        "intercom_calls": intercom["calls"], "conversations": counts["tickets"].get("intercom_demo", 0),
        "lost_by_vendors": unsent, "recovered": unsent - len(unknown), "lost": lost(demo, ledgers) + len(unknown),
        "duplicates_applied": applied_twice(demo, ledgers), "seconds": round(seconds, 1),
    }  # fmt: skip


def lost(demo: Demo, ledgers: Mapping[str, Any]) -> int:
    """Deliveries that a vendor sent and we have not stored. One without an id is known by what was signed."""
    count = 0
    for connection, vendor in CONNECTIONS:
        stored = {line.split("\t")[0] for line in demo.flask("inbox", "keys", connection).splitlines()}
        for key, delivery in ledgers[vendor]["keys"].items():
            count += not delivery["lost"] and stored.isdisjoint(delivery.get("signed_as") or (key,))
    return count


def applied_twice(demo: Demo, ledgers: Mapping[str, Any]) -> int:
    """Changes that a helpdesk saw and we do not know of as one write each; Intercom takes each tag as a call of its own."""
    twice = 0
    for connection in DESKS:
        ours: Counter[str] = Counter()
        for line in demo.flask("outbox", "writes", connection).splitlines():
            ticket, writes, parts = line.split("\t")
            ours[ticket] = int(writes if connection == "zendesk_demo" else parts)
        made = ledgers[connection.removesuffix("_demo")]["changes"]
        twice += sum(max(0, n - ours[ticket]) for ticket, n in made.items())
    return twice


def show_some(demo: Demo) -> None:
    """A few tickets, before and after, with the reason of each tag of ours."""
    tickets = demo.json(f"{SANDBOX}/state/zendesk")["tickets"]
    tagged = sorted((t for t in tickets if any(x.startswith("db_") for x in t["tags"])), key=lambda t: -len(t["tags"]))
    say(f"\n{len(tagged)} of {len(tickets)} tickets got tags of ours (db_...). {min(SHOWN, len(tagged))} of them:")
    for ticket in tagged[:SHOWN]:
        own = [tag for tag in ticket["tags"] if tag.startswith("db_")]
        say(f"\nTicket {ticket['id']}: {ticket['subject']}")
        say(f"  before  {', '.join(tag for tag in ticket['tags'] if tag not in own) or '(no tags)'}")
        say(f"  after   {', '.join(ticket['tags'])}")
        told = demo.flask("triggers", "explain", str(ticket["id"]), "--connection", "zendesk_demo", "--fired")
        for tag, why in reasons(told, own):
            say(f"  {tag:<24} {why}")
    if tagged:
        command = f"flask triggers explain {tagged[0]['id']} --connection zendesk_demo"
        say(f"\nEvery clause of every rule: `{command}`, or the ticket's page at the desk.")


def reasons(told: str, tags: list[str]) -> Iterator[tuple[str, str]]:
    """(tag, the rule that wanted it and the values it saw) out of what `flask triggers explain` says."""
    wanted = dict(re.findall(r"tag:(\S+) by (\w+)", told))
    rules = {rule: (title, body) for rule, title, body in
             re.findall(r"FIRED (\w+): (.+)\n((?: +(?:yes|no) .*\n?)*)", told)}  # fmt: skip
    for tag in tags:
        title, body = rules.get(wanted.get(tag, ""), ("see its explanation", ""))
        seen = dict(re.findall(r" yes +(?:all|any): (\S+) .*; it was (.+)", body))
        values = ", ".join(f"{fact} is {value}" for fact, value in seen.items())
        yield tag, f"{title} ({values})" if values else title
