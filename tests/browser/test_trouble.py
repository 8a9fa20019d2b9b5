"""Answers that are refused, lost or late: what is said then is true, nothing is asked for twice, nothing waits for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sidebar_app import fresh
from tests import sidebar_world as world
from tests.browser.looking import check, violations
from tests.browser.money import asked, books, open_form, type_amount, work

SLOW_START = """() => {
  window.unanswered = 1;
  Object.defineProperty(window, "ZAFClient", { configurable: true, set(sdk) {
    const init = sdk.init;
    sdk.init = () => {
      const client = init.call(sdk);
      const get = client.get;
      client.get = (path) => (window.unanswered-- > 0 ? Promise.reject(new Error("no answer")) : get(path));
      return client;
    };
    Object.defineProperty(window, "ZAFClient", { value: sdk });
  } });
}"""
CHOOSE = "(who) => import('/sandbox/desk/static/host.js').then((m) => m.choose(who))"


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
    frame.get_by_label("Note for the ticket").fill("Promised")
    zendesk.state.users[501]["suspended"] = True
    frame.locator("#refund-go").click()
    agent.wait("refund-refused")
    assert violations(frame) == []
    zendesk.state.users[501]["suspended"] = False
    frame.get_by_role("button", name="To what you typed").click()
    agent.wait("refund")
    assert frame.get_by_label("Note for the ticket").input_value() == "Promised"
    assert frame.locator("#refund-go").text_content() == "Send for approval"
    assert quiet(agent) == []


def test_a_refund_whose_answer_is_lost_is_asked_for_once_more_and_made_once(look, desk, stripe):
    agent = look(width=320)
    frame = open_form(agent)
    type_amount(frame, "12.00", "Refund €12.00")

    def lose(route):
        route.fetch()
        route.abort()

    agent.page.route("**/refund_request", lose)
    frame.locator("#refund-go").click()
    lost = frame.get_by_role("alert").filter(has_text="Not known whether this arrived")
    lost.wait_for()
    assert "the same refund is asked for once" in lost.text_content()
    assert violations(frame) == []
    agent.page.wait_for_timeout(2200)  # two polls, which are answered
    assert lost.is_visible(), "it is about the refund, not about the polls"
    agent.page.unroute("**/refund_request")
    bad = {"status": 502, "content_type": "text/html", "body": "<h1>502 Bad Gateway</h1>"}
    agent.page.route("**/refund_request", lambda route: route.fulfill(**bad))
    with agent.page.expect_response("**/refund_request"):
        frame.locator("#refund-go").click()
    frame.locator("form:not([data-busy])").wait_for()
    assert lost.count() == 1, "the page of a proxy is none of ours"
    agent.page.unroute("**/refund_request")
    frame.locator("#refund-go").click()
    frame.get_by_role("heading", name="Refunds asked for").wait_for()
    assert frame.locator("li[data-refund]").count() == 1
    assert lost.count() == 0
    work(desk)
    assert books(desk, stripe) == (1200, 1200, 0)
    assert quiet(agent) == []


def test_a_second_click_on_the_way_sends_nothing(look, desk):
    agent = look()
    frame = asked(desk, agent, "1240.00")
    frame.get_by_role("button", name="Take back").click()
    agent.wait("refund-void")
    sent = []
    agent.page.on("request", lambda one: sent.append(one.url) if one.url.endswith("/refund_void") else None)
    frame.locator("#void-go").dblclick()
    frame.get_by_text("Taken back.").wait_for()
    agent.page.wait_for_timeout(200)  # for what would come second
    assert len(sent) == 1
    assert frame.get_by_text("Taken back.").is_visible()
    assert agent.said == []


def test_what_a_click_only_reads_is_not_said_to_be_asked_again(look, desk):
    agent = look()
    frame = agent.open(state="one")
    agent.page.route("**/refund", lambda route: route.abort())
    frame.locator("#refund-ch_cus_1_0").click()
    frame.locator("#trouble", has_text="Press again").wait_for()
    agent.page.unroute("**/refund")
    frame.locator("#refund-ch_cus_1_0").click()
    agent.wait("refund")
    assert frame.locator("#trouble").count() == 0
    assert quiet(agent) == []


def test_a_start_that_zendesk_does_not_answer_is_tried_again(look, desk):
    agent = look(width=320)
    agent.page.add_init_script(f"({SLOW_START})()")
    frame = agent.open(state="loading", place="new_ticket_sidebar")
    frame.locator("#trouble", has_text="Zendesk has not answered yet").wait_for()
    assert frame.locator("main").get_attribute("aria-busy") is None
    assert violations(frame) == []
    agent.wait("one")
    assert frame.locator("#trouble").count() == 0
    frame.evaluate("window.unanswered = 1")
    agent.page.evaluate(CHOOSE, {"id": 10001})
    agent.wait("loading")  # whose billing this would be is not known any more
    agent.wait("one")
    assert agent.said == []


def test_a_requester_is_chosen_and_taken_away_again(look, desk):
    agent = look()
    frame = agent.open(state="no-requester", place="new_ticket_sidebar", requester="none")
    agent.page.evaluate(CHOOSE, {"id": 10001})
    agent.wait("one")
    agent.page.evaluate(CHOOSE, None)
    agent.wait("no-requester")
    assert frame.get_by_text("No requester yet").is_visible()
    assert agent.said == []


def test_the_navigation_bar_says_what_is_true(look, desk):
    agent = look(width=320)
    agent.open(place="nav_bar", state="")
    frame = agent.frame
    button = frame.get_by_role("button", name="Open Deskbridge")
    agent.page.route("**/code", lambda route: route.abort())
    button.click()
    frame.locator("#said", has_text="Deskbridge does not answer. Press again in a moment.").wait_for()
    agent.page.unroute("**/code")
    with desk.begin() as cx:
        cx.execute(world.sa.text("UPDATE agent_read SET read_at = read_at - interval '1 day'"))
    button.click()
    frame.locator("#said", has_text="Who works here was not read from Zendesk lately").wait_for()
    assert violations(frame) == []
    assert quiet(agent) == []
