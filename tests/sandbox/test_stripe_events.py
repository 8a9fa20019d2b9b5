"""Events and webhooks: signed, retried, counted, listed; two endpoints, a rolled secret, a test of the vendor's vector."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time

import pytest
from jsonschema import Draft202012Validator

from sandbox.base import Context
from sandbox.stripe import events
from sandbox.stripe.local import Local
from sandbox.stripe.periods import DAY
from sandbox.stripe.schemas import DELIVERY, SIGNATURE
from tests.sandbox.receiver import Receiver


@pytest.fixture
def stripe():
    local = Local(Context(limits=False, time_factor=100))
    yield local
    local.stop()


@pytest.fixture
def call(stripe):
    return stripe.caller()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def endpoint(call, receiver, *kinds):
    form = {"url": receiver.url, **{f"enabled_events[{n}]": kind for n, kind in enumerate(kinds or ("*",))}}
    return call.post("/v1/webhook_endpoints", form).json()


def genuine(delivery, secret):
    """The check as the vendor describes it, written apart from the simulator's."""
    headers, body = delivery
    header = headers["Stripe-Signature"]
    told = dict(part.split("=", 1) for part in header.split(",")[:1])
    expected = hmac.new(secret.encode(), told["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"v1={expected}" in header.split(",")


def payer(stripe):
    return next(
        s["customer"]
        for s in stripe.state.of("subscriptions", status="active", discounts=[])
        if not s["pause_collection"]
    )


def test_the_signature_is_that_of_the_published_vector(monkeypatch):
    from datetime import UTC, datetime

    monkeypatch.setattr(events, "utc_now", lambda: datetime.fromtimestamp(1767225600, UTC))
    header = events.sign("whsec_test_secret", b'{"id":"evt_test_1","object":"event","type":"charge.refunded"}')
    assert header["Stripe-Signature"] == (
        "t=1767225600,v1=592508e07e89a211733ea5cfff3bca9d8df5ae0b173d3878d92aba53a68a773f"
    )


def test_a_failed_payment_is_told_whole_signed_and_in_our_schema(stripe, call, receiver):
    made = endpoint(call, receiver)
    customer = payer(stripe)
    stripe.state.fail_payment(customer)
    got = receiver.wait(9)
    for delivery in receiver.got:
        headers, body = delivery
        assert genuine(delivery, made["secret"])
        assert re.fullmatch(SIGNATURE, headers["Stripe-Signature"])
        Draft202012Validator(DELIVERY).validate(json.loads(body))
    kinds = {e["type"] for e in got}
    assert kinds >= {"invoice.created", "invoice.finalized", "payment_intent.created", "charge.failed",
                     "payment_intent.payment_failed", "invoice.payment_failed", "customer.subscription.updated"}  # fmt: skip
    told = [e["data"] for e in got if e["type"] == "customer.subscription.updated"]
    (told,) = (t for t in told if "status" in t["previous_attributes"])
    assert (told["object"]["status"], told["previous_attributes"]) == ("past_due", {"status": "active"})
    failed = next(e["data"]["object"] for e in got if e["type"] == "invoice.payment_failed")
    assert failed["lines"]["data"][0]["amount"] == failed["subtotal"]


def test_an_event_is_retried_until_it_is_taken_and_is_pending_until_then(stripe, call, receiver):
    endpoint(call, receiver, "customer.updated")
    receiver.statuses = [500, 503]
    stripe.state.update_email(payer(stripe), "new@x.example")
    event = stripe.state.kept_events()[-1]
    receiver.wait(3)
    until = time.monotonic() + 5
    while call.get(f"/v1/events/{event['id']}").json()["pending_webhooks"]:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert len({body for _, body in receiver.got}) == 1
    assert call.get("/v1/events", delivery_success="false").json()["data"] == []


def test_an_event_nobody_took_is_listed_as_undelivered(stripe, call, receiver):
    endpoint(call, receiver, "customer.updated")
    receiver.statuses = [500] * 50
    stripe.state.update_email(payer(stripe), "new@x.example")
    receiver.wait(1)
    missed = call.get("/v1/events", delivery_success="false").json()["data"]
    assert [e["pending_webhooks"] for e in missed] == [1]
    assert call.get("/v1/events", delivery_success="true").json()["data"] == []


def test_two_endpoints_get_what_each_asked_for_and_a_disabled_or_deleted_one_nothing(stripe, call, receiver):
    second = Receiver()
    try:
        one, two = endpoint(call, receiver), endpoint(call, second, "charge.refunded")
        charge = stripe.state.of("charges", status="succeeded", disputed=False, amount_refunded=0)[-1]
        stripe.state.refund(charge["id"], 100)
        assert [e["type"] for e in second.wait(1)] == ["charge.refunded"]
        assert sorted(e["pending_webhooks"] for e in receiver.wait(2)) == [1, 2]
        call.post(f"/v1/webhook_endpoints/{one['id']}", {"disabled": "true"})
        call.delete(f"/v1/webhook_endpoints/{two['id']}")
        stripe.state.refund(charge["id"], 100)
        assert stripe.context.simulators["stripe"].sender.pending() == 0
        assert (len(receiver.got), len(second.got)) == (2, 1)
    finally:
        second.server.shutdown()
        second.server.server_close()


def test_while_a_secret_is_rolled_both_sign(stripe, call, receiver):
    made = endpoint(call, receiver, "customer.updated")
    new = stripe.context.simulators["stripe"].endpoints.roll_secret(made["id"])
    stripe.state.update_email(payer(stripe), "a@x.example")
    receiver.wait(1)
    assert all(genuine(receiver.got[0], secret) for secret in (new, made["secret"]))
    stripe.context.simulators["stripe"].endpoints.forget_old_secret(made["id"])
    stripe.state.update_email(payer(stripe), "b@x.example")
    receiver.wait(2)
    assert [genuine(receiver.got[1], secret) for secret in (new, made["secret"])] == [True, False]


def test_an_endpoint_outside_this_machine_is_refused(call):
    form = {"url": "https://example.com/x", "enabled_events[]": "*"}
    assert call.post("/v1/webhook_endpoints", form).json()["error"]["code"] == "url_invalid"


def test_the_list_of_events_filters_and_forgets_after_thirty_days(stripe, call):
    state, customer = stripe.state, payer(stripe)
    state.update_email(customer, "a@x.example")
    old = state.kept_events()[-1]
    state.events[old["id"]]["created"] -= 31 * DAY
    state.fail_payment(customer)
    kinds = [e["type"] for e in call.get("/v1/events", type="invoice.*").json()["data"]]
    assert set(kinds) == {"invoice.created", "invoice.finalized", "invoice.payment_failed"}
    asked = {"types[0]": "charge.failed", "types[1]": "invoice.created"}
    assert {e["type"] for e in call.get("/v1/events", **asked).json()["data"]} == set(asked.values())
    assert call.get(f"/v1/events/{old['id']}").status_code == 404
    assert old["id"] not in {e["id"] for e in call.get("/v1/events", limit=100).json()["data"]}


def test_an_event_of_an_api_call_names_its_request_and_key(stripe, call):
    charge = stripe.state.of("charges", status="succeeded", disputed=False, amount_refunded=0)[-1]
    answer = call.post("/v1/refunds", {"charge": charge["id"], "amount": 100}, key="rfd_7-submit")
    told = call.get("/v1/events", type="refund.created").json()["data"][0]["request"]
    assert told == {"id": answer.headers["Request-Id"], "idempotency_key": "rfd_7-submit"}
    stripe.state.update_email(payer(stripe), "a@x.example")
    assert call.get("/v1/events", type="customer.updated").json()["data"][0]["request"]["id"] is None
