"""Refunds: what is left, idempotency, and the amounts that go wrong on purpose."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.stripe.local import Local


@pytest.fixture
def stripe():
    local = Local()
    yield local
    local.stop()


@pytest.fixture
def call(stripe):
    return stripe.caller()


@pytest.fixture
def charge(stripe):
    """A charge of at least 30.00 dollars of which nothing went back."""
    found = stripe.state.of("charges", status="succeeded", disputed=False, amount_refunded=0, currency="usd")
    return next(c for c in found if c["amount"] >= 3000)


def code(answer):
    return answer.json()["error"].get("code")


def refunded(stripe, charge):
    return sum(r["amount"] for r in stripe.state.of("refunds", charge=charge["id"]) if r["status"] != "failed")


def test_parts_are_refunded_until_nothing_is_left(call, stripe, charge):
    part = call.post("/v1/refunds", {"charge": charge["id"], "amount": 1000, "metadata[intent_id]": "rfd_1"})
    assert part.json()["metadata"] == {"intent_id": "rfd_1"}
    assert code(call.post("/v1/refunds", {"charge": charge["id"], "amount": charge["amount"]})) == "amount_too_large"
    rest = call.post("/v1/refunds", {"payment_intent": charge["payment_intent"]})
    assert rest.json()["amount"] == charge["amount"] - 1000
    assert code(call.post("/v1/refunds", {"charge": charge["id"]})) == "charge_already_refunded"
    now = call.get(f"/v1/charges/{charge['id']}").json()
    assert (now["refunded"], now["amount_refunded"]) == (True, charge["amount"])


def test_a_disputed_charge_is_refused_and_an_inquiry_is_closed_by_a_full_refund(call, stripe, charge):
    other = next(c for c in stripe.state.of("charges", status="succeeded", disputed=False, amount_refunded=0)
                 if c["id"] != charge["id"])  # fmt: skip
    stripe.state.open_dispute(charge["id"])
    assert code(call.post("/v1/refunds", {"charge": charge["id"], "amount": 10})) == "charge_disputed"
    inquiry = stripe.state.open_dispute(other["id"], inquiry=True)
    assert call.post("/v1/refunds", {"charge": other["id"]}).status_code == 200
    assert call.get(f"/v1/disputes/{inquiry['id']}").json()["status"] == "warning_closed"


@pytest.mark.parametrize(
    "form",
    [
        {}, {"amount": "10"}, {"charge": "CHARGE", "amount": "0"}, {"charge": "CHARGE", "amount": "-5"},
        {"charge": "CHARGE", "amount": "1.5"}, {"charge": "CHARGE", "reason": "goodwill"}, {"charge": "CHARGE", "why": "x"},
        {"charge": "CHARGE", "payment_intent": "pi_1"}, {"charge": "CHARGE", "metadata": "x"},
        {"charge": "CHARGE", "a[b": "x"},
    ],
)  # fmt: skip
def test_bad_parameters_change_nothing_and_leave_the_key_free(call, stripe, charge, form):
    form = {name: charge["id"] if value == "CHARGE" else value for name, value in form.items()}
    assert call.post("/v1/refunds", form, key="k").status_code == 400
    assert refunded(stripe, charge) == 0
    good = call.post("/v1/refunds", {"charge": charge["id"], "amount": "10"}, key="k")
    assert good.status_code == 200
    assert "Idempotent-Replayed" not in good.headers


def test_the_same_key_replays_the_first_answer_and_other_parameters_are_an_error(call, stripe, charge):
    form = {"charge": charge["id"], "amount": 1200}
    first, again = (call.post("/v1/refunds", form, key="rfd_1-submit") for _ in range(2))
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    other = call.post("/v1/refunds", {**form, "amount": 1300}, key="rfd_1-submit")
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert call.post("/v1/refunds", form, key="x" * 256).status_code == 400
    assert refunded(stripe, charge) == 1200


def test_a_refusal_of_the_vendor_is_stored_under_the_key(call, stripe, charge):
    form = {"charge": charge["id"], "amount": charge["amount"] + 1}
    assert code(call.post("/v1/refunds", form, key="k")) == "amount_too_large"
    assert call.post("/v1/refunds", form, key="k").headers["Idempotent-Replayed"] == "true"


def test_twenty_at_once_with_one_key_make_one_refund(stripe, charge):
    calls = [stripe.caller() for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        form = {"charge": charge["id"], "amount": 700}
        answers = list(pool.map(lambda one: one.post("/v1/refunds", form, key="k"), calls))
    assert {a.status_code for a in answers} <= {200, 409}
    assert len({a.json()["id"] for a in answers if a.status_code == 200}) == 1
    assert refunded(stripe, charge) == 700


def test_a_key_under_way_is_409(call, stripe, charge):
    form = {"charge": charge["id"], "amount": 700}
    with ThreadPoolExecutor(1) as pool:
        stripe.context.lock.acquire()
        try:
            running = pool.submit(stripe.caller().post, "/v1/refunds", {**form}, "k")
            time.sleep(0.3)
            seen = call.post("/v1/refunds", form, key="k")
        finally:
            stripe.context.lock.release()
        assert (seen.status_code, code(seen)) == (409, "idempotency_key_in_use")
        assert running.result(10).status_code == 200


def test_401_is_declined_and_nothing_went_back(call, stripe, charge):
    assert call.post("/v1/refunds", {"charge": charge["id"], "amount": 401}).status_code == 402
    assert refunded(stripe, charge) == 0


def test_500_is_made_and_the_stored_500_is_replayed(call, stripe, charge):
    first, again = (call.post("/v1/refunds", {"charge": charge["id"], "amount": 500}, key="k") for _ in range(2))
    assert (first.status_code, again.status_code) == (500, 500)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert refunded(stripe, charge) == 500


def test_504_is_made_without_an_answer_and_the_key_tells_it_later(call, stripe, charge):
    form = {"charge": charge["id"], "amount": 504}
    with pytest.raises(requests.RequestException):
        call.post("/v1/refunds", form, key="k", timeout_s=5)
    again = call.post("/v1/refunds", form, key="k")
    assert again.json()["amount"] == 504
    assert again.headers["Idempotent-Replayed"] == "true"
    assert refunded(stripe, charge) == 504


@pytest.mark.parametrize(("amount", "status"), [(429, 429), (409, 409)])
def test_429_and_409_pass_when_tried_again_with_the_same_key(call, stripe, charge, amount, status):
    form = {"charge": charge["id"], "amount": amount}
    first = call.post("/v1/refunds", form, key="k")
    assert first.status_code == status
    assert (first.headers.get("Retry-After") is not None) == (status == 429)
    assert refunded(stripe, charge) == 0
    assert call.post("/v1/refunds", form, key="k").status_code == 200
    assert refunded(stripe, charge) == amount


def test_999_is_pending_and_fails_later_and_the_money_is_on_the_charge_again(call, stripe, charge):
    made = call.post("/v1/refunds", {"charge": charge["id"], "amount": 999}).json()
    assert made["status"] == "pending"
    until = time.monotonic() + 5
    while call.get(f"/v1/refunds/{made['id']}").json()["status"] != "failed":
        assert time.monotonic() < until
        time.sleep(0.02)
    assert call.get(f"/v1/refunds/{made['id']}").json()["failure_reason"]
    assert call.get(f"/v1/charges/{charge['id']}").json()["amount_refunded"] == 0
    assert [e["type"] for e in stripe.state.kept_events() if "fail" in e["type"]] == ["refund.failed"]


def test_magic_amounts_follow_the_decimals_of_the_currency(call, stripe):
    for currency, amount in (("kwd", 4010), ("jpy", 401)):
        found = stripe.state.of("charges", status="succeeded", disputed=False, amount_refunded=0, currency=currency)
        big = next(c for c in found if c["amount"] > 5000)
        assert call.post("/v1/refunds", {"charge": big["id"], "amount": amount}).status_code == 402


def test_races_of_many_threads_never_refund_more_than_was_paid(stripe, charge):
    done = []

    def hammer(n):
        caller = stripe.caller()
        form = {"charge": charge["id"], "amount": 333}
        done.extend(caller.post("/v1/refunds", form, key=f"{n}-{i}").status_code for i in range(5))

    threads = [threading.Thread(target=hammer, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refunded(stripe, charge) == 333 * done.count(200) <= charge["amount"]
