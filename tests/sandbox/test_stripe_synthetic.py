"""Lists out of thin air: complete, in the simulator's shapes, without memory, cheap."""

from __future__ import annotations

import json
import time
import tracemalloc
from statistics import median

import pytest

from sandbox.base import Context
from sandbox.stripe.local import Caller, serve
from sandbox.stripe.state import State
from sandbox.stripe.synthetic import SINCE, STEP_S, Sizes, Synthetic
from sandbox.world import build_world
from tests.additions import additions_s

KINDS = ("customers", "subscriptions", "invoices", "invoice_payments", "charges", "payment_methods", "payment_intents")


@pytest.fixture
def small():
    return Synthetic(Sizes(customers=7, invoices=250))


def walk(app, kind, **asked):
    found, after = [], {}
    while True:
        page = json.loads(app.page(kind, {"limit": "100", **asked, **after}))
        found += page["data"]
        if not page["has_more"]:
            return found
        after = {"starting_after": page["data"][-1]["id"]}


def test_a_walk_finds_each_object_once_newest_first(small):
    for kind in KINDS:
        found = walk(small, kind)
        assert len({o["id"] for o in found}) == len(found) == small.sizes.of(kind)
        times = [o["created"] for o in found]
        assert times == sorted(times, reverse=True)


def test_objects_point_at_each_other_and_have_the_simulators_shapes(small):
    state = State(Context(), build_world())
    customers = {o["id"] for o in walk(small, "customers")}
    charges = {o["payment_intent"]: o for o in walk(small, "charges")}
    for invoice in walk(small, "invoices"):
        assert invoice["customer"] in customers
        charge = charges[f"pi_{invoice['id'].removeprefix('in_')}"]
        assert (charge["amount"], charge["customer"]) == (invoice["total"], invoice["customer"])
        assert invoice["lines"]["data"][0]["amount"] == invoice["total"]
    for kind in KINDS:
        real = next(iter(state.lists[kind].values()))
        assert set(walk(small, kind)[0]) == set(real), kind


def test_times_and_both_directions_are_filtered_like_stripe(small):
    whole = walk(small, "charges")
    for bound, keep in (("gt", int.__gt__), ("gte", int.__ge__), ("lt", int.__lt__), ("lte", int.__le__)):
        for moment in (SINCE + 100 * STEP_S, SINCE + 100 * STEP_S + 7):
            found = walk(small, "charges", created={bound: str(moment)})
            assert [o["id"] for o in found] == [o["id"] for o in whole if keep(o["created"], moment)]
    back = json.loads(small.page("charges", {"limit": "10", "ending_before": whole[30]["id"]}))
    assert [o["id"] for o in back["data"]] == [o["id"] for o in whole[20:30]]
    assert back["has_more"] is True


def test_it_serves_over_http_with_a_key(small):
    server = serve(small)
    call = Caller(f"http://127.0.0.1:{server.server_port}")
    one = call.get("/v1/charges", limit=1).json()["data"][0]
    assert call.get(f"/v1/charges/{one['id']}").json() == one
    assert call.get("/v1/disputes").json() == {"object": "list", "data": [], "has_more": False, "url": "/v1/disputes"}
    assert call.get("/v1/charges/ch_999999").status_code == 404
    assert call.get("/v1/charges", limit=101).status_code == 400
    assert call.session.get(call.url + "/v1/charges", headers={"Authorization": ""}, timeout=5).status_code == 401
    call.session.close()
    server.shutdown()
    server.server_close()


def test_the_large_account_costs_no_memory_and_little_time_and_its_last_page_no_more_than_its_first():
    app = Synthetic()
    bare = [additions_s(200_000) for _ in range(9)]  # 100 pages a CPU second of an ordinary machine
    tracemalloc.start()
    after, count, spent = {}, 0, []
    for _ in range(900):
        began = time.process_time()
        page = app.page("invoices", {"limit": "100", **after})
        count += page.count('"object": "invoice"')
        last = page.rindex('{"id": "in_') + len('{"id": "')
        after = {"starting_after": page[last : page.index('"', last)]}
        spent.append(time.process_time() - began)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 90_000
    assert peak < 8 * 2**20
    assert median(spent) < median([*bare, *(additions_s(200_000) for _ in range(9))]), "even while memory is traced"
    assert median(spent[-300:]) < 2 * median(spent[:300])
