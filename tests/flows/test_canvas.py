"""The inbox app through the whole product: a conversation from a webhook, the staff read, a payer proven, money back."""

from __future__ import annotations

import time

import pytest

from app import access, agents, identity
from app.access import Login, Role
from app.billing.backfill import backfill
from app.factory import create_app
from app.inbox import facts
from app.refunds import store
from app.refunds.policy import Policy, changed
from integrations import registry
from sandbox.intercom.hooks import CLIENT_SECRET
from sandbox.intercom.shapes import WORKSPACE
from sidebar_app import blueprint, canvas
from tests.canvas_world import Inbox


@pytest.fixture
def own(product, vendors):
    """Intercom connected as an admin does, the staff and the payers read, a policy."""
    made = product.runtime
    vendors.act("intercom", "subscribe", f"{product.url}/webhooks/intercom/inbox")
    made.connections.add(
        registry.by_slug("intercom"), "Inbox", {"limits": "off", "workspace_id": WORKSPACE},
        {"access_token": ["sandbox-intercom-token-not-safe"], "webhook_secret": [CLIENT_SECRET]},
        connection_id="inbox", base_url=f"http://127.0.0.1:{vendors.first + 30}",
    )  # fmt: skip
    ladder = facts.ladder(made.settings)
    backfill(
        made.database, "bank", made.clients.billing("bank"), seats_used_key="seats_used", progress=lambda *_: None,
        index=lambda cx, cid, records: identity.index_payers(cx, cid, records, settings=ladder),
    )  # fmt: skip
    agents.sync(made.database, "inbox", made.clients.helpdesk("inbox"))
    with made.database.begin() as cx:
        wishes = {"enabled": "yes", "limit.refunder.USD": "5000/9000", "payer_count": "9", "charge_days": "9999"}
        store.put_policy(cx, changed(Policy(), wishes | {"strength": "two_facts"}), "per_admin")
        access.attach(cx, "per_admin", access.add_person(cx, "per_admin", "Bea", Role.REFUNDER), Login("inbox", "500"))
    return made


@pytest.fixture
def admin(product):
    app = create_app(product.settings)
    app.register_blueprint(blueprint)
    app.register_blueprint(canvas)
    yield Inbox(app.test_client(use_cookies=False), "500", secret=CLIENT_SECRET)
    app.extensions["deskbridge"].redis.close()
    app.extensions["deskbridge"].database.close()


def payer_who_writes(vendors):
    """(contact, invoice number, charge): somebody with one address at both sides, and a paid invoice in USD."""
    invoices = {k: vendors.get(f"state/stripe/{k}")["objects"] for k in ("invoices", "charges")}
    for customer in vendors.customer_of(status="active", pause_collection=None):
        contact = vendors.act("intercom", "find_contact", customer["email"] or "nobody")
        mine = {k: [o for o in some if o["customer"] == customer["id"]] for k, some in invoices.items()}
        paid = [i for i in mine["invoices"] if i["status"] == "paid" and i["currency"] == "usd"]
        good = [c for c in mine["charges"] if c["status"] == "succeeded" and c["amount"] > 3000]
        good = [c for c in good if not c["amount_refunded"] and not c["disputed"]]
        if contact and paid and good:
            return contact["id"], paid[0]["number"], good[-1]["id"]
    raise AssertionError("the world holds nobody like that")


def settle(product, vendors):
    until = time.monotonic() + 30
    while vendors.get("ledger/intercom")["pending"]:
        assert time.monotonic() < until, "deliveries do not arrive"
        time.sleep(0.02)
    product.settle()


def test_who_pays_is_proven_and_refunded_from_the_inbox(product, vendors, own, admin):
    contact, number, charge = payer_who_writes(vendors)
    admin.conversation = vendors.act("intercom", "create_conversation", contact, "Charged twice")["id"]
    settle(product, vendors)
    assert "Not verified" in admin.open()
    assert "The match is unverified" in admin.click(f"charge/{charge}")
    assert "review" not in admin.ids()
    assert "Two facts given" in admin.click("prove", invoice=number)
    admin.click(f"charge/{charge}")
    admin.click("review", amount="12.00", reason="duplicate", note="")
    assert "Refund $12.00?" in "\n".join(c.get("text", "") for c in admin.current["content"]["components"])
    assert "Requested" in admin.click("confirm")
    assert product.worker.drain_refunds() == 1
    settle(product, vendors)
    assert "$12.00 · Refunded" in admin.click("state")
    made = [r for r in vendors.get("state/stripe/refunds")["objects"] if r["metadata"].get("intent_id")]
    assert [(r["charge"], r["amount"], r["metadata"]["ticket_id"]) for r in made] == [
        (charge, 1200, admin.conversation)
    ]
    parts = vendors.act("intercom", "show", admin.conversation)["conversation_parts"]["conversation_parts"]
    assert ["Refund of 12.00 USD was made." in p["body"] for p in parts if p["part_type"] == "note"] == [True]
