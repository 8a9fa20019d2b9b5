"""The vendor's own SDK talks to the simulator as it would to Stripe."""

from __future__ import annotations

import json

import pytest
import requests
import stripe as sdk

from sandbox.base import Context
from sandbox.stripe import events
from sandbox.stripe.local import Local
from sandbox.stripe.simulator import API_KEY
from sandbox.stripe.store import VERSION


@pytest.fixture(scope="module")
def local():
    made = Local(Context(limits=False, time_factor=50))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def client(local):
    sdk.enable_telemetry = False
    session = requests.Session()
    session.trust_env = False
    yield connect(local.url, session)
    session.close()


def connect(url, session, api_key=API_KEY):
    return sdk.StripeClient(
        api_key, base_addresses={"api": url}, max_network_retries=0, http_client=sdk.RequestsClient(session=session)
    )


def test_the_simulator_speaks_the_version_the_sdk_is_pinned_to():
    assert sdk.api_version == VERSION


def test_every_list_pages_through_by_itself(client, local):
    v1 = client.v1
    for name in ("customers", "products", "prices", "coupons", "invoices", "charges", "refunds", "disputes",
                 "credit_notes", "payment_methods", "payment_intents", "invoice_payments"):  # fmt: skip
        found = [o.id for o in getattr(v1, name).list({"limit": 100}).auto_paging_iter()]
        rows = [o["id"] for o in local.state.lists[name].values() if not o.get("deleted")]
        assert sorted(found) == sorted(
            i for i in rows if name != "payment_methods" or local.state.lists[name][i]["customer"]
        )
    everything = v1.subscriptions.list({"status": "all", "limit": 100}).auto_paging_iter()
    assert len(list(everything)) == len(local.state.lists["subscriptions"])


def test_objects_expand_and_carry_todays_shapes(client, local):
    row = local.state.of("subscriptions", status="active")[0]
    found = client.v1.subscriptions.retrieve(row["id"], {"expand": ["latest_invoice.payments", "customer"]})
    assert found["items"].data[0].current_period_end == row["items"]["data"][0]["current_period_end"]
    assert found.customer.id == row["customer"]
    payment = found.latest_invoice.payments.data[0]
    assert payment.status in ("paid", "open")
    assert found.latest_invoice.parent.subscription_details.subscription == row["id"]


def test_a_refund_by_the_sdk_is_made_once_for_its_key(client, local):
    charge = local.state.of("charges", status="succeeded", disputed=False, amount_refunded=0)[-1]
    form = {"charge": charge["id"], "amount": 100, "reason": "duplicate", "metadata": {"intent_id": "rfd_1"}}
    first, again = (client.v1.refunds.create(form, {"idempotency_key": "rfd_1-submit"}) for _ in range(2))
    assert first.id == again.id
    assert first.metadata["intent_id"] == "rfd_1"
    with pytest.raises(sdk.IdempotencyError):
        client.v1.refunds.create({**form, "amount": 200}, {"idempotency_key": "rfd_1-submit"})


def test_refusals_become_the_sdks_own_errors(client, local):
    charge = local.state.of("charges", status="succeeded", disputed=False, amount_refunded=0)[-2]
    with pytest.raises(sdk.InvalidRequestError) as missing:
        client.v1.customers.retrieve("cus_nobody")
    assert (missing.value.code, missing.value.http_status) == ("resource_missing", 404)
    assert missing.value.request_id.startswith("req_")
    with pytest.raises(sdk.CardError):
        client.v1.refunds.create({"charge": charge["id"], "amount": 401})
    with pytest.raises(sdk.RateLimitError):
        client.v1.refunds.create({"charge": charge["id"], "amount": 429})
    local.state.open_dispute(charge["id"])
    with pytest.raises(sdk.InvalidRequestError) as disputed:
        client.v1.refunds.create({"charge": charge["id"], "amount": 10})
    assert disputed.value.code == "charge_disputed"
    local.state.deny(["refunds:write"])
    with pytest.raises(sdk.PermissionError):
        client.v1.refunds.create({"charge": charge["id"], "amount": 10})
    local.state.deny([])


def test_a_wrong_key_is_an_authentication_error(local):
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(sdk.AuthenticationError):
            connect(local.url, session, "sk_test_wrong").v1.customers.list()


def test_the_sdk_verifies_a_delivery_and_makes_and_removes_the_endpoint(client):
    made = client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/x", "enabled_events": ["charge.refunded"]})
    body = json.dumps({"id": "evt_1", "object": "event", "type": "charge.refunded"})
    header = events.sign(made.secret, body.encode())["Stripe-Signature"]
    assert sdk.Webhook.construct_event(body, header, made.secret).id == "evt_1"
    with pytest.raises(sdk.SignatureVerificationError):
        sdk.Webhook.construct_event(body + " ", header, made.secret)
    assert client.v1.webhook_endpoints.delete(made.id).deleted is True
