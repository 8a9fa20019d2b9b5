"""Without a mouse and without eyes: where the focus is after each answer, what is said, the whole way by keyboard."""

from __future__ import annotations

import pytest

from tests import sidebar_world as world
from tests.browser.money import open_form, type_amount, work


@pytest.fixture
def desk(money_desk):
    return money_desk


def focused(frame):
    return frame.evaluate("document.activeElement && (document.activeElement.id || document.activeElement.tagName)")


def said(frame, text):
    """What the live region says now or soon."""
    frame.locator("#said", has_text=text).wait_for(state="attached")


def tab_to(agent, frame, wanted):
    for _ in range(60):
        agent.page.keyboard.press("Tab")
        if focused(frame) == wanted:
            return
    raise AssertionError(f"Tab never reached {wanted}")


def test_a_proposal_is_taken_back_with_the_keyboard_alone(look, desk):
    agent = look()
    frame = agent.open(state="one")
    agent.page.locator("#reload").focus()
    tab_to(agent, frame, "refund-ch_cus_1_0")
    agent.page.keyboard.press("Enter")
    agent.wait("refund")
    tab_to(agent, frame, "refund-go")
    agent.page.keyboard.press("Enter")
    frame.locator("li[data-refund] .pill", has_text="Waits for approval").wait_for()
    assert focused(frame) == "moving"
    said(frame, "€1,240.00: Waits for approval")
    void = frame.locator("button[id^=void-]").get_attribute("id")
    agent.page.keyboard.press("Tab")
    assert focused(frame) == void, "the very next thing"
    agent.page.keyboard.press("Enter")
    agent.wait("refund-void")
    assert focused(frame) == "H1"
    tab_to(agent, frame, "back")
    agent.page.keyboard.press("Enter")
    agent.wait("one")
    assert focused(frame) == void, "back to where it came from"
    agent.page.keyboard.press("Enter")
    agent.wait("refund-void")
    tab_to(agent, frame, "void-go")
    agent.page.keyboard.press("Enter")
    frame.get_by_text("Taken back.").wait_for()
    assert focused(frame) == "moving"
    said(frame, "€1,240.00: Void")
    assert agent.said == []


def test_back_leads_to_the_button_it_came_from(look, desk):
    agent = look()
    frame = open_form(agent, "ch_cus_1_1")
    assert focused(frame) == "H1"
    frame.locator("#back").press("Enter")
    agent.wait("one")
    assert focused(frame) == "refund-ch_cus_1_1"
    frame.locator("#why").press("Enter")
    agent.wait("why")
    assert focused(frame) == "H1"
    frame.locator("#back").press("Enter")
    agent.wait("one")
    assert focused(frame) == "why"
    frame.locator("#more-charges").press("Enter")
    frame.locator("#more-charges").wait_for(state="detached")
    assert focused(frame) == "list-charges", "in the list, not at the top of the page"
    assert agent.said == []


def test_what_an_amount_would_do_and_how_a_refund_goes_on_is_said(look, desk):
    agent = look()
    frame = open_form(agent)
    type_amount(frame, "12.00", "Refund €12.00")
    said(frame, "Refund €12.00")
    type_amount(frame, "500.01", "Send for approval")
    said(frame, "Above your €500.00 a refund")
    frame.get_by_label("Amount in EUR").fill("x")
    said(frame, "in digits")
    assert frame.get_by_label("Amount in EUR").get_attribute("aria-describedby") == "typing"
    type_amount(frame, "12.00", "Refund €12.00")
    assert frame.get_by_label("Amount in EUR").get_attribute("aria-invalid") is None
    frame.locator("#refund-go").press("Enter")
    said(frame, "€12.00: Requested")
    frame.locator("#refresh").focus()
    work(desk)
    said(frame, "€12.00: Refunded")
    assert focused(frame) == "refresh", "news takes no focus"
    assert agent.said == []


def test_a_choice_among_payers_keeps_the_focus_on_what_was_chosen(look, desk):
    with desk.begin() as cx:
        world.bill(cx, world.payer("cus_2", name="Northwind Private"), world.subscription("cus_2", status="active"))
    agent = look()
    frame = agent.open(state="several")
    agent.page.locator("#reload").focus()
    tab_to(agent, frame, "choose-2")
    agent.page.keyboard.press("Enter")
    agent.wait("one")
    assert focused(frame) == "H1"
    assert frame.get_by_role("heading", name="Northwind").first.is_visible()
    assert agent.said == []
