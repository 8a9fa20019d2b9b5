"""In by a link that works once; another link is sent to whom it belongs to, and nobody learns who that is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from app import access, audit
from app.access import Role
from app.admin import asking
from app.admin.links import NoConsole
from app.cli.admin import group
from app.notify import store as notices
from tests.admin_world import ORIGIN, Visitor, now, world

ASKED = "a link is on its way"


def ask(app, email, **more):
    return app.test_client().post("/admin/ask", data={"email": email}, headers={"Origin": ORIGIN}, **more)


def told(database):
    with database.begin() as cx:
        return notices.listing(cx)


def test_a_link_signs_one_person_in_once_also_for_approvals(app, database, people):
    ada = people[Role.ADMIN]
    link = ada.link()
    answer = ada.use(link, zone="Europe/Berlin")
    assert (answer.status_code, answer.location) == (303, "/admin/")
    cookies = answer.headers.getlist("Set-Cookie")
    assert {re.search(r"Path=([^;]+)", c).group(1) for c in cookies if "console" in c} == {"/admin", "/approvals"}
    assert all("HttpOnly" in c and "SameSite=Lax" in c for c in cookies if "deskbridge_next=;" not in c)
    assert [ada.get(path).status_code for path in ("/admin/", "/approvals/")] == [200, 200]
    assert "Times in Europe/Berlin" in ada.get("/admin/").text
    again = Visitor(app, ada.person_id).use(link)
    assert (again.status_code, "Ask for a link" in again.text) == (401, True)


@pytest.mark.parametrize("wanted", ["/admin/leads/led_1", "/admin/?state=held&text=a%20b", "/admin/policy"])
def test_after_the_sign_in_one_is_where_one_wanted_to_be(people, wanted):
    ada = people[Role.ADMIN]
    assert ada.get(wanted).status_code == 401
    assert ada.use(ada.link()).location == wanted
    assert ada.use(ada.link()).location == "/admin/", "once"


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/admin/\\evil", "/admin/x\r\nSet-Cookie: a=b", "/pages/", ""]
)
def test_nobody_is_led_away_by_the_sign_in(people, wanted):
    ada = people[Role.ADMIN]
    ada.client.set_cookie("deskbridge_next", wanted, path="/admin", domain="localhost")
    assert ada.use(ada.link()).location == "/admin/"


def test_a_link_is_not_used_up_by_looking_at_it_and_dies_in_an_hour(database, people):
    ada = people[Role.ADMIN]
    link = ada.link()
    for _ in range(3):
        assert ada.get(link.removeprefix(ORIGIN)).status_code == 200
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE one_time_code SET expires_at = expires_at - interval '60 minutes'"))
    assert ada.use(link).status_code == 401


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REFUNDER])
def test_nobody_below_an_approver_gets_a_link(people, role):
    with pytest.raises(NoConsole):
        people[role].link()


def test_a_role_that_was_taken_away_counts_at_once(database, people):
    ada = people[Role.ADMIN]
    ada.let_in()
    with database.begin() as cx:
        access.set_role(cx, "per_setup", ada.person_id, Role.VIEWER)
    answer = ada.get("/admin/")
    assert (answer.status_code, "takes the role approver" in answer.text) == (403, True)


def test_leaving_ends_every_session_and_stands_in_the_record(app, database, people):
    ada = people[Role.ADMIN].let_in()
    other = Visitor(app, ada.person_id).let_in()
    assert ada.post("/admin/leave").status_code == 200
    assert [v.get(p).status_code for v in (ada, other) for p in ("/admin/", "/approvals/")] == [401] * 4
    with database.begin() as cx:
        assert any(e.action == "access.signed_out" for e, _, _ in audit.store.rows(cx))


def test_a_session_ends_by_itself(database, people):
    ada = people[Role.ADMIN].let_in()
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE session SET expires_at = :t"), {"t": now() - timedelta(seconds=1)})
    assert ada.get("/admin/").status_code == 401


def test_a_session_of_the_helpdesk_opens_nothing_here(app, people):
    assert Visitor(app).let_in(connection=world.DESK).get("/admin/").status_code == 401


def test_who_asks_for_a_link_gets_one_that_works(app, database, people):
    assert ASKED in ask(app, " Admin@ACME.example ").text
    [row] = told(database)
    assert (row["recipients"], row["kind"]) == (["admin@acme.example"], "access.link")
    link = re.search(rf"{ORIGIN}\S+", row["body"]).group(0)
    assert Visitor(app).use(link).status_code == 303
    with database.begin() as cx:
        notices.settle(cx, row["id"], "sent")
        assert "code=" not in notices.listing(cx)[0]["body"], "what was sent does not stay here"
        entry = next(e for e, _, _ in audit.store.rows(cx) if e.action == "access.link_asked")
    assert (entry.actor, entry.data) == (people[Role.ADMIN].person_id, {})


@pytest.mark.parametrize("email", ["viewer@acme.example", "nobody@else.example", "", "x" * 5000, "é@ü.example"])
def test_everybody_else_is_answered_the_same_and_nothing_is_left(app, database, people, email):
    known, unknown = ask(app, "admin@acme.example"), ask(app, email)
    assert (unknown.status_code, unknown.text) == (known.status_code, known.text)
    assert len(told(database)) == 1
    with database.begin() as cx:
        assert cx.execute(sa.text("SELECT count(*) FROM one_time_code")).scalar_one() == 1


def test_an_address_gets_three_links_an_hour_and_a_place_asks_ten_times(app, database, people):
    answers = {ask(app, "admin@acme.example").text for _ in range(asking.AN_ADDRESS + 2)}
    assert len(answers) == 1, "who asked too often is not told apart either"
    assert len(told(database)) == asking.AN_ADDRESS
    for n in range(asking.A_PLACE):
        ask(app, f"{n}@else.example")
    ask(app, "approver@acme.example")
    assert len(told(database)) == asking.AN_ADDRESS
    ask(app, "approver@acme.example", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert len(told(database)) == asking.AN_ADDRESS + 1
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE used_token SET expires_at = now() - interval '1 second'"))
    ask(app, "admin@acme.example")
    assert len(told(database)) == asking.AN_ADDRESS + 2, "an hour later it works again"


@pytest.mark.parametrize("places", [["203.0.113.9"], [f"2001:db8::{n:x}" for n in range(30)]])
def test_one_visitor_who_asks_for_ever_takes_the_links_of_nobody_else(app, database, people, monkeypatch, places):
    monkeypatch.setattr(asking, "ALL", asking.A_PLACE + 2)
    for n in range(asking.ALL + 3):
        ask(app, f"{n}@else.example", environ_base={"REMOTE_ADDR": places[n % len(places)]})
    ask(app, "approver@acme.example", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert len(told(database)) == 1


def test_asking_from_another_page_is_refused(app, database, people):
    answer = app.test_client().post(
        "/admin/ask", data={"email": "admin@acme.example"}, headers={"Origin": "https://evil.example"}
    )
    assert (answer.status_code, told(database)) == (403, [])


def test_the_command_prints_a_link_for_a_name_an_address_or_an_id(app, people, database):
    runner = CliRunner()
    for person in ("Admin", "admin@acme.example", people[Role.ADMIN].person_id):
        with app.app_context():
            found = runner.invoke(group, ["link", person])
        assert found.exit_code == 0, found.output
        assert Visitor(app).use(found.output.strip()).status_code == 303
    with app.app_context():
        assert "0 people are called 'Nobody'" in runner.invoke(group, ["link", "Nobody"]).output
        assert "takes the role approver or admin" in runner.invoke(group, ["link", "Viewer"]).output
    with database.begin() as cx:
        assert [e.actor for e, _, _ in audit.store.rows(cx) if e.action == "access.link_made"] == ["console"] * 3
