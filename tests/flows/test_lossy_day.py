"""A tenth of a day's deliveries lost, doubled and shuffled at every source: after catching up it ends as the clean day."""

from __future__ import annotations

import pytest

from app.inbox import billing_sync, catch_up, gaps
from tests.flows.test_day_twice import _end, set_up

ROUGH = {"lose": 0.1, "duplicate": 0.1, "reorder": 0.1, "delay_s": 1.0}
SHORT = (1, 2)
SEEDS = [*SHORT, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 21))]


def ends(product, seed, mishaps):
    """Ticket -> (tags, priority, status, our field) after the day, caught up. Also (lost, found) at the vendors and here."""
    vendors, own = product.vendors, product.runtime
    set_up(product)
    fetch(product)
    for vendor in ("zendesk", "stripe"):
        vendors.post(f"control/{vendor}/mishaps", mishaps)
    vendors.post("control/day", {"seed": seed, "tickets": 20, "acts": 120, "seconds": 2})
    while vendors.get("control/day")["running"]:
        product.worker.drain_inbox()
        product.worker.drain_outbox()
    product.settle(120)
    for vendor in ("zendesk", "stripe"):
        vendors.post(f"control/{vendor}/mishaps", {})
    for _ in range(3):  # what is written back is told, and may be fetched, too
        found = fetch(product)
        product.settle(120)
        if not found:
            break
    assert fetch(product) == 0, "in the end there is nothing left to fetch"
    lost = sum(vendors.get(f"ledger/{v}")["lost_on_purpose"] for v in ("zendesk", "stripe"))
    with own.database.begin() as cx:
        listed = len(gaps.listing(cx, 10_000))
    tickets = vendors.get("state/zendesk")["tickets"]
    return {t["id"]: _end(vendors, t)[:4] for t in tickets if t["status"] != "closed"}, lost, listed


def fetch(product):
    own = product.runtime
    settings = own.settings.model_copy(update={"catchup_grace_s": 0.0})
    missed = billing_sync.catch_up(own.database, "bank", "stripe", own.clients.billing("bank"))
    return missed + catch_up.catch_up(own.database, "desk", own.clients.helpdesk("desk"), settings).missing


@pytest.mark.parametrize("seed", SEEDS)
def test_after_catching_up_every_ticket_is_as_after_the_clean_day(installation, seed):
    with installation() as product:
        clean, lost, listed = ends(product, seed, {})
        assert (lost, listed) == (0, 0), "a day on which nothing is lost has no gaps"
    with installation() as product:
        rough, lost, listed = ends(product, seed, ROUGH)
        assert lost > 0
        assert listed > 0
    assert rough == clean
