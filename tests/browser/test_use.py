"""What an agent does in the panel, by mouse and by keyboard, and what the page does by itself."""

from __future__ import annotations

import re
import time

import pytest

from app.identity.models import identity_link
from tests import sidebar_world as world
from tests.browser.conftest import keep


def until(true, seconds=20):
    """Wait for something the page does by itself; the bound is for a machine that is very busy."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_tabs_follow_the_arrow_keys_and_stay_where_they_are_when_news_comes(look, desk):
    agent = look()
    frame = agent.open(state="one")
    frame.get_by_role("tab", name="Charges").focus()
    for key, name in (("ArrowRight", "Invoices"), ("ArrowRight", "Refunds"), ("ArrowRight", "Charges"),
                      ("ArrowLeft", "Refunds"), ("Home", "Charges"), ("End", "Refunds"), ("ArrowLeft", "Invoices")):  # fmt: skip
        agent.page.keyboard.press(key)
        tab = frame.get_by_role("tab", name=name)
        assert tab.get_attribute("aria-selected") == "true"
        assert frame.evaluate("document.activeElement.textContent").startswith(name)
        assert frame.get_by_role("tabpanel").count() == 1
    with desk.begin() as cx:
        world.bill(cx, world.charge(30, minor=4711, days=0))
    frame.get_by_text("€47.11").first.wait_for(state="attached", timeout=20_000)
    assert frame.get_by_role("tab", name="Invoices").get_attribute("aria-selected") == "true"
    assert frame.evaluate("document.activeElement.id") == "tab-invoices"
    assert agent.said == []


def test_who_pays_is_proved_with_the_keyboard_alone(look, desk):
    with desk.begin() as cx:
        cx.execute(world.sa.text("UPDATE person SET as_of = as_of - interval '1 hour'"))
        world.person(cx, verified=False)
    agent = look()
    frame = agent.open(state="unverified")
    agent.page.locator("#reload").focus()
    active = frame.evaluate
    for _ in range(30):
        agent.page.keyboard.press("Tab")
        if active("document.activeElement && document.activeElement.id") == "invoice":
            break
    assert active("document.activeElement.id") == "invoice"
    agent.page.keyboard.type("NW-9999")
    agent.page.keyboard.press("Enter")
    frame.get_by_role("alert").wait_for()
    assert active("document.activeElement.id") == "invoice", "the field that is wrong has the focus"
    assert active("document.activeElement.getAttribute('aria-invalid')") == "true"
    agent.page.keyboard.press("Control+A")
    agent.page.keyboard.type("NW-0120")
    agent.page.keyboard.press("Enter")
    agent.wait("one")
    assert active("document.activeElement.tagName") == "H1"
    assert frame.get_by_text("Linked by Agent 501").is_visible()
    assert [s for s in agent.said if "422" not in s] == []


def test_what_is_being_typed_is_not_swapped_away(look, desk):
    with desk.begin() as cx:
        world.person(cx, "10002", email="nobody@unknown.example", company=None)
        world.ticket(cx, desk.ticket, requester_id="10002")
    frame = look().open(state="nobody")
    frame.get_by_label("Invoice number").fill("NW-01")
    with desk.begin() as cx:
        world.ticket(cx, desk.ticket, requester_id="10002", tags=("db_new",))
    frame.page.wait_for_timeout(2500)  # two polls, which must leave the form alone
    assert frame.get_by_label("Invoice number").input_value() == "NW-01"
    assert frame.get_by_text("db_new").count() == 0
    frame.get_by_label("Invoice number").fill("")
    frame.get_by_text("db_new").first.wait_for()


def test_a_choice_is_made_and_remembered(look, desk):
    with desk.begin() as cx:
        world.bill(cx, world.payer("cus_2", name="Northwind Private"), world.subscription("cus_2"))
    agent = look()
    frame = agent.open(state="several")
    frame.get_by_role("button", name=re.compile("Northwind Private")).click()
    agent.wait("one")
    assert frame.get_by_role("heading", name="Northwind Private").is_visible()
    with desk.begin() as cx:
        assert cx.execute(world.sa.select(identity_link.c.made_by)).scalars().all() == ["desk/501"]
    assert agent.said == []


def test_the_why_view_and_the_way_back(look):
    agent = look()
    frame = agent.open(state="one")
    frame.get_by_role("button", name="Why").click()
    agent.wait("why")
    assert frame.evaluate("document.activeElement.textContent") == "Why these tags"
    assert frame.get_by_text("it was 21").is_visible()
    agent.shot("why-1280-light")
    frame.get_by_role("button", name="Back").click()
    agent.wait("one")
    assert agent.said == []


def test_dark_comes_without_a_reload(look):
    agent = look()
    frame = agent.open(state="one")
    agent.page.get_by_role("button", name="Dark").click()
    until(lambda: frame.evaluate("document.documentElement.dataset.scheme") == "dark")
    assert frame.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 26, 30)"


def test_the_frame_grows_with_the_panel_and_ends_at_800_px(look):
    agent = look()
    frame = agent.open(state="one")
    height = agent.page.locator("#app").evaluate
    until(lambda: height("e => e.offsetHeight") == 800)
    frame.get_by_role("button", name="Why").click()
    agent.wait("why")
    until(lambda: height("e => e.offsetHeight") < 800)


def test_refresh_asks_and_says_when_it_was_done(look, desk):
    agent = look()
    frame = agent.open(state="one")
    frame.get_by_role("button", name="Refresh").click()
    frame.get_by_role("button", name="Reading").wait_for()
    assert frame.locator("#said").text_content() == "Reading from Stripe again."
    with desk.begin() as cx:
        cx.execute(world.sa.text("DELETE FROM billing_reread"))  # a worker has read it
    until(lambda: frame.locator("#said").text_content() == "Read from Stripe again.")
    assert frame.get_by_role("button", name="Refresh").is_visible()


def test_a_session_that_ended_says_so_and_asks_no_more(look, desk):
    agent = look()
    frame = agent.open(state="one")
    with desk.begin() as cx:
        cx.execute(world.sa.text("UPDATE session SET expires_at = now() - interval '1 second'"))
    agent.wait("ended")
    agent.shot("ended-1280-light")
    assert frame.get_by_text("Your session ended. Reload the app.").is_visible()
    asked = []
    agent.page.on("request", lambda request: asked.append(request.url))
    agent.page.wait_for_timeout(2500)
    assert asked == []
    agent.page.get_by_role("button", name="Reload the app").click()
    agent.wait("one")


def test_deskbridge_away_keeps_what_was_known_and_says_so(look, desk):
    agent = look()
    frame = agent.open(state="one")
    agent.page.route("**/panel?*", lambda route: route.abort())
    frame.locator("#trouble").wait_for()
    assert frame.get_by_text("Deskbridge does not answer").is_visible()
    assert frame.get_by_text("NW-0120").first.is_visible()
    agent.page.unroute("**/panel?*")
    frame.locator("#trouble").wait_for(state="detached")


def test_the_loading_skeleton_stands_until_the_first_answer(look):
    agent = look()
    held = []
    agent.page.route("**/open", lambda route: held.append(route))
    frame = agent.open(state="loading")
    assert frame.locator("main").get_attribute("aria-busy") == "true"
    agent.shot("loading-1280-light")
    for route in held:
        route.abort()


def test_a_page_outside_zendesk_says_where_it_belongs(look, desk, browser):
    page = browser.new_context().new_page()
    page.goto(f"{desk.settings.public_url}/sidebar/desk")
    assert page.get_by_text("Open this app from a ticket in Zendesk").is_visible()
    page.context.close()


@pytest.mark.parametrize("hidden", [True, False])
def test_only_a_page_that_is_looked_at_asks(look, hidden):
    agent = look()
    agent.open(state="one")
    asked = []
    agent.page.on("request", lambda request: asked.append(request.url))
    if hidden:
        agent.page.evaluate("import('/sandbox/desk/static/host.js').then(m => m.fire('app.deactivated', {}))")
        agent.page.wait_for_timeout(1200)
        asked.clear()
    agent.page.wait_for_timeout(2500)
    assert bool([url for url in asked if "/panel" in url]) is not hidden


def test_our_own_pages_open_in_a_tab_of_their_own_and_end_everywhere(look):
    agent = look()
    agent.open(place="nav_bar", state="")
    frame = agent.frame
    agent.shot("nav_bar-1280-light")
    with agent.page.expect_popup() as opened:
        frame.get_by_role("button", name="Open Deskbridge").click()
    tab = opened.value
    tab.get_by_role("heading", name="Agent 501").wait_for()
    assert tab.url.endswith("/pages/")
    keep(tab, "pages-1280-light")
    tab.get_by_role("button", name="End all my sessions").click()
    tab.get_by_text("All your sessions have ended").wait_for()
    tab.reload()
    frame.get_by_role("button", name="Open Deskbridge").click()
    frame.get_by_text("Your session ended").wait_for()


def test_the_page_keeps_no_secret_where_others_could_read_it(look):
    agent = look()
    frame = agent.open(state="one")
    assert frame.locator('meta[name="session"]').count() == 0
    assert agent.context.cookies() == []
    assert "Bearer" not in frame.content()
    assert not re.search(r"[?&](token|session|bearer)=", frame.url)


def test_the_budgets_hold(browser, look, desk):
    agent = look()
    sizes = {}

    def count(response):
        if response.url.startswith(desk.settings.public_url) and "/panel" not in response.url:
            sizes[response.url.rsplit("/", 1)[1].split("?")[0]] = response.request.sizes()["responseBodySize"]

    agent.page.on("response", count)
    with desk.begin() as cx:
        world.bill(cx, *world.everything(charges=50))
    frame = agent.open(state="one")
    assert sizes["desk"] <= 2000, "the document, gzip"
    assert sizes["open"] <= 6000, "the billing fragment, gzip"
    assert sum(n for name, n in sizes.items() if name.endswith(".js")) <= 8000
    assert sum(n for name, n in sizes.items() if name.endswith(".css")) <= 8000
    assert len(sizes) <= 6, sizes
    assert sum(sizes.values()) <= 25_000
    assert frame.evaluate("document.getElementsByTagName('*').length") <= 400
