"""The sandbox's mailbox takes what the product signs and nothing else; the desk opens where a refund can be tried."""

from __future__ import annotations

import pytest
import requests

from app.config import load
from app.notify.channels import post_webhook
from app.notify.store import Notice
from integrations.kernel.errors import VendorRejected
from sandbox import control
from sandbox.base import Context
from sandbox.base.serving import end, serve
from sandbox.desk import mailbox, ready
from sandbox.stripe import simulator as stripe
from sandbox.zendesk import simulator as zendesk

LETTER = Notice(
    "ntc_1", "refund.approval", "A refund waits", "It is 12.00 EUR.\n\nhttp://127.0.0.1:1/approvals/enter?code=abc\nOnce.",
    {"refund_id": "rfd_1"}, ("eve@acme.example",), (), 1,
)  # fmt: skip


@pytest.fixture
def context():
    found = Context(limits=False)
    zendesk.build(found)
    stripe.build(found)
    return found


@pytest.fixture
def desk(context):
    server = serve(control.build(context))
    yield f"http://127.0.0.1:{server.server_port}"
    end(server)


def settings(url, secret=mailbox.SECRET, mode="sandbox"):
    return load({"MODE": mode, "NOTIFY_WEBHOOK_URL": f"{url}/sandbox/mailbox/hook", "NOTIFY_WEBHOOK_SECRETS": secret})


def test_a_signed_notice_is_shown_once_with_its_link(context, desk):
    for _ in range(2):
        post_webhook(LETTER, settings(desk))
    page = control_page(desk)
    assert page.count("A refund waits") == 1
    assert "To eve@acme.example" in page
    assert 'href="http://127.0.0.1:1/approvals/enter?code=abc"' in page


def test_what_somebody_else_signed_is_refused(desk):
    with pytest.raises(VendorRejected):
        post_webhook(LETTER, settings(desk, "whsec_bm90IHRoZSBzZWNyZXQ="))
    assert "No mail yet" in control_page(desk)


def test_outside_the_sandbox_a_link_that_signs_somebody_in_is_in_no_webhook(desk):
    post_webhook(LETTER, settings(desk, mode="development"))
    page = control_page(desk)
    assert ("A refund waits" in page, "code=" in page, "eve@" in page) == (True, False, False)


def test_the_desk_opens_on_a_ticket_whose_requester_can_get_money_back(context, desk, http):
    state, money = context.simulators["zendesk"].state, context.simulators["stripe"].state
    stranger = next(u["id"] for u in state.users.values() if u["role"] == "end-user" and not u["verified"])
    state.create_ticket(stranger, "Not verified", "x")
    written = ready.ticket(context)
    requester = state.users[state.tickets[written]["requester_id"]]
    (payer,) = [c for c in money.of("customers") if (c["email"] or "").lower() == requester["email"].lower()]
    assert requester["verified"]
    assert any(
        c["status"] == "succeeded" and not c["amount_refunded"] for c in money.of("charges", customer=payer["id"])
    )
    state.create_ticket(stranger, "Newer", "x")
    answer = http.get(f"{desk}/sandbox/desk/", allow_redirects=False)
    assert answer.headers["Location"].endswith(f"/tickets/{written}?agent=501")
    assert ready.ticket(context) == written, "one is enough"


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def control_page(desk):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{desk}/sandbox/mailbox/", timeout=30).text
