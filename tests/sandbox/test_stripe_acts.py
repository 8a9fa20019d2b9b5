"""Whatever happens to the account, its objects agree with each other."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from sandbox.base import Context
from sandbox.stripe.errors import Denied
from sandbox.stripe.periods import DAY, shift
from sandbox.stripe.state import State
from sandbox.world import build_world


@pytest.fixture
def state():
    return State(Context(), build_world())


def agree(state):
    """Every rule between objects that the product may rely on."""
    refunds = {}
    for refund in state.lists["refunds"].values():
        if refund["status"] not in ("failed", "canceled"):
            refunds[refund["charge"]] = refunds.get(refund["charge"], 0) + refund["amount"]
    for charge in state.lists["charges"].values():
        assert charge["amount_refunded"] == refunds.get(charge["id"], 0) <= charge["amount_captured"]
        assert charge["refunded"] == (0 < charge["amount_captured"] == charge["amount_refunded"])
        assert charge["disputed"] == bool(state.of("disputes", charge=charge["id"]))
        assert (charge["failure_code"] is None) == (charge["status"] == "succeeded")
    for invoice in state.lists["invoices"].values():
        agree_invoice(state, invoice)
    for subscription in state.lists["subscriptions"].values():
        owed = [i for i in state._invoices(subscription) if i["status"] == "open"]
        assert bool(owed) == (subscription["status"] in ("past_due", "unpaid", "incomplete")) or (
            subscription["status"] in ("canceled", "paused")
        ), (subscription["status"], len(owed))
        assert subscription["latest_invoice"] in state.lists["invoices"]
        for its in subscription["items"]["data"]:
            assert its["current_period_start"] < its["current_period_end"]
            assert ("quantity" in its) == (its["price"]["recurring"]["usage_type"] == "licensed")


def agree_invoice(state, invoice):
    lines = invoice["lines"]["data"]
    off = sum(d["amount"] for d in invoice["total_discount_amounts"])
    assert invoice["subtotal"] == sum(line["amount"] for line in lines)
    assert off == sum(d["amount"] for line in lines for d in line["discount_amounts"])
    assert invoice["total"] == invoice["subtotal"] - off
    assert invoice["amount_remaining"] + invoice["amount_paid"] == invoice["amount_due"]
    pays = state.of("invoice_payments", invoice=invoice["id"])
    assert sum(p["amount_paid"] or 0 for p in pays) == invoice["amount_paid"]
    for p in pays:
        intent = state.get("payment_intents", p["payment"]["payment_intent"])
        assert (p["status"] == "paid") == (intent["status"] == "succeeded")
        assert intent["amount"] == p["amount_requested"]
        charges = state.of("charges", payment_intent=intent["id"])
        assert len(charges) == invoice["attempt_count"]
        assert [c["status"] for c in charges].count("succeeded") == (p["status"] == "paid")


def test_the_history_of_the_world_agrees_with_itself_and_lies_in_the_past(state):
    agree(state)
    now = state.now()
    for kind, rows in state.lists.items():
        assert all(o.get("created", 0) <= now for o in rows.values()), kind
    assert state.events == {}


def test_every_story_left_its_traces(state):
    of = state.of
    assert {d["status"] for d in state.lists["disputes"].values()} >= {
        "warning_needs_response", "needs_response", "under_review", "won", "lost"}  # fmt: skip
    assert {r["status"] for r in state.lists["refunds"].values()} == {"succeeded", "pending", "failed"}
    assert {s["status"] for s in state.lists["subscriptions"].values()} >= {
        "trialing", "active", "past_due", "unpaid", "paused", "canceled", "incomplete", "incomplete_expired"}  # fmt: skip
    assert any(s["pause_collection"] for s in of("subscriptions"))
    assert any(len(s["items"]["data"]) == 2 for s in of("subscriptions"))
    assert {state.get("coupons", d["source"]["coupon"])["duration"] for d in of("discounts")} == {
        "once", "repeating", "forever"}  # fmt: skip
    assert any(state.get("coupons", d["source"]["coupon"])["amount_off"] for d in of("discounts"))
    lines = [line for i in of("invoices") for line in i["lines"]["data"]]
    assert any(line["parent"]["subscription_item_details"]["proration"] and line["amount"] < 0 for line in lines)
    assert any(note["refunds"] for note in of("credit_notes"))
    assert any(c.get("balance", 0) < 0 for c in of("customers"))
    assert {c["currency"] for c in of("charges")} >= {"usd", "eur", "gbp", "jpy", "kwd"}
    assert all(c["amount"] % 10 == 0 for c in of("charges", currency="kwd"))


def test_a_thousand_random_acts_leave_everything_in_agreement(state):
    random = Random("acts")
    customers = [c["id"] for c in state.of("customers")][:-1]
    charge = lambda: random.choice([c["id"] for c in state.of("charges", status="succeeded")])  # noqa: E731
    acts = [
        lambda: state.fail_payment(random.choice(customers)), lambda: state.pay_open_invoices(random.choice(customers)),
        lambda: state.change_quantity(random.choice(customers), random.randint(0, 99)), lambda: state.refund(charge(), 10),
        lambda: state.refund(charge()), lambda: state.open_dispute(charge(), inquiry=random.random() < 0.5),
        lambda: state.renew(random.choice(customers)), lambda: state.cancel_at_period_end(random.choice(customers)),
        lambda: state.pause(random.choice(customers)), lambda: state.resume(random.choice(customers)),
        lambda: state.update_card(random.choice(customers)), lambda: state.start_trial(random.choice(customers)),
        lambda: state.close_dispute(random.choice(list(state.lists["disputes"])), random.choice(("won", "lost"))),
        lambda: state.settle_refund(random.choice(list(state.lists["refunds"])), random.choice(("succeeded", "failed"))),
        lambda: state.credit_note(random.choice([i["id"] for i in state.of("invoices", status="open")]), 10),
    ]  # fmt: skip
    refused = 0
    for n in range(1000):
        try:
            random.choice(acts)()
        except Denied:
            refused += 1
        if n % 200 == 0:
            agree(state)
    agree(state)
    assert 0 < refused < 500
    assert len(state.events) > 1000


def test_an_act_answers_a_copy_and_events_keep_what_was(state):
    customer = state.of("subscriptions", status="active")[0]["customer"]
    state.update_email(customer, "first@x.example")["email"] = "spoilt"
    assert state.get("customers", customer)["email"] == "first@x.example"
    state.update_email(customer, "second@x.example")
    told = [e["data"] for e in state.kept_events()]
    assert [t["object"]["email"] for t in told] == ["first@x.example", "second@x.example"]
    assert told[1]["previous_attributes"] == {"email": "first@x.example"}


def test_an_act_that_changes_nothing_tells_nothing(state):
    customer = state.get("customers", "cus_S000000")
    state.update_email(customer["id"], customer["email"])
    assert state.events == {}


def test_a_deleted_customer_ends_their_subscriptions_and_cannot_be_changed(state):
    customer = state.of("subscriptions", status="active")[0]["customer"]
    assert state.delete_customer(customer) == {"id": customer, "object": "customer", "deleted": True}
    assert {e["type"] for e in state.kept_events()} == {"customer.subscription.deleted", "customer.deleted"}
    assert {s["status"] for s in state.of("subscriptions", customer=customer)} == {"canceled"}
    with pytest.raises(Denied):
        state.update_email(customer, "x@x.example")


def test_seats_changed_in_the_middle_of_a_period_are_prorated_on_the_next_invoice(state):
    fresh = state.create_customer("new@x.example")["id"]
    subscription = state.subscribe(fresh, plan=1, seats=10)
    its = state.get("subscriptions", subscription["id"])["items"]["data"][0]
    span = its["current_period_end"] - its["current_period_start"]
    its["current_period_start"] -= span  # half of the period is over
    state.change_quantity(subscription["id"], 14)
    invoice = state.renew(subscription["id"])
    assert [line["amount"] for line in invoice["lines"]["data"]] == [14 * 2900, -10 * 1450, 14 * 1450]


def test_months_end_where_the_calendar_says():
    def at(*day):
        return int(datetime(*day, tzinfo=UTC).timestamp())

    assert shift(at(2026, 1, 31), ("month", 1)) == at(2026, 2, 28)
    assert shift(at(2024, 2, 29), ("year", 1)) == at(2025, 2, 28)
    assert shift(at(2026, 11, 30), ("month", 3)) == at(2027, 2, 28)
    assert shift(at(2026, 3, 15), ("month", 3), -2) == at(2025, 9, 15)
    assert shift(at(2026, 3, 1), ("week", 2)) == at(2026, 3, 1) + 14 * DAY
