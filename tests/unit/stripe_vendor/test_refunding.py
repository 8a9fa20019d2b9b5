"""Giving money back at the simulated Stripe, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrations import registry
from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    VendorRejected,
)
from integrations.kernel.money import Money
from integrations.kernel.ports import CreditOrder, RefundOrder
from integrations.kernel.vendor import Account
from integrations.stripe.refunding import refused_write, unreadable_write
from integrations.transport.http import OpenGate
from sandbox.stripe.local import Local
from sandbox.stripe.simulator import API_KEY, SECRET_KEY


@pytest.fixture(scope="module")
def stripe():
    local = Local()
    yield local
    local.stop()


@pytest.fixture
def client(stripe):
    return connect(stripe.url)


def connect(url, key=API_KEY, **config):
    return registry.refunds(Account("con_1", "stripe", url, config, {"api_key": (key,)}), OpenGate())


def order(charge, minor, intent="rfd_1", **more):
    told = {"reason": "", "key": intent, "metadata": {"intent_id": intent, "ticket_id": "7"}} | more
    return RefundOrder(charge["id"], Money(minor, charge["currency"].upper()), **told)


def charges(stripe):
    found = stripe.state.of("charges", status="succeeded", disputed=False, amount_refunded=0, currency="usd")
    return [c for c in found if c["amount"] >= 3000]


def test_a_refund_is_made_once_for_its_key_and_is_found_again_by_our_intent(stripe, client):
    charge = charges(stripe)[0]
    first, again = (client.refund(order(charge, 1000, "rfd_once")) for _ in range(2))
    assert first == again
    assert (first.intent_id, first.status, first.amount) == ("rfd_once", "succeeded", Money(1000, "USD"))
    assert [r.id for r in client.refunds_of(charge["id"])] == [first.id]
    now = client.look(charge["id"])
    assert (now.charge.refunded.minor, now.blocked, [r.intent_id for r in now.refunds]) == (1000, False, ["rfd_once"])
    assert first in list(client.refunds_since(datetime.now(UTC) - timedelta(hours=1)))


def test_a_dispute_blocks_and_an_inquiry_does_not(stripe, client):
    one, other = charges(stripe)[1:3]
    stripe.state.open_dispute(one["id"])
    stripe.state.open_dispute(other["id"], inquiry=True)
    assert client.look(one["id"]).blocked
    assert [d.status for d in client.look(other["id"]).disputes] == ["warning_needs_response"]
    assert not client.look(other["id"]).blocked
    with pytest.raises(VendorRejected) as refused:
        client.refund(order(one, 500, "rfd_disputed"))
    assert refused.value.vendor_code == "charge_disputed"


@pytest.mark.parametrize(
    ("minor", "raised"), [(401, VendorRejected), (409, RateLimited), (429, RateLimited), (500, OutcomeUnknown)]
)
def test_what_the_answer_says_decides_the_error(stripe, client, minor, raised):
    with pytest.raises(raised):
        client.refund(order(charges(stripe)[3], minor, f"rfd_{minor}"))


def test_a_key_used_with_other_parameters_is_told_apart(stripe, client):
    charge = charges(stripe)[4]
    client.refund(order(charge, 700, "rfd_same"))
    with pytest.raises(VendorRejected) as refused:
        client.refund(order(charge, 800, "rfd_same"))
    assert refused.value.vendor_code == "idempotency_error"


def test_a_key_without_the_permission_is_a_matter_for_a_person(stripe, client):
    stripe.state.deny(["refunds:write"])
    with pytest.raises(NeedsReauthorisation):
        client.refund(order(charges(stripe)[5], 600, "rfd_denied"))
    stripe.state.deny([])


def test_a_secret_key_is_refused_unless_somebody_allowed_it(stripe):
    with pytest.raises(ConfigError, match="restricted"):
        connect(stripe.url, SECRET_KEY)
    connect(stripe.url, SECRET_KEY, full_key="allowed")


def test_a_credit_note_links_the_refund_and_is_found_again(stripe, client):
    for payment in stripe.state.of("invoice_payments", status="paid"):
        invoice = stripe.state.lists["invoices"][payment["invoice"]]
        intent = stripe.state.lists["payment_intents"][payment["payment"]["payment_intent"]]
        charge = stripe.state.lists["charges"][intent["latest_charge"]]
        line = invoice["lines"]["data"][0]
        if charge in charges(stripe) and line["amount"] >= 1000:
            break
    made = client.refund(order(charge, 1000, "rfd_line"))
    amount = Money(1000, "USD")
    told = CreditOrder(
        invoice["id"], ((line["id"], amount),), made.id, amount, "rfd_line-credit-note", {"intent_id": "rfd_line"}
    )
    assert client.credit_note_of(invoice["id"], "rfd_line") == ""
    assert client.credit(told) == client.credit(told) == client.credit_note_of(invoice["id"], "rfd_line")
    found = stripe.state.lists["credit_notes"][client.credit(told)]
    assert (found["refunds"][0]["refund"], found["total"]) == (made.id, 1000)


@pytest.mark.parametrize(("status", "body", "raised"), [
    (402, {"error": {"code": "card_declined", "type": "card_error"}}, VendorRejected),
    (400, {"error": {"type": "idempotency_error"}}, VendorRejected), (400, {"oops": 1}, OutcomeUnknown),
    (408, {"error": {"code": "timeout"}}, OutcomeUnknown), (424, {"error": {}}, OutcomeUnknown),
    (409, {"error": {"code": "idempotency_key_in_use"}}, RateLimited), (401, {}, NeedsReauthorisation),
    (403, {}, NeedsReauthorisation), (201, {"error": {}}, OutcomeUnknown),
])  # fmt: skip
def test_only_a_clear_no_is_a_no(status, body, raised):
    assert type(refused_write("/v1/refunds", status, body, {})) is raised


@pytest.mark.parametrize(
    ("status", "raised"), [(200, OutcomeUnknown), (400, OutcomeUnknown), (403, NeedsReauthorisation)]
)
def test_a_page_of_somebody_in_between_is_no_answer(status, raised):
    assert type(unreadable_write("/v1/refunds", status)) is raised


@pytest.mark.parametrize(("money", "said"), [
    (Money(1999, "USD"), ""), (Money(1999, "JPY"), ""), (Money(1990, "KWD"), ""), (Money(1999, "KWD"), "fraction"),
    (Money(5, "UGX"), "not certain"), (Money(500, "HUF"), "not certain"),
])  # fmt: skip
def test_amounts_that_cannot_be_given_back_exactly_are_refused_with_a_sentence(money, said):
    sentence = registry.amounts_module("stripe").refusal(money)
    assert (said in sentence) if said else sentence == ""
