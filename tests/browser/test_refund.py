"""A refund in a real browser, against the simulated Zendesk and Stripe over real HTTP: by mouse, by keyboard, by two people."""

from __future__ import annotations

import re
import time

import pytest

from app.refunds import links
from tests import sidebar_world as world
from tests.browser.conftest import keep
from tests.browser.looking import BROKEN, violations
from tests.browser.money import books, open_form, type_amount, work


@pytest.fixture
def desk(money_desk):
    return money_desk


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_click_and_the_money_is_on_its_way(look, desk, stripe, scheme):
    agent = look(width=320)
    frame = agent.open(scheme=scheme, state="one")
    frame.locator("#refund-ch_cus_1_0").click()
    agent.wait("refund")
    assert frame.evaluate("document.activeElement.tagName") == "H1", "the heading has the focus"
    type_amount(frame, "12.00", "Refund €12.00")
    assert frame.locator("#how-part").is_checked()
    agent.shot(f"refund-320-{scheme}")
    assert violations(frame) == []
    assert frame.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    frame.locator("#refund-go").click()
    frame.get_by_role("heading", name="Refunds asked for").wait_for()
    assert frame.evaluate("document.activeElement.id") == "moving"
    frame.get_by_text("Requested", exact=True).wait_for()
    agent.shot(f"refund-requested-320-{scheme}")
    assert violations(frame) == []
    work(desk)
    frame.locator("[data-refund] .pill", has_text="Refunded").wait_for()
    assert books(desk, stripe) == (1200, 1200, 0)
    assert agent.said == []


def test_a_double_click_is_one_refund(look, desk, stripe):
    agent = look()
    frame = open_form(agent)
    type_amount(frame, "12.00", "Refund €12.00")
    frame.locator("#refund-go").dblclick()
    frame.get_by_role("heading", name="Refunds asked for").wait_for()
    work(desk)
    frame.locator("[data-refund] .pill", has_text="Refunded").wait_for()
    assert books(desk, stripe) == (1200, 1200, 0)


def test_with_the_keyboard_alone(look, desk, stripe):
    agent = look()
    frame = agent.open(state="one")
    agent.page.locator("#reload").focus()

    def tab_to(wanted):
        for _ in range(60):
            agent.page.keyboard.press("Tab")
            if frame.evaluate("document.activeElement && document.activeElement.id") == wanted:
                return
        raise AssertionError(f"Tab never reached {wanted}")

    tab_to("refund-ch_cus_1_0")
    agent.page.keyboard.press("Enter")
    agent.wait("refund")
    tab_to("amount")
    agent.page.keyboard.press("Control+A")
    agent.page.keyboard.type("1,240.00")
    agent.page.keyboard.press("Enter")
    frame.get_by_role("alert").wait_for()
    assert frame.evaluate("document.activeElement.id") == "amount", "the field that is wrong has the focus"
    assert "without separators" in frame.locator("#problem").text_content()
    agent.page.keyboard.press("Control+A")
    agent.page.keyboard.type("12.00")
    agent.page.keyboard.press("Enter")
    frame.get_by_role("heading", name="Refunds asked for").wait_for()
    work(desk)
    assert books(desk, stripe) == (1200, 1200, 0)
    assert [s for s in agent.said if "422" not in s] == []


def test_above_the_limit_a_second_person_approves_in_their_own_browser(look, desk, stripe, browser):
    agent = look()
    frame = open_form(agent)
    frame.locator("#refund-go", has_text="Send for approval").click()
    frame.locator("[data-refund] .pill", has_text="Waits for approval").wait_for()
    work(desk, 1)
    assert books(desk, stripe) == (0, 0, 0)
    with desk.begin() as cx:
        link = links.make(cx, desk.runtime.refunds, desk.eve)
    context = browser.new_context()
    try:
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="1 refund waits for approval").wait_for()
        page.set_viewport_size({"width": 320, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            keep(page, f"approvals-320-{scheme}")
            assert violations(page.main_frame) == []
            assert page.evaluate(BROKEN) == []
        page.get_by_role("button", name=re.compile("^Approve")).click()
        page.get_by_text("is approved and on its way").wait_for()
        assert said == []
    finally:
        context.close()
    work(desk)
    frame.locator("[data-refund] .pill", has_text="Refunded").wait_for()
    assert books(desk, stripe) == (124000, 124000, 0)
    assert agent.said == []


def test_a_disputed_charge_is_refused_with_its_reason(look, desk, stripe):
    with desk.begin() as cx:
        world.bill(cx, world.charge(20, disputed=True, days=0), world.k.Dispute(
            "dp_new", "ch_cus_1_20", "needs_response", world.Money(124000, "EUR"), "fraudulent", world.ago(0),
            world.ago(-6), "cus_1",
        ))  # fmt: skip
    agent = look(width=320)
    frame = open_form(agent, "ch_cus_1_20")
    frame.get_by_text("a refund now would be paid twice").first.wait_for()
    assert frame.locator("#refund-go").is_hidden()
    agent.shot("refund-disputed-320-light")
    assert violations(frame) == []
    frame.get_by_role("button", name="Back").click()
    agent.wait("one")
    assert books(desk, stripe) == (0, 0, 0)
    assert agent.said == []


@pytest.mark.parametrize("amount", ["5.04", "5.00"])
def test_an_answer_that_was_cut_after_acceptance_is_one_refund(look, desk, stripe, amount):
    agent = look()
    frame = open_form(agent)
    type_amount(frame, amount, f"Refund €{amount}")
    frame.locator("#refund-go").click()
    frame.get_by_role("heading", name="Refunds asked for").wait_for()
    work(desk, 6)
    frame.locator("[data-refund] .pill", has_text="Refunded").wait_for(timeout=20_000)
    minor = int(amount.replace(".", ""))
    assert books(desk, stripe) == (minor, minor, 0)


def test_fraudulent_asks_twice_beside_what_it_does(look, desk):
    agent = look(width=320)
    frame = open_form(agent)
    type_amount(frame, "12.00", "Refund €12.00")
    frame.get_by_label("Reason").select_option("fraudulent")
    frame.locator("#refund-go").click()
    frame.get_by_text("block list").wait_for()
    assert frame.evaluate("document.activeElement.id") == "ask"
    assert violations(frame) == []
    agent.page.keyboard.press("Space")
    frame.locator("#refund-go").click()
    frame.get_by_role("heading", name="Refunds asked for").wait_for()
    assert agent.said == []


def test_what_is_being_typed_stays_while_the_panel_asks_for_news(look, desk):
    agent = look()
    frame = open_form(agent)
    frame.get_by_label("Note for the ticket").fill("Promised")
    time.sleep(2.5)  # two polls
    assert frame.get_by_label("Note for the ticket").input_value() == "Promised"
