"""The console in a real browser: every page light and dark, at 320 and 1280 px, by keyboard, quiet and accessible."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import access
from app.access import Role
from app.admin import blueprint as admin
from app.admin import links
from app.factory import create_app
from integrations.kernel.clock import utc_now
from sidebar_app import approvals
from sidebar_app import blueprint as sidebar
from tests import leads_world as leads
from tests import sidebar_world as world
from tests.browser.conftest import SHOTS, Server, free_port
from tests.browser.looking import four, violations


class Console:
    """The server of a test, and the world behind it."""

    def __init__(self, database, port):
        self.database = database
        self.app = create_app(world.settings(database, port))
        for one in (sidebar, approvals, admin):
            self.app.register_blueprint(one)
        self.runtime = self.app.extensions["deskbridge"]
        self.url = f"http://127.0.0.1:{port}"
        self.server = Server(self.app, port)
        with database.begin() as cx:
            self.ada = access.add_person(cx, "per_setup", "Ada Admin", Role.ADMIN, "ada@acme.example")
            self.eve = access.add_person(cx, "per_setup", "Eve Approver", Role.APPROVER, "eve@acme.example")

    def link(self, person_id):
        with self.database.begin() as cx:
            return links.make(cx, self.url, person_id, utc_now(), "console")

    def close(self):
        self.server.stop()
        self.runtime.database.close()


@pytest.fixture
def console(database):
    made = Console(database, free_port())
    yield made
    made.close()


@pytest.fixture
def filled(console):
    """Leads of every state, renewals in two currencies, a policy with a history."""
    with console.database.begin() as cx:
        found = leads.everything(cx)
        told = [{"account_id": one, "reason": f"{one} has the domain northwind.example"} for one in ("001A", "001B")]
        found["twice"] = leads.put(cx, "review", "trial", subject="domain:northwind.example", company="c2", account_id="", minor=99000,
                                   match={"candidates": told}, why="Two accounts have the domain northwind.example.")  # fmt: skip
        for n in range(30):
            leads.term(cx, n, leads.month(n % 6), 90000 + 41000 * n, failed_on=leads.NOW.date() if n % 5 == 0 else None)
        leads.judged(cx, ["renewal"], accepted=14, rejected=9, won=5, lost=3, open=12)
        leads.judged(
            cx, ["quote_words", "asks_quote"], accepted=2, rejected=38, reason="Asked for a price, not for more", open=3
        )
        leads.judged(cx, ["names_a_competitor"], accepted=2, rejected=1, open=1)
        sums = {"EUR": 130_000, "JPY": 59_630, "KWD": 462_000, "USD": 407_700}
        leads.put(cx, "due", "expansion",
                  card={"money": [{"currency": code, "minor": minor} for code, minor in sums.items()]})  # fmt: skip
        for n in range(60):
            leads.put(cx, "withheld" if n < 20 else "closed", kind="expansion", drawn_at=leads.ago(100), worth=100,
                      worth_later=200 if n % 4 == 0 or n > 40 else 100)  # fmt: skip
        leads.term(cx, 90, leads.month(1), 125000, "KWD")
        leads.term(cx, 91, None, 99000, ends_on=leads.month(2))
    return found


@pytest.fixture
def visit(browser, console):
    """A signed-in browser, and everything its console said."""
    opened = []

    def make(person_id=None, **options):
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "timezone_id": "Europe/Berlin"} | options
        )
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.said.append(f"error: {error}"))
        if person_id != "":
            page.goto(console.link(person_id or console.ada))
            page.get_by_role("button", name="Sign in").click()
        opened.append(context)
        return page

    yield make
    for context in opened:
        context.close()


def shot(page, name):
    if str(SHOTS) != ".":
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(SHOTS / f"admin-{name}.png"), full_page=True)


PAGES = {  # name: address; {x} is the lead in state x
    "pipeline": "/admin/", "filtered": "/admin/?kind=request&account=x&state=nonsense", "held": "/admin/?state=held",
    "lead-held": "/admin/leads/{held}", "lead-pushed": "/admin/leads/{pushed}", "lead-closed": "/admin/leads/{closed}",
    "lead-dead": "/admin/leads/{dead}", "renewals": "/admin/renewals", "report": "/admin/report", "policy": "/admin/policy",
    "review": "/admin/review", "review-find": "/admin/review?lead={twice}&find=gr%C3%BCn", "no-lead": "/admin/leads/led_nothing", "approvals": "/approvals/",
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_is_accessible_quiet_and_fits(console, filled, visit, width, scheme):
    page = visit(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for name, address in PAGES.items():
        page.goto(console.url + address.format(**filled))
        shot(page, f"{name}-{width}-{scheme}")
        assert violations(page.main_frame) == [], name
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than the window"
        small = page.evaluate(
            "[...document.querySelectorAll('a, button, input, select, summary, textarea')].filter(e => e.offsetParent && "
            "!e.closest('.skip, label') && e.type != 'hidden' && (e.getBoundingClientRect().height < 24)).map(e => e.outerHTML)"
        )
        assert [e for e in small if "skip" not in e] == [], name
        expected = "error: Failed to load resource: the server responded with a status of 404"
        assert [line for line in page.said if not line.startswith(expected)] == [], name
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 26, 30)"}[scheme]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_before_the_sign_in_and_empty_ones(console, visit, width, scheme):
    page = visit("", viewport={"width": width, "height": 700}, color_scheme=scheme)
    for name, address in {"out": "/admin/", "ask": "/admin/ask", "enter": "/admin/enter?code=x"}.items():
        page.goto(console.url + address)
        shot(page, f"{name}-{width}-{scheme}")
        assert violations(page.main_frame) == [], name
    page.goto(console.url + "/admin/ask")
    page.get_by_label("Your e-mail address").fill("eve@acme.example")
    page.keyboard.press("Enter")
    page.get_by_text("a link is on its way").wait_for()
    shot(page, f"asked-{width}-{scheme}")
    page.goto(console.link(console.ada))
    page.get_by_role("button", name="Sign in").click()
    for name in ("", "renewals", "policy", "review", "report"):
        page.goto(f"{console.url}/admin/{name}")
        shot(page, f"empty-{name or 'pipeline'}-{width}-{scheme}")
        assert violations(page.main_frame) == [], name
    page.get_by_role("button", name="Sign out Ada Admin").click()
    page.get_by_role("heading", name="You are signed out").wait_for()
    assert violations(page.main_frame) == []
    assert [line for line in page.said if "status of 401" not in line] == []


def test_times_are_in_the_browsers_zone_with_utc_in_the_title(console, filled, visit):
    page = visit()
    page.goto(f"{console.url}/admin/leads/{filled['pushed']}")
    at = page.locator(".steps time").first
    moment = leads.ago(2)
    assert at.get_attribute("title") == f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    local = moment + timedelta(hours=1)
    assert f"{local:%-I:%M}" in at.inner_text()
    assert "Times in Europe/Berlin" in page.locator("footer").inner_text()


def tab_to(page, name, limit=60):
    """Tab until something with this name has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        named = page.evaluate(
            "(() => { const e = document.activeElement; return (e.labels && e.labels[0] ? e.labels[0].innerText : e.innerText) || ''; })()"
        )
        if named.strip().startswith(name):
            visible = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert visible == "solid", f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"{name} is not reached by Tab")


def test_filter_open_a_lead_and_go_back_by_keyboard(console, filled, visit):
    page = visit()
    page.goto(f"{console.url}/admin/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the page"
    page.keyboard.press("Enter")
    tab_to(page, "Filter and sort")
    page.keyboard.press("Enter")
    tab_to(page, "Company at the CRM")
    page.keyboard.type("söhne")
    page.keyboard.press("Enter")
    page.wait_for_url("**account=s*")
    tab_to(page, "Grünwald & Söhne GmbH")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Grünwald & Söhne GmbH").wait_for()
    assert page.url.endswith(filled["pushed"])
    tab_to(page, "All leads")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Leads").wait_for()
    assert page.said == []


def test_a_mistake_in_the_policy_is_put_right_by_keyboard(console, filled, visit):
    page = visit()
    page.goto(f"{console.url}/admin/policy")
    tab_to(page, "Seats in use, per cent", 80)
    page.keyboard.press("Control+a")
    page.keyboard.type("900")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    four(page, "admin-policy-mistake")
    assert page.evaluate("document.activeElement.id") == "f-seats_pct", "the focus is on what is wrong"
    page.keyboard.press("Control+a")
    page.keyboard.type("80")
    page.keyboard.press("Enter")
    page.get_by_text("Version 1 is in force now.").wait_for()
    four(page, "admin-policy-saved")
    assert [line for line in page.said if "422" not in line] == []


def test_an_ambiguous_match_is_resolved_by_keyboard(console, filled, visit):
    page = visit(console.eve)
    page.goto(f"{console.url}/admin/review")
    section = page.locator(f"#{filled['twice']}")
    section.get_by_role("button", name="It is this one").first.focus()
    page.keyboard.press("Enter")
    section.get_by_role("alert").wait_for()
    four(page, "admin-review-mistake")
    assert page.evaluate("document.activeElement.type") == "radio", "the focus is on what is missing"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_text("Remembered. 2 leads go on.").wait_for()
    four(page, "admin-review-done")
    page.goto(f"{console.url}/admin/leads/{filled['twice']}")
    page.get_by_text("Eve Approver said on").wait_for()
    page.get_by_role("button", name="That was wrong: forget it").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Link ended").wait_for()
    assert [line for line in page.said if "422" not in line] == []


def test_an_approver_sees_the_policy_and_goes_to_approvals(console, filled, visit):
    page = visit(console.eve)
    page.goto(f"{console.url}/admin/policy")
    assert page.get_by_role("button", name="Save as a new version").count() == 0
    assert violations(page.main_frame) == []
    page.get_by_role("link", name="Approvals").click()
    page.get_by_role("heading", name="No refunds wait for approval").wait_for()
    assert page.said == []


def test_csv_is_downloaded(console, filled, visit):
    page = visit()
    page.goto(f"{console.url}/admin/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    assert download.value.suggested_filename == "leads.csv"
    with console.database.begin() as cx:
        assert cx.execute(sa.text("SELECT count(*) FROM audit WHERE action = 'leads.exported'")).scalar_one() == 1


def test_the_longest_pages_keep_to_the_budget(console, visit):
    """Guide 10: HTML <= 25 kB packed, CSS <= 8 kB, <= 1,500 nodes; a page of 50 leads, all fields."""
    with console.database.begin() as cx:
        leads.account(cx)
        leads.owner(cx)
        for n in range(60):
            leads.put(
                cx,
                "held",
                signals=[replace(leads.renewal(), source=f"sub_{n}")],
                why=f"A dispute of {n}.00 EUR is open.",
                company=f"c{n}",
            )
        leads.judged(cx, [f"rule_{n}" for n in range(30)], accepted=3, rejected=9)
    page = visit()
    sizes = {}
    page.on("response", lambda answer: sizes.__setitem__(answer.url, answer.header_value("content-length")))
    for address in ("/admin/", "/admin/policy", "/admin/report", "/admin/review"):
        page.goto(console.url + address)
        assert page.evaluate("document.querySelectorAll('*').length") <= 1500, address
        assert int(sizes[console.url + address]) <= 25_000, address
        assert page.evaluate("performance.getEntriesByType('resource').length") <= 3
    assert sum(int(size) for url, size in sizes.items() if url.endswith(".css")) <= 8_000
