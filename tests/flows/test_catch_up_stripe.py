"""What Stripe gave up delivering is fetched from its list, once, and stands in the ledger of gaps."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.inbox import billing_sync, gaps
from app.inbox.models import delivery_key
from tests.flows.test_event_to_tag import load, somebody


@pytest.fixture
def fetch(product):
    own = product.runtime

    def run(grace_s=0.0):
        return billing_sync.catch_up(own.database, "bank", "stripe", own.clients.billing("bank"), grace_s)

    return run


def listed(product):
    with product.runtime.database.begin() as cx:
        return [(g.subject, g.what, g.verdict) for g in gaps.listing(cx, 100)]


def test_lost_events_are_fetched_once_and_have_the_effect_they_would_have_had(product, vendors, fetch):
    load(product)
    person, customer = somebody(vendors, status="active", pause_collection=None)
    ticket = vendors.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    product.settle()
    fetch()
    before = len(listed(product))
    vendors.post("control/stripe/mishaps", {"lose": 1.0})
    vendors.act("stripe", "fail_payment", customer)
    product.settle()
    assert "db_status_past_due" not in vendors.ticket(ticket)["tags"]
    lost = vendors.get("ledger/stripe")["lost_on_purpose"]
    assert lost > 0
    assert fetch(grace_s=3600) == 0, "what is young may still be on its way"
    assert fetch() == lost
    product.settle()
    assert "db_status_past_due" in vendors.ticket(ticket)["tags"]
    found = listed(product)[: len(listed(product)) - before]
    assert len(found) == lost
    assert {(subject, verdict) for subject, _, verdict in found} == {(f"payer:{customer}", "fetched")}
    assert "invoice.payment_failed" in {what for _, what, _ in found}
    assert fetch() == 0
    with product.runtime.database.begin() as cx:
        kept = cx.execute(sa.select(delivery_key.c.kind).where(delivery_key.c.money, delivery_key.c.copies == 1))
        assert "charge.failed" in set(kept.scalars()), "money's events are kept for ever, fetched ones too"
