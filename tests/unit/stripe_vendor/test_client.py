"""The client over real HTTP, against a small server that answers what a test says."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.kernel.billing import KINDS, Gone, Product
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import (
    NeedsReauthorisation,
    RateLimited,
    VendorContractChanged,
    VendorRejected,
    VendorUnavailable,
)
from integrations.kernel.vendor import Account
from integrations.stripe.client import connect
from integrations.stripe.lists import PATHS, windows
from integrations.transport.http import OpenGate


class Stripe:
    """Answers by path: (status, JSON) or a function of the query. Keeps what it was asked, and with which headers."""

    def __init__(self):
        self.answers, self.asked, self.headers = {}, [], []
        stripe = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                stripe.asked.append((parts.path, query))
                stripe.headers.append(dict(self.headers))
                answer = stripe.answers.get(parts.path, (404, {"error": {"code": "resource_missing", "message": "no"}}))
                status, value = answer(query) if callable(answer) else answer
                body = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def has(self, path, *objects, more=False):
        self.answers[path] = (200, {"object": "list", "data": list(objects), "has_more": more, "url": path})


@pytest.fixture
def stripe():
    made = Stripe()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def client(stripe):
    account = Account("con_1", "stripe", stripe.url, {}, {"api_key": ("rk_test_one", "rk_test_old")})
    return connect(account, OpenGate())


def product(pid, **more):
    return {"id": pid, "object": "product", "name": "Team", **more}


def test_pages_follow_the_last_id_and_end(stripe, client):
    stripe.has("/v1/products", product("prod_1"), product("prod_2"), more=True)
    page = client.page("product")
    assert (page.records, page.cursor) == ((Product("prod_1", "Team"), Product("prod_2", "Team")), "prod_2")
    stripe.has("/v1/products", product("prod_3"))
    assert client.page("product", page.cursor).cursor == ""
    assert stripe.asked[1] == ("/v1/products", {"limit": ["100"], "starting_after": ["prod_2"]})


def test_every_kind_has_its_list_and_its_key_is_the_newest(stripe, client):
    assert set(PATHS) == set(KINDS)
    for kind, (path, _, _) in PATHS.items():
        stripe.has(path)
        assert client.page(kind).records == ()
    assert {h["Authorization"] for h in stripe.headers} == {"Bearer rk_test_one"}
    assert {h["Stripe-Version"] for h in stripe.headers} == {"2026-10-28.endive"}
    assert not any("Telemetry" in name for h in stripe.headers for name in h)
    assert dict(stripe.asked)["/v1/subscriptions"]["expand[]"] == [
        "data.discounts.source.coupon",
        "data.items.data.discounts",
    ]
    assert all(e.count(".") < 4 for _, query in stripe.asked for e in query.get("expand[]", []))


def test_a_page_is_as_of_stripes_clock(stripe, client):
    stripe.has("/v1/products")
    assert abs(client.page("product").as_of - utc_now()) < timedelta(seconds=3)


def test_coupons_deeper_than_stripe_expands_are_read_once(stripe, client):
    def discounted(sid):
        d = {"id": "di_1", "object": "discount", "end": None, "source": {"type": "coupon", "coupon": "TEN"}}
        price = {
            "id": "price_1",
            "currency": "usd",
            "unit_amount": 100,
            "product": "prod_1",
            "recurring": {"interval": "month"},
        }
        its = {"id": "si_1", "price": price, "quantity": 1, "discounts": [d]}
        return {
            "id": sid,
            "object": "subscription",
            "customer": "cus_1",
            "status": "active",
            "created": 1,
            "items": {"data": [its]},
        }

    stripe.answers["/v1/coupons/TEN"] = (200, {"id": "TEN", "percent_off": 10, "duration": "forever"})
    stripe.has("/v1/subscriptions", discounted("sub_1"), discounted("sub_2"))
    for _ in range(2):
        (one, two) = client.page("subscription").records
        assert [d.percent for r in (one, two) for i in r.items for d in i.discounts] == [10, 10]
    assert [path for path, _ in stripe.asked].count("/v1/coupons/TEN") == 1
    stripe.answers["/v1/subscriptions/sub_9"] = (200, discounted("sub_9"))
    assert client.fetch("subscription", "sub_9").items[0].discounts[0].known


def test_what_stripe_has_no_more_is_gone(stripe, client):
    assert client.fetch("product", "prod_9") == Gone("product", "prod_9")
    stripe.answers["/v1/customers/cus_1"] = (200, {"id": "cus_1", "object": "customer", "deleted": True})
    assert client.fetch("payer", "cus_1") == Gone("payer", "cus_1", "cus_1")


@pytest.mark.parametrize(("status", "error", "raised"), [
    (401, {}, NeedsReauthorisation), (403, {"code": "more_permissions_required"}, NeedsReauthorisation),
    (429, {"code": "rate_limit"}, RateLimited), (500, {}, VendorUnavailable), (503, {}, VendorUnavailable),
    (400, {"code": "parameter_invalid"}, VendorRejected),
])  # fmt: skip
def test_errors_are_ours_and_nothing_is_tried_twice(stripe, client, status, error, raised):
    stripe.answers["/v1/products"] = (status, {"error": {"message": "no", **error}})
    with pytest.raises(raised) as found:
        client.page("product")
    assert len(stripe.asked) == 1
    assert "rk_test" not in str(found.value)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"data":{}}', b'{"data":7}', b"\xff"])
def test_an_answer_in_an_unknown_shape_is_a_typed_error(stripe, client, body):
    stripe.answers["/v1/products"] = (200, body)
    with pytest.raises(VendorContractChanged):
        client.page("product")


def test_a_server_that_is_not_there_is_unavailable(client, stripe):
    stripe.server.shutdown()
    stripe.server.server_close()
    with pytest.raises(VendorUnavailable):
        client.page("product")


def test_events_come_oldest_first_in_windows_without_a_gap(stripe, client):
    start = datetime(2026, 11, 24, 10, tzinfo=UTC)
    first = int(start.timestamp())
    log = [{"id": f"evt_{n:05d}", "created": first + n * 7} for n in range(700)]

    def listing(query):
        low, high = int(query["created[gte]"][0]), int(query["created[lte]"][0])
        rows = [e for e in reversed(log) if low <= e["created"] <= high]
        if after := query.get("starting_after"):
            rows = rows[[e["id"] for e in rows].index(after[0]) + 1 :]
        return 200, {"object": "list", "data": rows[:100], "has_more": len(rows) > 100}

    stripe.answers["/v1/events"] = listing
    found = [e["id"] for e in client.events_since(start, start + timedelta(seconds=4199))]
    assert found == [e["id"] for e in log[:600]]
    assert len(stripe.asked) < 20


def test_windows_meet_and_grow_while_little_is_found():
    start = datetime(2026, 11, 1, tzinfo=UTC)
    walked = list(windows(start, start + timedelta(days=30)))
    assert len(walked) < 20
    assert all(a[1] + 1 == b[0] for a, b in zip(walked, walked[1:], strict=False))
    assert (walked[0][0], walked[-1][1]) == (int(start.timestamp()), int((start + timedelta(days=30)).timestamp()))


def test_the_check_names_what_the_key_may_not_read(stripe, client):
    for path, _, _ in PATHS.values():
        stripe.has(path)
    stripe.has("/v1/events")
    assert client.check() == []
    stripe.answers["/v1/disputes"] = (403, {"error": {"message": "no"}})
    stripe.has("/v1/products", product("prod_1", livemode=True))
    assert client.check() == [
        "The key and the account's objects differ in live and test mode.",
        "The key may not read disputes: give it that permission (read).",
    ]
    stripe.answers["/v1/customers"] = (401, {"error": {"message": "no"}})
    assert client.check() == ["Stripe does not know this key. Make a restricted key and give it to the connection."]
