"""A refund through the whole product: mirror, request, the vendor's own webhooks, and notes at the desk."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from app import access, audit, billing, identity, refunds
from app.access import Login, Role, Staff
from app.billing.backfill import backfill
from app.inbox import facts
from app.refunds import State, Where, Wish, store
from app.refunds.policy import Policy, changed
from integrations.kernel.clock import utc_now
from integrations.kernel.money import Money


@pytest.fixture
def paid(product, vendors):
    """A ticket of somebody whose verified address pays, and their newest charge: (ticket id, charge)."""
    own = product.runtime
    ladder = facts.ladder(own.settings)
    backfill(
        own.database, "bank", own.clients.billing("bank"), seats_used_key="seats_used", progress=lambda *_: None,
        index=lambda cx, cid, records: identity.index_payers(cx, cid, records, settings=ladder),
    )  # fmt: skip
    with own.database.begin() as cx:
        wishes = {"enabled": "yes", "limit.refunder.USD": "5000/9000", "payer_count": "9", "charge_days": "9999"}
        store.put_policy(cx, changed(Policy(), wishes), "per_admin")
    people = {u["email"].lower(): u["id"] for u in vendors.get("state/people")["people"] if u["verified"]}
    charges = vendors.get("state/stripe/charges")["objects"]
    for customer in vendors.customer_of(status="active", pause_collection=None):
        person = people.get(customer["email"].lower())
        mine = [c for c in charges if c["customer"] == customer["id"] and c["currency"] == "usd"]
        good = [c for c in mine if c["status"] == "succeeded" and c["amount"] > 3000 and not c["amount_refunded"]]
        if person and good:
            ticket = vendors.act("zendesk", "create_ticket", person, "Charged twice", "Please look.")["id"]
            product.settle()
            return str(ticket), good[-1]
    raise AssertionError("the world holds nobody like that")


def agent(own):
    with own.database.begin() as cx:
        person = access.add_person(cx, "per_admin", "Bea", Role.REFUNDER)
        access.attach(cx, "per_admin", person, Login("desk", "11"))
        return access.actor(
            cx, Login("desk", "11"), Staff("agent", None, (), active=True, checked_at=utc_now()), utc_now()
        )


def notes(vendors, ticket):
    return [c["body"] for c in vendors.get(f"state/zendesk/{ticket}")["comments"] if not c["public"]]


def until(product, done):
    """Let webhooks come and workers work, until it is so."""
    for _ in range(100):
        product.settle()
        product.worker.drain_refunds()
        if done():
            return
        time.sleep(0.1)
    raise AssertionError("it never was so")


def test_a_refund_is_noted_at_the_desk_and_opens_the_ticket_when_the_bank_says_no(product, vendors, paid):
    own, (ticket, charge) = product.runtime, paid
    actor, where = agent(own), Where("bank", charge["id"], "desk", ticket)
    prepared = refunds.prepare(own.refunds, actor, where)
    assert [light.text for light in prepared.strip.lights if light.name == "match"] == ["The match is verified."]
    intent = refunds.request(own.refunds, actor, Wish(prepared.offer, Money(1200, "USD")))
    assert product.worker.drain_refunds() == 1
    product.settle()
    with own.database.begin() as cx:
        assert store.get(cx, intent.id).state is State.SUCCEEDED
        assert (
            billing.store.by_id(cx, "bank", [("charge", charge["id"])])["charge", charge["id"]]["refunded"]["minor"]
            == 1200
        )
    assert ["Refund of 12.00 USD was made." in note for note in notes(vendors, ticket)] == [True]
    made = next(
        r for r in vendors.get("state/stripe/refunds")["objects"] if r["metadata"].get("intent_id") == intent.id
    )
    vendors.act("stripe", "settle_refund", made["id"], "failed")
    until(product, lambda: "db_refund_failed" in vendors.ticket(ticket)["tags"])
    assert vendors.ticket(ticket)["status"] == "open"
    assert len(notes(vendors, ticket)) == 2
    with own.database.begin() as cx:
        assert store.get(cx, intent.id).state is State.FAILED
        assert audit.verify(cx).broken is None
        assert cx.execute(sa.text("SELECT kind FROM notice")).scalars().all() == ["refund.failed"]


def test_a_refund_whose_answer_was_cut_is_settled_by_the_vendors_webhook(product, vendors, paid):
    own, (ticket, charge) = product.runtime, paid
    actor = agent(own)
    prepared = refunds.prepare(own.refunds, actor, Where("bank", charge["id"], "desk", ticket))
    intent = refunds.request(own.refunds, actor, Wish(prepared.offer, Money(1200, "USD")))
    vendors.post("control/stripe/faults", [{"method": "POST", "path": "/v1/refunds", "kind": "cut_after", "times": 1}])
    product.worker.drain_refunds()
    with own.database.begin() as cx:
        cx.execute(sa.text("UPDATE refund_intent SET due_at = now() + interval '1 hour'"))  # no try of its own

    def settled():
        with own.database.begin() as cx:
            return store.get(cx, intent.id).state is State.SUCCEEDED

    until(product, settled)
    assert len(notes(vendors, ticket)) <= 1
