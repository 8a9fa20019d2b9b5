"""Lists, filters, expansion and the gate of the simulated Stripe."""

from __future__ import annotations

import pytest

from sandbox.base import Context
from sandbox.stripe.local import Local
from sandbox.stripe.simulator import SECRET_KEY


@pytest.fixture(scope="module")
def stripe():
    local = Local()
    yield local
    local.stop()


@pytest.fixture
def call(stripe):
    return stripe.caller()


def ids(answer):
    return [o["id"] for o in answer.json()["data"]]


def test_pages_forward_and_backward_meet_without_gap_or_overlap(call, stripe):
    whole = [c["id"] for c in stripe.state.lists["charges"].values()][::-1]
    first = ids(call.get("/v1/charges", limit=7))
    second = call.get("/v1/charges", limit=7, starting_after=first[-1])
    assert first + ids(second) == whole[:14]
    assert second.json()["has_more"] is True
    back = call.get("/v1/charges", limit=5, ending_before=ids(second)[-1])
    assert ids(back) == whole[8:13]
    assert back.json()["has_more"] is True
    assert call.get("/v1/charges", limit=100, ending_before=whole[3]).json()["has_more"] is False


def test_lists_are_newest_first(call):
    for kind in ("customers", "invoices", "charges", "subscriptions"):
        times = [o["created"] for o in call.get(f"/v1/{kind}", limit=100).json()["data"]]
        assert times == sorted(times, reverse=True), kind


def test_created_bounds_are_kept_on_both_ends(call, stripe):
    moment = sorted({c["created"] for c in stripe.state.lists["charges"].values()})[20]
    for name, keep in (("gt", int.__gt__), ("gte", int.__ge__), ("lt", int.__lt__), ("lte", int.__le__)):
        found = call.get("/v1/charges", limit=100, **{f"created[{name}]": moment}).json()["data"]
        assert found
        assert all(keep(c["created"], moment) for c in found)
    assert {c["created"] for c in call.get("/v1/charges", created=moment).json()["data"]} == {moment}


def test_subscriptions_leave_out_the_canceled_unless_asked(call):
    states = {s["status"] for s in call.get("/v1/subscriptions", limit=100).json()["data"]}
    assert "canceled" not in states
    assert {s["status"] for s in call.get("/v1/subscriptions", limit=100, status="canceled").json()["data"]} == {
        "canceled"
    }
    ended = call.get("/v1/subscriptions", limit=100, status="ended").json()["data"]
    assert {s["status"] for s in ended} == {"canceled", "incomplete_expired"}


def test_customers_are_found_by_the_exact_address_only(call, stripe):
    loud = next(c for c in stripe.state.lists["customers"].values() if c["email"] and c["email"].isupper())
    assert loud["id"] in ids(call.get("/v1/customers", email=loud["email"]))
    assert loud["id"] not in ids(call.get("/v1/customers", email=loud["email"].lower()))


@pytest.mark.parametrize(
    ("path", "asked", "param"),
    [
        ("/v1/customers", {"limit": 0}, "limit"), ("/v1/customers", {"limit": 101}, "limit"),
        ("/v1/customers", {"limit": "x"}, "limit"), ("/v1/customers", {"plan": "x"}, "plan"),
        ("/v1/customers", {"created[near]": "5"}, "created[near]"), ("/v1/charges", {"expand[]": "data.amount"}, "expand"),
        ("/v1/charges", {"expand[]": "data.moon"}, "expand"), ("/v1/charges", {"expand[]": "data.a.b.c.d"}, "expand"),
        ("/v1/charges", {"starting_after": "ch_nobody"}, "starting_after"),
        ("/v1/events", {"delivery_success": "maybe"}, "delivery_success"),
    ],
)  # fmt: skip
def test_what_stripe_does_not_take_is_refused_with_its_name(call, path, asked, param):
    answer = call.get(path, **asked)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_expansion_puts_objects_in_the_place_of_ids_and_leaves_the_state_alone(call, stripe):
    asked = {"expand[0]": "data.discounts.source.coupon", "expand[1]": "data.latest_invoice.payments"}
    found = [s for s in call.get("/v1/subscriptions", limit=100, **asked).json()["data"] if s["discounts"]]
    assert found[0]["discounts"][0]["source"]["coupon"]["duration"] in ("once", "repeating", "forever")
    assert found[0]["latest_invoice"]["payments"]["data"][0]["object"] == "invoice_payment"
    assert isinstance(stripe.state.lists["subscriptions"][found[0]["id"]]["discounts"][0], str)


def test_a_wrong_key_no_key_and_a_live_key_are_401(call, stripe):
    for header in (
        {"Authorization": "Bearer sk_test_other"},
        {"Authorization": ""},
        {"Authorization": "Bearer rk_live_x"},
    ):
        assert call.session.get(f"{stripe.url}/v1/charges", headers=header, timeout=5).status_code == 401
    assert stripe.caller(api_key=SECRET_KEY).get("/v1/charges").status_code == 200
    assert (
        call.session.get(f"{stripe.url}/v1/charges", headers={"Stripe-Version": "today"}, timeout=5).status_code == 400
    )


def test_a_missing_permission_is_403_for_the_restricted_key_only(call, stripe):
    stripe.state.deny(["disputes:read"])
    refused = call.get("/v1/disputes")
    assert refused.status_code == 403
    assert "disputes:read" in refused.json()["error"]["message"]
    assert call.get("/v1/charges").status_code == 200
    assert stripe.caller(api_key=SECRET_KEY).get("/v1/disputes").status_code == 200
    stripe.state.deny([])
    assert call.get("/v1/disputes").status_code == 200


def test_more_than_25_calls_a_second_are_429_before_anything_is_done():
    local = Local(Context(limits=True, time_factor=1))
    try:
        call = local.caller()
        charge = local.state.of("charges", status="succeeded", disputed=False)[-1]["id"]
        statuses = [call.get("/v1/products", limit=1).status_code for _ in range(25)]
        refused = call.post("/v1/refunds", {"charge": charge, "amount": 10}, key="k")
        assert statuses == [200] * 25
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "rate_limit"
        local.context.limits = False
        assert "Idempotent-Replayed" not in call.post("/v1/refunds", {"charge": charge, "amount": 10}, key="k").headers
    finally:
        local.stop()
