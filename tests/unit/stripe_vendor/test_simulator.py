"""The client and the mirror against the simulated Stripe: every kind, every state, every discount."""

import threading
from collections import Counter

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from app.billing import profiles
from app.billing.backfill import backfill
from integrations.kernel.billing import KINDS
from integrations.kernel.vendor import Account
from integrations.stripe.client import connect
from integrations.transport.http import OpenGate
from sandbox.base import Context
from sandbox.stripe import simulator


class Quiet(WSGIRequestHandler):
    def log(self, *args):
        """Say nothing."""


@pytest.fixture
def client():
    context = Context(limits=False)
    server = make_server("127.0.0.1", 0, simulator.build(context), threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield connect(Account("con_1", "stripe", url, {}, {"api_key": (simulator.API_KEY,)}), OpenGate())
    server.shutdown()
    server.server_close()


def test_everything_of_the_simulator_is_mirrored_with_profiles(database, client):
    assert client.check() == []
    seen = Counter()
    count = backfill(
        database, "con_1", client, seats_used_key="seats_used", index=lambda cx, con, records: None,
        progress=lambda kind, n, done: seen.update({kind: n if done else 0}),
    )  # fmt: skip
    assert count == sum(n for kind, n in seen.items() if kind != "profile")
    assert set(seen) == {*KINDS, "profile"}
    assert seen["payer"] == seen["profile"] > 100
    with database.begin() as cx:
        page = client.page("payer")
        found = profiles(cx, [("con_1", r.id) for r in page.records])
    assert {p["status"] for p in found.values()} > {"active", "past_due", "trialing", "canceled"}
    assert not any(p["unpriced"] for p in found.values())
    subscriptions = client.page("subscription").records
    assert all(d.known for s in subscriptions for d in s.discounts)


def test_one_object_is_read_as_its_list_has_it(client):
    for kind in KINDS:
        records = client.page(kind, limit=3).records
        assert [client.fetch(kind, r.id) for r in records] == list(records), kind
