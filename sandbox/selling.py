"""The demo's leads: what happens to four companies, a rep's and a person's answers, and what the CRM holds of it.

A ticket asks for a quote and the rep turns the lead down; a renewal waits for a dispute; another goes to its account's
owner; of a fourth, whose domain two accounts have, a person says which it is.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.running import SALESFORCE, SANDBOX, Demo, say
from sandbox.salesforce.oauth import CONSUMER_KEY, CONSUMER_SECRET

CRM, KEY = "salesforce_demo", "Deskbridge_Key__c"
OBJECTS = ("Lead", "Opportunity", "Task")
GATHER_S = 3  # a day is half a minute here: leads wait as much less for others to share their call
REASON, WORDS = "No budget", "Hello,\nmay we have a quote for 90 seats? Our team grows.\nThanks"
PATIENCE_S = 60.0
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who writes and pays. accounts: those of the CRM that have their mail domain."""

    person: int
    payer: str
    accounts: tuple[Row, ...]


@dataclass(slots=True)
class Story:
    """Leads by what is shown of them: `asked`, `held`, `renewal`, `unclear`; and what they are about."""

    ticket: int
    dispute: str
    customers: Mapping[str, Customer]
    leads: dict[str, Row] = field(default_factory=dict)


def connect(demo: Demo, url: str) -> None:
    """What an admin does: the connection, our fields in the org, the starter's patience."""
    demo.flask(
        "connections", "add", "salesforce", "--id", CRM, "--name", "Simulated Salesforce", "--base-url", url or SALESFORCE,
        "--set", "my_domain=acme", "--set", f"consumer_key={CONSUMER_KEY}", "--set", "currency=USD",
        "--secret", f"consumer_secret={CONSUMER_SECRET}",
    )  # fmt: skip
    demo.flask("salesforce", "setup", CRM)
    demo.flask("leads", "policy", "set", f"gather_s={GATHER_S}")


def begin(demo: Demo) -> Story:
    """Make things happen to four companies, wait for their leads, and answer for three of them."""
    say(
        "\nFour companies: one asks for a quote; three renew soon, one of them disputes a charge, one is two accounts ..."
    )
    story = _happen(demo)
    _until(demo, story)
    _act(demo, "stripe", "close_dispute", story.dispute)
    unclear = story.customers["unclear"].accounts[1]
    demo.flask("leads", "review", "link", story.leads["unclear"]["id"], unclear["Id"], "--by", "Eve")
    _act(demo, "salesforce", "reject", "Task", story.leads["asked"]["object_id"], REASON)
    return story


def _happen(demo: Demo) -> Story:
    known = _known(demo, 1)
    asked, held, renewal = (next(known) for _ in range(3))
    unclear = next(_known(demo, 2))
    charges = demo.json(f"{SANDBOX}/state/stripe/charges")["objects"]
    charge = next(c["id"] for c in charges if c["customer"] == held.payer and _is_free(c))
    ticket = _act(demo, "zendesk", "create_ticket", asked.person, "More seats", WORDS)["id"]
    dispute = _act(demo, "stripe", "open_dispute", charge)["id"]
    for one in (held, renewal, unclear):
        _act(demo, "stripe", "subscribe_for_a_year", one.payer, 45, seats=20)
    return Story(ticket, dispute, {"asked": asked, "held": held, "renewal": renewal, "unclear": unclear})


def _known(demo: Demo, accounts: int) -> Iterator[Customer]:
    """Customers whose mail domain so many accounts have, all of owners who are there; nobody disputes anything yet."""
    people = {u["email"].lower(): u["id"] for u in demo.json(f"{SANDBOX}/state/people")["people"] if u["verified"]}
    bank = {k: demo.json(f"{SANDBOX}/state/stripe/{k}")["objects"] for k in ("customers", "charges", "subscriptions")}
    paying = Counter(s["customer"] for s in bank["subscriptions"] if s["status"] == "active")
    trouble = {c["customer"] for c in bank["charges"] if c["disputed"]}
    can_dispute = {c["customer"] for c in bank["charges"] if _is_free(c)} - trouble
    has, seen = _by_domain(demo), set[str]()
    for customer in bank["customers"]:
        address = (customer["email"] or "").lower()
        domain = address.rpartition("@")[2]
        fits = address in people and paying[customer["id"]] == 1 and customer["id"] in can_dispute
        if fits and domain not in seen and len(has.get(domain, ())) == accounts:
            seen.add(domain)
            yield Customer(people[address], customer["id"], tuple(has[domain]))


def _is_free(charge: Row) -> bool:
    return charge["status"] == "succeeded" and not charge["disputed"] and not charge["amount_refunded"]


def _by_domain(demo: Demo) -> dict[str, list[Row]]:
    gone = {u["Id"] for u in _rows(demo, "User") if not u["IsActive"]}
    found: dict[str, list[Row]] = {}
    for row in _rows(demo, "Account"):
        if row["Website"] and row["OwnerId"] not in gone:
            found.setdefault(row["Website"].rpartition("//")[2].removeprefix("www."), []).append(row)
    return found


# What a story waits for: kind of lead, its state.
_WANTED = {"asked": ("request", "pushed"), "held": ("renewal", "held"), "renewal": ("renewal", "pushed"),
           "unclear": ("renewal", "review")}  # fmt: skip


def _until(demo: Demo, story: Story) -> None:
    """Until each lead is where it must be. Raises SystemExit."""
    until = time.monotonic() + PATIENCE_S
    while len(story.leads) < len(_WANTED):
        if time.monotonic() > until:
            missing = ", ".join(_WANTED.keys() - story.leads.keys())
            raise SystemExit(f"No lead of: {missing}. {demo.flask('leads', 'ledger')}{demo.logs()}")
        time.sleep(0.5)
        if not _are_there(demo, story):  # to ask the org costs nothing, to ask the product a process
            continue
        every = [json.loads(line) for line in demo.flask("leads", "list", "--json").splitlines()]
        for name, (kind, state) in _WANTED.items():
            company = _company(name, story.customers[name])
            for one in every:
                if (one["company"], one["kind"], one["state"]) == (company, kind, state):
                    story.leads[name] = one


def _are_there(demo: Demo, story: Story) -> bool:
    """Does the org hold the two that nothing keeps waiting?"""
    asked, renewal = (story.customers[name].accounts[0]["Id"] for name in ("asked", "renewal"))
    about = {(kind, row.get("AccountId") or row.get("WhatId")) for kind, row in _ours(demo)}
    return {("Task", asked), ("Opportunity", renewal)} <= about


def _company(name: str, customer: Customer) -> str:
    """What the lead is about: the account, where there is one only."""
    return f"payer:stripe_demo:{customer.payer}" if name == "unclear" else f"account:{CRM}:{customer.accounts[0]['Id']}"


def show(demo: Demo, story: Story) -> None:
    """What became of it, out of the org and the desk."""
    users = {row["Id"]: row["Name"] for row in _rows(demo, "User")}
    names = {row["Id"]: row["Name"] for row in _rows(demo, "Account")}
    ours = {row[KEY]: (kind, row) for kind, row in _ours(demo)}
    say("\nLeads: what sales got of it, and what came back")
    for name, tell in _TOLD.items():
        kind, row = ours.get(story.leads[name]["id"].removeprefix("led_"), ("nothing", {}))
        at = names.get(row.get("AccountId") or row.get("WhatId") or "", "nobody")
        owner = users.get(row.get("OwnerId", ""), "nobody")
        say(f"  {tell[0]:<17} {kind} of {at}, owner {owner}: {tell[1](demo, story, row)}")
    card = demo.flask("leads", "report").splitlines()
    line = next((n for n, text in enumerate(card) if text.startswith("sales_words ")), None)
    for text in [card[0], *card[line : line + 2]] if line is not None else ["  The report card holds no sales_words."]:
        say(f"  {text}")


def _asked(demo: Demo, story: Story, row: Row) -> str:
    told = demo.json(f"{SANDBOX}/state/zendesk/{story.ticket}")
    notes = [c for c in told["comments"] if not c["public"] and REASON in c["body"]]
    back = "ticket has its note" if len(notes) == 1 else f"TICKET HAS {len(notes)} NOTES"
    return f"turned down ({REASON}), and the {back}"


def _held(demo: Demo, story: Story, row: Row) -> str:
    return "held while the dispute was open, sent when it was closed" if row else "STILL HELD"


def _renewal(demo: Demo, story: Story, row: Row) -> str:
    account = story.customers["renewal"].accounts[0]
    right = row.get("AccountId") == account["Id"] and row.get("OwnerId") == account["OwnerId"]
    return f"{row.get('Name', '')}, {'the owner of its account' if right else 'NOT THE OWNER OF ITS ACCOUNT'}"


def _unclear(demo: Demo, story: Story, row: Row) -> str:
    wanted = story.customers["unclear"].accounts[1]["Id"]
    return "two accounts have its domain; Eve said which" if row.get("AccountId") == wanted else "NOT WHERE EVE SAID"


_TOLD: dict[str, tuple[str, Callable[[Demo, Story, Row], str]]] = {
    "asked": ("asked in a ticket", _asked), "held": ("held by a dispute", _held), "renewal": ("renews soon", _renewal),
    "unclear": ("two accounts", _unclear),
}  # fmt: skip


def figures(demo: Demo) -> dict[str, int]:
    """Those of the last line: ours as we tell them, and records that are there twice as the org has them."""
    told = json.loads(demo.flask("leads", "ledger", "--json"))
    return {
        "signals": sum(told["signals"].values()),
        **told["leads"],
        "duplicates": twice(r[KEY] for _, r in _ours(demo)),
    }


def twice(keys: Iterator[str]) -> int:
    """How many records are there beside the first of their key. Pure."""
    return sum(n - 1 for n in Counter(keys).values())


def _ours(demo: Demo) -> Iterator[tuple[str, Row]]:
    """Records that carry our key; one that was converted lives on as another."""
    for kind in OBJECTS:
        for row in _rows(demo, kind):
            if row[KEY] and not row["IsDeleted"] and not row.get("IsConverted"):
                yield kind, row


def _rows(demo: Demo, kind: str) -> list[Row]:
    found: list[Row] = demo.json(f"{SANDBOX}/state/salesforce/{kind}")["records"]
    return found


def _act(demo: Demo, vendor: str, do: str, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - JSON
    return demo.post(f"{SANDBOX}/control/{vendor}/act", {"do": do, "args": args, "kwargs": more})["answer"]
