"""Deliveries of Stripe: the published vector, and everything that must be refused."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.kernel.clock import from_unix
from integrations.kernel.errors import BadSignature, MalformedPayload, StaleSignature
from integrations.stripe import translate, webhook
from integrations.stripe.vendor import VENDOR

SECRET, T = "whsec_test_secret", 1767225600
BODY = b'{"id":"evt_test_1","object":"event","type":"charge.refunded"}'
S1 = "592508e07e89a211733ea5cfff3bca9d8df5ae0b173d3878d92aba53a68a773f"
NOW = from_unix(T)


def sign(body=BODY, secret=SECRET, t=T):
    return hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()


def check(header, body=BODY, secrets=(SECRET,), now=NOW):
    webhook.verify({webhook.SIGNATURE: header}, body, list(secrets), now)


def test_the_vector_s1_is_accepted():
    assert sign() == S1
    check(f"t={T},v1={S1}")


@pytest.mark.parametrize("secrets", [[SECRET], ["new", SECRET], [SECRET, "old"]])
def test_any_live_secret_may_have_signed(secrets):
    check(f"t={T},v1={S1}", secrets=secrets)


def test_any_of_several_signatures_may_match():
    check(f"t={T},v1={'0' * 64},v1={S1}")
    check(f"t={T},v1={S1},v1={'0' * 64},v0=junk")


@pytest.mark.parametrize("seconds", [-300, -1, 0, 300])
def test_five_minutes_are_allowed_both_ways(seconds):
    check(f"t={T},v1={S1}", now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_older_and_newer_is_stale(seconds):
    with pytest.raises(StaleSignature):
        check(f"t={T},v1={S1}", now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("header", [
    "", "t", "v1", f"t={T}", f"v1={S1}", f"t={T},v1=", f"t={T},v0={S1}", f"t={T},v1={S1[:-1]}", f"t={T},v1={S1.upper()}",
    f"t={T},v1={S1}x", f"t={T},t={T},v1={S1}", f"t=+{T},v1={S1}", f"t= {T},v1={S1}", f"t={T}.0,v1={S1}", f"t=-1,v1={S1}",
    f"t={'9' * 30},v1={S1}", f"t=,v1={S1}", f"t={T};v1={S1}", f"t={T},v1=é{S1[1:]}", "\ud800", f"t=١٧٦٧٢٢٥٦٠٠,v1={S1}",
    f"t={T}" + f",v1={'0' * 64}" * 10 + f",v1={S1}", "t=1," * 2000,
])  # fmt: skip
def test_any_other_header_is_refused(header):
    with pytest.raises(BadSignature):
        check(header)


def test_a_changed_body_time_or_secret_is_refused():
    for changed in ({"body": BODY + b" "}, {"secrets": ("whsec_other",)}, {"secrets": ()}, {"secrets": ("",)}):
        with pytest.raises(BadSignature):
            check(f"t={T},v1={S1}", **changed)
    with pytest.raises(BadSignature):
        check(f"t={T + 1},v1={S1}")


@given(st.text(max_size=200), st.binary(max_size=50))
def test_no_header_whatever_raises_anything_else(header, body):
    with pytest.raises(BadSignature):
        check(header, body)


@pytest.mark.parametrize("document", [
    {}, {"id": 1, "type": "x"}, {"id": "evt_é", "type": "x"}, {"id": "evt_" + "a" * 200, "type": "x"}, {"id": "evt_1"},
    {"id": "evt_1", "type": None}, {"id": "cus_1", "type": "x"}, {"id": "evt_1\n", "type": "x"},
])  # fmt: skip
def test_what_is_no_event_has_no_address(document):
    with pytest.raises(MalformedPayload):
        webhook.envelope({}, b"", document)


@pytest.mark.parametrize(("o", "lane"), [
    ({"object": "customer", "id": "cus_1"}, "payer:cus_1"), ({"id": "ch_1", "customer": "cus_1"}, "payer:cus_1"),
    ({"id": "ch_1", "customer": {"id": "cus_1"}}, "payer:cus_1"), ({"id": "ch_1", "customer": None}, "object:ch_1"),
    ({"id": "dp_1", "charge": "ch_1"}, "object:ch_1"), ({"id": "x'; --"}, ""), ({"id": 7}, ""), (None, ""), ([], ""),
])  # fmt: skip
def test_lanes(o, lane):
    document = {"id": "evt_1", "type": "x.y", "data": {"object": o}}
    assert webhook.envelope({}, b"", document).lane == lane


def test_money_events_are_kept_for_ever():
    kinds = ("charge.refunded", "charge.dispute.created", "refund.failed", "credit_note.created", "invoice.paid",
             "invoice_payment.paid", "invoice.payment_failed")  # fmt: skip
    for kind in kinds:
        assert webhook.envelope({}, b"", {"id": "evt_1", "type": kind}).money, kind
    assert not webhook.envelope({}, b"", {"id": "evt_1", "type": "customer.updated"}).money


def test_known_types_in_an_unknown_shape_are_malformed():
    for o in (None, {"id": "ch_1", "object": "charge"}, {"id": 5}, {"object": "charge"}, [], "x"):
        document = {"id": "evt_1", "type": "charge.updated", "created": T, "data": {"object": o}}
        with pytest.raises(MalformedPayload):
            webhook.parse(document, "con_1", "evt_1", datetime.now(UTC))


def test_every_event_to_mirror_is_in_the_table():
    # vendors.md 3.1, but those that carry no object of the mirror
    told = """customer.created customer.updated customer.deleted customer.subscription.created
        customer.subscription.updated customer.subscription.deleted customer.subscription.paused
        customer.subscription.resumed customer.subscription.trial_will_end customer.subscription.pending_update_applied
        customer.subscription.pending_update_expired invoice.created invoice.finalized invoice.finalization_failed
        invoice.paid invoice.payment_failed invoice.payment_action_required invoice.voided invoice.marked_uncollectible
        invoice.updated invoice.deleted invoice.sent invoice.overdue invoice.will_be_due invoice.overpaid
        invoice_payment.paid charge.succeeded charge.failed charge.refunded charge.updated charge.dispute.created
        charge.dispute.updated charge.dispute.closed charge.dispute.funds_withdrawn charge.dispute.funds_reinstated
        refund.created refund.updated refund.failed credit_note.created credit_note.updated credit_note.voided
        payment_method.attached payment_method.detached payment_method.updated payment_method.automatically_updated
        customer.discount.created customer.discount.updated customer.discount.deleted price.created price.updated
        price.deleted product.created product.updated product.deleted""".split()
    assert set(told) - set(translate.TRANSLATE) == set()
    assert set(translate.TRANSLATE.values()) == VENDOR.kinds


def test_the_card_says_nothing_secret_and_imports_no_sdk():
    import subprocess
    import sys

    code = "import sys, integrations.stripe.vendor, integrations.stripe.webhook; sys.exit('stripe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert json.dumps([s.name for s in VENDOR.settings if s.secret]) == '["api_key", "webhook_secret"]'
