"""Every state of the panel, light and dark, at 320 and 1280 px: nothing in the console, no axe violation."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests import sidebar_world as world
from tests.browser.looking import check, violations


def several(desk, cx):
    world.bill(cx, world.payer("cus_2", name="Northwind Private"), world.subscription("cus_2", status="active"))


def unverified(desk, cx):
    cx.execute(world.sa.text("UPDATE person SET as_of = as_of - interval '1 hour'"))
    world.person(cx, verified=False)


def nobody(desk, cx):
    world.person(cx, "10002", email="nobody@unknown.example", company=None, name="Ola Nordmann")
    world.ticket(cx, desk.ticket, requester_id="10002")


def company(desk, cx):
    world.person(cx, "10003", email="eve@northwind.example", name="Eve Adeyemi")
    world.ticket(cx, desk.ticket, requester_id="10003")


def stale(desk, cx):
    world.caught_up(cx, world.NOW - timedelta(hours=3))


def unknown(desk, cx):
    cx.execute(world.sa.text("DELETE FROM ticket"))


def nothing(desk, cx):
    pass


def quiet(desk, cx):
    """Pills of every colour, no dispute, credit or seats, and several currencies."""
    cx.execute(world.sa.text("DELETE FROM billing_object"))
    cx.execute(world.sa.text("DELETE FROM billing_profile"))
    found = [world.payer(balance=None), world.subscription(status="canceled", cancel_at=world.ago(20), metadata={})]
    found += [
        world.charge(1, minor=1250, currency="JPY", refunded=1250), world.charge(2, minor=1250, currency="KWD"),
        world.charge(3, status="failed", failure_code="card_declined", failure_text="Your card was declined."),
        world.charge(4, status="pending"), world.invoice(5, status="open", due=world.ago(-3)), world.invoice(6, status="void"),
    ]  # fmt: skip
    world.bill(cx, *found)


STATES = {  # name: (what is different, state of the panel, how it is opened)
    "one": (nothing, "one", {}),
    "quiet": (quiet, "one", {}),
    "several": (several, "several", {}),
    "unverified": (unverified, "unverified", {}),
    "nobody": (nobody, "nobody", {}),
    "company": (company, "company", {}),
    "stale": (stale, "one", {}),
    "unknown": (unknown, "unknown", {}),
    "no_permission": (nothing, "refused", {"agent": "503"}),
    "user_page": (nothing, "one", {"place": "user_sidebar"}),
    "new_ticket": (nothing, "one", {"place": "new_ticket_sidebar"}),
    "no_requester": (nothing, "no-requester", {"place": "new_ticket_sidebar", "requester": "none"}),
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_accessible_and_quiet(look, desk, name):
    change, state, how = STATES[name]
    with desk.begin() as cx:
        change(desk, cx)
    agent = look(width=320)
    frame = agent.open(scheme="dark", state=state, **how)
    assert frame.evaluate("document.documentElement.dataset.scheme") == "dark", "as the server wrote it"
    check(agent, name)
    if state == "refused":
        agent.page.wait_for_timeout(2500)  # two polls
        assert "you may not read this ticket" in frame.locator(".panel").text_content()
    expected = ["error: Failed to load resource"] if state == "refused" else []
    assert [line for line in agent.said if not any(line.startswith(e) for e in expected)] == []


def test_the_why_view_is_accessible(look):
    agent = look(width=320)
    frame = agent.open(state="one")
    frame.get_by_role("button", name="Why").click()
    agent.wait("why")
    for one in frame.locator("summary").all()[1:]:
        one.click()
    check(agent, "why")
    assert agent.said == []


def test_the_skeleton_the_end_and_a_typed_mistake_are_accessible(look, desk):
    with desk.begin() as cx:
        unverified(desk, cx)
    agent = look(width=320)
    held = []
    agent.page.route("**/open", lambda route: held.append(route))
    frame = agent.open(state="loading")
    check(agent, "loading")
    while not held:
        agent.page.wait_for_timeout(50)
    held[0].continue_()
    agent.wait("unverified")
    frame.get_by_label("Invoice number").fill("NW-1")
    frame.get_by_role("button", name="Check").click()
    frame.get_by_role("alert").wait_for()
    check(agent, "mistake")
    with desk.begin() as cx:
        cx.execute(world.sa.text("UPDATE session SET expires_at = now() - interval '1 second'"))
    agent.wait("ended")
    check(agent, "ended")


def test_the_workspace_itself_is_accessible(look):
    agent = look()
    agent.open(state="one")
    agent.page.locator("details summary").click()
    assert [v for v in violations(agent.page.main_frame) if "iframe" not in v[2]] == []
