"""Every operation of the simulated Stripe, through the strict proxy of the vendor's document."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from sandbox.stripe.lists import FILTERS
from sandbox.stripe.local import Local

SHARED = Path(__file__).resolve().parents[3] / "shared"
SPEC = SHARED / "data" / "contracts" / "specs" / "stripe_2026-10-28_derived.trimmed.json"
EXPANSIONS = {
    "customers": ["data.invoice_settings.default_payment_method", "data.subscriptions"],
    "prices": ["data.product", "data.currency_options", "data.tiers"],
    "subscriptions": [
        "data.discounts.source.coupon",
        "data.items.data.discounts",
        "data.latest_invoice",
        "data.customer",
    ],
    "invoices": ["data.payments", "data.discounts", "data.customer", "data.parent.subscription_details.subscription"],
    "invoice_payments": ["data.payment.payment_intent", "data.invoice"],
    "charges": ["data.refunds", "data.payment_intent.payment_method", "data.customer"],
    "refunds": ["data.charge", "data.payment_intent"],
    "disputes": ["data.charge.customer", "data.payment_intent"],
    "credit_notes": ["data.refunds.refund", "data.invoice.payments"],
    "payment_methods": ["data.customer"],
    "payment_intents": ["data.latest_charge", "data.customer"],
}


@pytest.fixture
def stripe():
    """The simulator, served."""
    local = Local()
    yield local
    local.stop()


@pytest.fixture
def proxied(stripe, tmp_path):
    """A caller whose requests and answers are judged; ends with the count of violations."""
    if not SPEC.exists():
        pytest.skip(
            "LOUD: ../shared is not beside this repository: the contract of the simulated Stripe IS NOT CHECKED"
        )
    port = stripe.free_port()
    log = tmp_path / "violations.jsonl"
    command = [
        sys.executable, str(SHARED / "tools" / "contract_proxy.py"), "serve", "--spec", str(SPEC), "--upstream", stripe.url,
        "--listen", f"127.0.0.1:{port}", "--log", str(log), "--strict",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    report = f"{url}/__contract__/report"
    judge = requests.Session()
    judge.trust_env = False
    until = time.monotonic() + 30
    while True:
        try:
            judge.get(report, timeout=1)
            break
        except requests.RequestException:
            assert time.monotonic() < until
            time.sleep(0.05)
    yield stripe.caller(url)
    found = judge.get(report, timeout=10).json()
    judge.close()
    process.kill()
    process.wait()
    lines = [line for line in log.read_text().splitlines() if '"violation"' in line] if log.exists() else []
    assert found["with_violations"] == 0, "\n".join(lines[:8])[:4000]
    assert found["exchanges"] > 0


def pages(call, path, **asked):
    """All objects of a list, page by page."""
    after = {}
    while True:
        found = call.get(path, limit=100, **asked, **after).json()
        yield from found["data"]
        if not found["has_more"]:
            return
        after = {"starting_after": found["data"][-1]["id"]}


def test_every_list_and_every_object_of_the_world_is_in_the_documents_shape(proxied):
    for kind in FILTERS:
        more = {"status": "all"} if kind == "subscriptions" else {}
        rows = list(pages(proxied, f"/v1/{kind}", **more))
        assert rows, kind
        for row in (rows[0], rows[-1]):
            assert proxied.get(f"/v1/{kind}/{row['id']}").json() == row
        if kind in EXPANSIONS:
            expand = {f"expand[{n}]": path for n, path in enumerate(EXPANSIONS[kind])}
            assert proxied.get(f"/v1/{kind}", limit=25, **more, **expand).json()["data"]


def test_what_hangs_on_objects_and_every_filter_pass_the_document(proxied, stripe):
    invoice = stripe.state.of("invoices", status="paid")[-1]
    note = next(iter(stripe.state.lists["credit_notes"].values()))
    charge = stripe.state.of("charges", disputed=True)[0]
    pays = stripe.state.of("invoice_payments", status="paid")[0]
    for path, asked in (
        (f"/v1/invoices/{invoice['id']}/lines", {}), (f"/v1/credit_notes/{note['id']}/lines", {}),
        (f"/v1/customers/{invoice['customer']}/payment_methods", {}),
        ("/v1/invoice_payments", {"payment[type]": "payment_intent",
                                  "payment[payment_intent]": pays["payment"]["payment_intent"]}),
        ("/v1/invoices", {"customer": invoice["customer"], "status": "paid"}),
        ("/v1/disputes", {"charge": charge["id"]}), ("/v1/charges", {"created[gte]": charge["created"]}),
        ("/v1/subscriptions", {"customer": invoice["customer"], "status": "all"}),
        ("/v1/payment_methods", {"customer": invoice["customer"], "type": "card"}),
    ):  # fmt: skip
        assert proxied.get(path, **asked).json()["data"], path


def test_writes_events_and_endpoints_pass_the_document(proxied, stripe):
    state = stripe.state
    customer = state.of("subscriptions", status="active")[0]["customer"]
    before = len(state.events)
    happen(state, customer)
    charge = next(c for c in state.of("charges", status="succeeded", disputed=False) if c["amount_refunded"] == 0)
    made = proxied.post("/v1/refunds", {"charge": charge["id"], "amount": 10, "reason": "duplicate",
                                        "metadata[intent_id]": "rfd_1", "expand[0]": "charge"}, key="k1")  # fmt: skip
    assert made.json()["charge"]["id"] == charge["id"]
    proxied.post(f"/v1/refunds/{made.json()['id']}", {"metadata[a]": "b"})
    new = proxied.post("/v1/customers", {"email": "New@x.example", "name": "New", "metadata[a]": "b"}).json()
    proxied.post(f"/v1/customers/{new['id']}", {"email": "old@x.example"})
    assert proxied.delete(f"/v1/customers/{new['id']}").json()["deleted"]
    assert proxied.get(f"/v1/customers/{new['id']}").json()["deleted"]
    hook = {"url": "http://127.0.0.1:9/x", "enabled_events[0]": "charge.refunded", "api_version": "2026-10-28.endive"}
    endpoint = proxied.post("/v1/webhook_endpoints", hook).json()
    assert proxied.post(f"/v1/webhook_endpoints/{endpoint['id']}", {"disabled": "true"}).json()["status"] == "disabled"
    assert "secret" not in proxied.get(f"/v1/webhook_endpoints/{endpoint['id']}").json()
    assert proxied.get("/v1/webhook_endpoints").json()["data"]
    assert proxied.delete(f"/v1/webhook_endpoints/{endpoint['id']}").json()["deleted"]
    events = list(pages(proxied, "/v1/events"))
    assert len(events) == len(state.events) > before + 40
    assert proxied.get(f"/v1/events/{events[0]['id']}").json() == events[0]
    assert proxied.get("/v1/events", type="charge.refunded", delivery_success="true").json()["data"]


def happen(state, customer):
    """Every act once."""
    fresh = state.create_customer("act@x.example")["id"]
    state.update_card(fresh)
    subscription = state.subscribe(fresh)["id"]
    state.change_quantity(subscription, 9)
    state.apply_coupon(subscription, "ONCE20")
    state.renew(subscription)
    invoice = state.fail_payment(subscription)["id"]
    state.credit_note(invoice, 100)
    state.pay_invoice(invoice)
    state.credit_note(invoice, 100)
    state.credit_note(invoice, 50, "balance")
    state.pause(subscription)
    state.resume(subscription)
    state.pause(subscription, whole=True)
    state.resume(subscription)
    state.start_trial(fresh)
    state.fail_payment(subscription)
    state.void_invoice(state.of("invoices", customer=fresh, status="open")[0]["id"])
    state.cancel_at_period_end(subscription)
    state.cancel_now(subscription)
    charges = [c["id"] for c in state.of("charges", status="succeeded", disputed=False, amount_refunded=0)]
    won, lost, asked, back = charges[:4]
    state.answer_dispute(state.open_dispute(won)["id"])
    state.close_dispute(state.of("disputes", charge=won)[0]["id"], "won")
    state.close_dispute(state.open_dispute(lost)["id"], "lost")
    state.open_dispute(asked, inquiry=True)
    state.refund(asked)
    state.settle_refund(state.refund(back, None, None, None, "pending")["id"], "failed")
    state.update_customer(customer, "other@x.example", metadata={"a": "b"})


def test_refusals_have_the_shape_of_our_own_schema(stripe):
    from jsonschema import Draft202012Validator

    from sandbox.stripe.schemas import ERROR

    call = stripe.caller(stripe.url)
    for answer, status in (
        (call.get("/v1/customers/cus_nobody"), 404), (call.get("/v1/customers", limit=0), 400),
        (call.get("/v1/nothing"), 404), (call.get("/v1/customers", colour="red"), 400),
        (call.post("/v1/refunds", {}), 400), (call.get("/v1/charges", starting_after="ch_x"), 400),
        (stripe.caller(stripe.url, api_key="sk_live_x").get("/v1/charges"), 401), (call.delete("/v1/charges/ch_1"), 405),
        (call.get("/v1/charges", **{"expand[]": "data.status"}), 400),
        (call.get("/v1/charges", **{"expand[]": "data.payment_intent.latest_charge.payment_intent.customer"}), 400),
    ):  # fmt: skip
        assert answer.status_code == status, answer.text
        Draft202012Validator(ERROR).validate(json.loads(answer.text))
        assert answer.headers["Request-Id"].startswith("req_") or status == 405
