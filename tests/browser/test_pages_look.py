"""Approvals, an agent's own page and the simulated desks: narrow and wide, light and dark, accessible, a quiet console."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.factory import create_app
from app.refunds import links
from sandbox import control
from sandbox.base import Context
from sandbox.desk import intercom_inbox
from sandbox.intercom import simulator as intercom
from sandbox.intercom.hooks import CLIENT_SECRET
from sandbox.intercom.local import Local as LocalIntercom
from sandbox.salesforce import simulator as salesforce
from sandbox.stripe import simulator as stripe
from sandbox.zendesk import simulator as zendesk
from sidebar_app import blueprint, canvas
from tests import canvas_world as inbox
from tests import sidebar_world as world
from tests.browser.conftest import Server, free_port
from tests.browser.looking import four
from tests.browser.money import asked

TAGS = [f"db_{name}" for name in ("plan_business", "renews_30d", "status_past_due", "payment_failed", "dispute_open")]
TEXT = "Could somebody walk me through what changes when we go from Team to Business, and what it costs us?"
WHY = """2026-11-26 20:57:19 UTC  ticket.created, ticket 1001, rules version 1, delivery 4249
  FIRED plan_tag: Tag the plan
          yes       all: billing.plan is_present true; it was "Team"
    -   no_plan: Take the plan's tag off when there is no plan
          because a clause does not hold
          no        all: billing.status one_of ["past_due", "unpaid", "canceled", "paused"]; it was "active"
"""


@pytest.fixture
def page(browser):
    context = browser.new_context()
    found, said = context.new_page(), []
    found.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    found.on("pageerror", lambda error: said.append(f"error: {error}"))
    yield found
    context.close()
    assert [line for line in said if "status of 4" not in line] == []


@pytest.fixture
def desk(money_desk):
    with money_desk.begin() as cx:
        money_desk.link = links.make(cx, money_desk.runtime.refunds, money_desk.eve)
    return money_desk


def test_the_approvals_from_the_link_to_the_end(desk, look, page):
    four(page, "approvals-enter", desk.link)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="No refunds wait").wait_for()
    four(page, "approvals-none")
    for amount, charge in (("1240.00", "ch_cus_1_0"), ("620.50", "ch_cus_1_1")):
        asked(desk, look(), amount, charge)
    page.reload()
    page.get_by_role("heading", name="2 refunds wait").wait_for()
    four(page, "approvals-two")
    page.get_by_role("button", name="Decline").first.click()
    four(page, "approvals-no-reason")
    page.get_by_role("button", name="Approve all chosen").click()
    four(page, "approvals-none-chosen")
    page.get_by_role("button", name="Approve €620.50").click()
    page.get_by_text("€620.50 is approved and on its way.").wait_for()
    page.get_by_role("heading", name="1 refund waits").wait_for()
    four(page, "approvals-one-done")
    page.get_by_role("link", name="Leads and policy").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are signed out").wait_for()
    four(page, "approvals-left")
    page.goto(f"{desk.settings.public_url}/approvals/")
    page.get_by_role("link", name="Ask for another link").wait_for()
    four(page, "approvals-refused")


def test_the_page_of_an_agent(desk, look):
    agent = look()
    agent.open(place="nav_bar", state="")
    with agent.page.expect_popup() as opened:
        agent.frame.get_by_role("button", name="Open Deskbridge").click()
    tab = opened.value
    tab.get_by_role("heading", name="Agent 501").wait_for()
    four(tab, "pages-me")
    tab.get_by_role("button", name="End all my sessions").click()
    tab.get_by_text("All your sessions have ended").wait_for()
    four(tab, "pages-left")
    tab.goto(f"{desk.settings.public_url}/pages/")
    four(tab, "pages-refused")
    assert [line for line in agent.said if "status of 401" not in line] == []


@pytest.fixture
def sandbox(monkeypatch):
    """Every simulated vendor, something at each desk, a letter; the address of the desk."""
    from sandbox.desk import pages

    monkeypatch.setattr(pages, "_why", lambda context, ticket_id: WHY)
    context = Context(limits=False)
    for one in (zendesk, stripe, intercom, salesforce):
        one.build(context)
    desk, chat = (context.simulators[name].state for name in ("zendesk", "intercom"))
    for n in range(4):
        ticket = desk.create_ticket(min(u["id"] for u in desk.users.values() if u["role"] == "end-user"), TEXT, TEXT)[
            "id"
        ]
        desk.tickets[ticket]["tags"] = TAGS[n:]
        made = chat.create_conversation(next(iter(chat.contacts)), TEXT)
        made["tags"]["tags"] = [{"id": tag, "name": tag} for tag in TAGS[n:]]
    server = Server(control.build(context), free_port())
    yield f"http://127.0.0.1:{server.server.effective_port}/sandbox", ticket
    server.stop()


def test_the_simulated_desk(sandbox, page, http):
    url, ticket = sandbox
    for name, path in {
        "list": "/?", "list-none": "/?tag=nothing&", "ticket": f"/tickets/{ticket}?", "mailbox-empty": "/mailbox/?",
        "inbox": "/inbox/?", "workspace": f"/desk/tickets/{ticket}?",
    }.items():  # fmt: skip
        four(page, f"sandbox-{name}", f"{url}{path}scheme={{scheme}}")
    page.goto(f"{url}/?scheme=dark")
    for name in ("Inbox", "Mailbox", "All tickets", "Workspace"):
        page.get_by_role("link", name=name).first.click()
        assert page.locator("html").get_attribute("data-scheme") == "dark", name


@pytest.fixture
def conversation(database):
    """The simulated inbox with the product behind it; the address of a conversation there."""
    vendor, settings = LocalIntercom(), world.settings(database)
    world.connect(database, settings.keys)
    inbox.connect(database, settings.keys, vendor.url)
    inbox.seed(database, [one for one in vendor.state.admins if one.isdigit()], charges=24)
    for one in (one for one in vendor.state.admins if one.isdigit()):
        inbox.person(database, one)
    app = create_app(settings)
    app.register_blueprint(blueprint)
    app.register_blueprint(canvas)
    app.extensions["deskbridge"].connections.rotate(
        world.registry.by_slug("intercom"), inbox.INBOX, "webhook_secret", CLIENT_SECRET
    )
    product = Server(app, free_port())
    vendor.context.deskbridge_url = f"http://127.0.0.1:{product.server.effective_port}"
    contact, second = list(vendor.state.contacts)[:2]
    one = vendor.state.create_conversation(contact, "Charged twice")["id"]
    vendor.state.add_contact(one, second)
    with database.begin() as cx:
        world.person(cx, contact, desk=inbox.INBOX)
        world.ticket(cx, one, desk=inbox.INBOX, requester_id=contact)
    desk = Flask("desk", static_folder=None)
    desk.register_blueprint(intercom_inbox.pages(vendor.context))
    server = Server(desk, free_port())
    yield f"http://127.0.0.1:{server.server.effective_port}/sandbox/inbox/{one}?connection={inbox.INBOX}"
    server.stop()
    product.stop()
    app.extensions["deskbridge"].database.close()
    vendor.stop()


def test_the_panel_in_the_simulated_inbox(conversation, page):
    four(page, "inbox-panel", f"{conversation}&scheme={{scheme}}")
    for n, scheme in enumerate(("light", "dark")):  # a payment each: an open refund of one blocks another
        page.goto(f"{conversation}&scheme={scheme}")
        page.get_by_role("button", name="€1,240.00 · Paid").nth(n).click()
        page.get_by_text(re.compile("€1,2[34]0.00 can still be given back")).wait_for()
        four(page, "inbox-charge", schemes=(scheme,))
        for name, button in (("confirm", "Continue"), ("asked", "for approval")):
            page.get_by_role("button", name=button).click()
            four(page, f"inbox-{name}", schemes=(scheme,))
