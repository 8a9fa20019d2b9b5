"""A tenth of a day's deliveries lost, doubled and shuffled at all three sources: caught up, it ends as the clean day."""

from __future__ import annotations

import time

import pytest

from app.inbox import billing_sync, catch_up, gaps
from integrations import registry
from tests.flows.test_event_to_tag import load

RULES = """
rules:
- {id: past_due, title: Overdue, order: 1, when: ["*"], also_solved: true,
   all: [{fact: billing.status, is: past_due}], actions: [{add_tags: {tags: [db_status_past_due]}}]}
- {id: paid, title: Not overdue, order: 2, when: ["*"], also_solved: true,
   all: [{fact: billing.status, is_not: past_due}], actions: [{remove_tags: {tags: [db_status_past_due]}}]}
- {id: many_seats, title: Many seats, order: 3, when: ["*"], also_solved: true,
   all: [{fact: billing.seats, at_least: 40}], actions: [{add_tags: {tags: [db_seats_many]}}]}
- {id: few_seats, title: Few seats, order: 4, when: ["*"], also_solved: true,
   all: [{fact: billing.seats, at_most: 39}], actions: [{remove_tags: {tags: [db_seats_many]}}]}
- {id: urgent, title: Urgent, order: 5, when: ["*"], also_solved: true,
   all: [{fact: ticket.priority, one_of: [urgent, high]}], actions: [{add_tags: {tags: [db_urgent]}}]}
- {id: calm, title: Calm, order: 6, when: ["*"], also_solved: true,
   all: [{fact: ticket.priority, is_not: urgent}, {fact: ticket.priority, is_not: high}],
   actions: [{remove_tags: {tags: [db_urgent]}}]}
- {id: over, title: Over, order: 7, when: ["*"], also_solved: true,
   all: [{fact: ticket.status, is: solved}], actions: [{add_tags: {tags: [db_over]}}]}
- {id: not_over, title: Not over, order: 8, when: ["*"], also_solved: true,
   all: [{fact: ticket.status, one_of: [new, open, pending, hold]}], actions: [{remove_tags: {tags: [db_over]}}]}
"""
ROUGH = {"lose": 0.1, "duplicate": 0.1, "reorder": 0.1, "delay_s": 1.0}
VENDORS = ("zendesk", "stripe", "intercom")
# (seed, conversations): the gate's days are the desk's and the bank's; with the inbox beside them, twenty on demand.
DAYS = [(1, 0), (2, 0), *(pytest.param(seed, 40, marks=pytest.mark.slow) for seed in range(1, 21))]


def set_up(product):
    """Rules, the mirror, and the Intercom workspace beside the desk."""
    own, vendors = product.runtime, product.vendors
    load(product, RULES)
    secret = vendors.act("intercom", "subscribe", f"{product.url}/webhooks/intercom/inbox")
    vendors.act("intercom", "search_lag", 0.0)
    own.connections.add(
        registry.by_slug("intercom"), "Inbox", {"region": "us", "limits": "off"},
        {"access_token": ["sandbox-intercom-token-not-safe"], "webhook_secret": [secret]},
        connection_id="inbox", base_url=f"http://127.0.0.1:{vendors.first + 30}",
    )  # fmt: skip


def settle(product):
    """Until nothing is on its way, at Intercom too."""
    until = time.monotonic() + 120
    while True:
        product.settle(120)
        if not product.vendors.get("ledger/intercom")["pending"]:
            return
        assert time.monotonic() < until, "it did not come to rest"
        time.sleep(0.05)


def ends(product, seed, conversations, mishaps):
    """(ticket or conversation -> what it ended as, lost at the vendors, gaps listed here), after catching up."""
    vendors, own = product.vendors, product.runtime
    set_up(product)
    fetch(product)
    for vendor in VENDORS:
        vendors.post(f"control/{vendor}/mishaps", mishaps)
    vendors.post(
        "control/day", {"seed": seed, "tickets": 20, "acts": 120, "seconds": 2, "conversations": conversations}
    )
    while vendors.get("control/day")["running"]:
        product.worker.drain_inbox()
        product.worker.drain_outbox()
    assert vendors.get("control/day")["error"] == ""
    settle(product)
    for vendor in VENDORS:
        vendors.post(f"control/{vendor}/mishaps", {})
    for _ in range(5):  # what is written back changes the list, too
        found = fetch(product)
        settle(product)
        if not found:
            break
    assert fetch(product) == 0, "in the end there is nothing left to fetch"
    lost = sum(vendors.get(f"ledger/{v}")["lost_on_purpose"] for v in VENDORS)
    with own.database.begin() as cx:
        listed = len(gaps.listing(cx, 10_000))
    return {**_tickets(vendors), **_conversations(vendors)}, lost, listed


def _tickets(vendors):
    tickets = vendors.get("state/zendesk")["tickets"]
    return {
        ("desk", n): (t["status"], t["priority"], t["tags"]) for n, t in enumerate(tickets) if t["status"] != "closed"
    }


def _conversations(vendors):
    made = vendors.get("state/intercom")["conversations"]
    return {
        ("inbox", n): (c["state"], c["priority"], sorted(t["name"] for t in c["tags"]["tags"])) for n, c in enumerate(made)
    }  # fmt: skip


def fetch(product):
    own = product.runtime
    settings = own.settings.model_copy(update={"catchup_grace_s": 0.0})
    missed = billing_sync.catch_up(own.database, "bank", "stripe", own.clients.billing("bank"))
    for desk in ("desk", "inbox"):
        missed += catch_up.catch_up(own.database, desk, own.clients.helpdesk(desk), settings).missing
    return missed


@pytest.mark.parametrize(("seed", "conversations"), DAYS)
def test_after_catching_up_every_ticket_and_conversation_is_as_after_the_clean_day(installation, seed, conversations):
    with installation() as product:
        clean, lost, _ = ends(product, seed, conversations, {})
        assert lost == 0
    with installation() as product:
        rough, lost, listed = ends(product, seed, conversations, ROUGH)
        assert lost > 0
        assert listed > 0
    assert rough == clean
    assert {where for where, _ in clean} == ({"desk", "inbox"} if conversations else {"desk"})
