"""The page of the simulated desk: tickets with tags and notes, and why, in both colours and down to 320 px."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from sandbox import control
from sandbox.base.serving import end, serve
from sandbox.zendesk.state import OWN_USER

NOTE = "<p>Plan: <b>Team</b>, past due<br>since 12 March &amp; disputed.</p><p><small>deskbridge-ref:n1</small></p>"


@pytest.fixture
def desk(zendesk):
    """The control app, with a product that explains; (client, ticket)."""
    product = Flask("product")
    product.add_url_rule("/sandbox-explain/<desk>/<ticket>", "why", lambda desk, ticket: f"FIRED plan_tag for {ticket}")
    server = serve(product)
    zendesk.context.deskbridge_url = f"http://127.0.0.1:{server.server_port}"
    ticket = zendesk.ticket(tags=["foreign"])
    update = {"additional_tags": ["db_plan_team"], "comment": {"html_body": NOTE, "public": False}}
    zendesk.state.change(ticket, OWN_USER, update)
    yield control.build(zendesk.context), ticket
    end(server)


def test_a_ticket_shows_its_tags_its_note_as_text_and_why(desk):
    app, ticket = desk
    page = app.test_client().get(f"/sandbox/tickets/{ticket}").text
    assert '<span class="tag own">db_plan_team</span>' in page
    assert '<span class="tag ">foreign</span>' in page
    assert "Plan: Team, past due\nsince 12 March &amp; disputed." in page
    assert f"FIRED plan_tag for {ticket}" in page
    assert app.test_client().get("/sandbox/tickets/77").status_code == 404


def test_the_list_finds_by_tag_and_says_when_there_is_none(desk, zendesk):
    app, ticket = desk
    other = zendesk.ticket()
    everything = app.test_client().get("/sandbox/").text
    assert all(f"/tickets/{i}?" in everything for i in (ticket, other))
    found = app.test_client().get("/sandbox/?tag=DB_").text
    assert f"/tickets/{ticket}?" in found
    assert f"/tickets/{other}?" not in found
    assert "No ticket yet with such a tag" in app.test_client().get("/sandbox/?tag=none").text


@pytest.fixture
def pages(desk, browser):
    """pages(width) -> for the list and for a ticket: a page of a real browser that shows it, in either colours."""
    app, ticket = desk
    server = serve(app)

    def show(width):
        with browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True) as context:
            page = context.new_page()
            for scheme in ("light", "dark"):
                for path in ("", f"tickets/{ticket}"):
                    page.goto(f"http://127.0.0.1:{server.server_port}/sandbox/{path}?scheme={scheme}")
                    yield page, scheme

    yield show
    end(server)


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 1280])
def test_in_a_browser_nothing_sticks_out_and_the_colours_are_those_asked_for(pages, width):
    for page, scheme in pages(width):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shade = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert (sum(map(int, shade[:3])) > 380) == (scheme == "light")


@pytest.mark.browser
def test_in_a_browser_everybody_can_read_it(pages):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="LOUD: no axe here: accessibility IS NOT CHECKED"
    )
    for page, _ in pages(320):
        assert [v["id"] for v in axe.Axe().run(page).response["violations"]] == []
