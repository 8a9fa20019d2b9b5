"""Answers that are refused, lost or late: what is said then is true, nothing is asked for twice, nothing waits for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sidebar_app import fresh
from tests.browser.looking import check
from tests.browser.money import open_form, type_amount


@pytest.fixture
def desk(money_desk):
    return money_desk


def quiet(agent):
    """Only what the browser itself says of a refusal and of a connection that was cut."""
    return [line for line in agent.said if "Failed to load resource" not in line]


def test_an_amount_that_could_not_be_checked_is_on_no_button(look, desk, zendesk, monkeypatch):
    monkeypatch.setattr(fresh, "KEPT", timedelta(0))
    agent = look(width=320)
    frame = open_form(agent)
    type_amount(frame, "12.00", "^Refund €12.00$")
    held = []
    agent.page.route("**/refund_check", lambda route: held.append(route))
    type_amount(frame, "120.00", "^Refund$")  # at once, before anything is asked
    zendesk.state.users[501]["suspended"] = True
    while not held:
        agent.page.wait_for_timeout(20)
    held[0].continue_()
    frame.locator("#verdict", has_text="Not checked: Zendesk says that you are not a full agent now").wait_for()
    assert frame.locator("#refund-go").text_content() == "Refund"
    assert "Not checked: Zendesk says" in frame.locator("#said").text_content()
    check(agent, "form-not-checked")
    agent.page.unroute("**/refund_check")
    agent.page.route("**/refund_check", lambda route: route.abort())
    frame.get_by_label("Amount in EUR").fill("600.00")
    frame.locator("#verdict", has_text="Not checked: Deskbridge does not answer").wait_for()
    assert frame.locator("#refund-go").text_content() == "Refund"
    agent.page.unroute("**/refund_check")
    zendesk.state.users[501]["suspended"] = False
    type_amount(frame, "600.01", "^Send for approval$")
    assert quiet(agent) == []
