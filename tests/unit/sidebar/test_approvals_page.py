"""`/approvals`: a link signs one named approver in, once; who may call what; what is shown, approved, declined."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import access, sessions
from app.access import CONSOLE, Role
from app.admin.console import COOKIE
from app.notify import store as notices
from app.refunds import State, links
from app.refunds import store as refund_store
from app.refunds.links import NoApprover
from app.refunds.models import refund_intent
from app.ui.door import csrf_of
from integrations.kernel.clock import utc_now
from sidebar_app import approvals
from tests import sidebar_world as world

ORIGIN = "http://127.0.0.1:8300"
ROUTES = {  # route -> does it take a session?
    ("GET", "/approvals/enter"): False, ("POST", "/approvals/enter"): False, ("GET", "/approvals/"): True,
    ("POST", "/approvals/approve"): True, ("POST", "/approvals/decline"): True, ("POST", "/approvals/leave"): True,
}  # fmt: skip


class Person:
    """Somebody's browser on the page."""

    def __init__(self, app, person_id):
        self.client, self.app, self.person_id, self.csrf = app.test_client(), app, person_id, ""

    def sign_in(self):
        runtime = self.app.extensions["deskbridge"]
        with runtime.database.begin() as cx:
            self.link = links.make(cx, runtime.refunds, self.person_id)
        return self.use(self.link)

    def use(self, link):
        page = self.client.get(link.removeprefix(ORIGIN))
        code = re.search(r'name="code" value="([^"]*)"', page.text).group(1)
        answer = self.client.post("/approvals/enter", data={"code": code}, headers={"Origin": ORIGIN})
        if answer.status_code == 303:
            self.csrf = re.search(r'name="csrf" value="(\w+)"', self.client.get("/approvals/").text).group(1)
        return answer

    def post(self, path, origin=ORIGIN, **form):
        return self.client.post(f"/approvals/{path}", data={"csrf": self.csrf, **form}, headers={"Origin": origin})


@pytest.fixture
def app(app):
    app.register_blueprint(approvals)
    return app


@pytest.fixture
def people(app, database):
    with database.begin() as cx:
        ids = {r: access.add_person(cx, "per_setup", r.value.title(), r, f"{r.value}@acme.example") for r in Role}
    return {role: Person(app, one) for role, one in ids.items()}


@pytest.fixture
def propose(as_agent, database):
    """Ask for a refund above the limit from the panel; answers the intent."""

    def make(charge="ch_cus_1_0", who="501", **typed):
        agent = as_agent(who)
        agent.open()
        fixed = {"payer": "bank/cus_1", "charge": charge}
        form = agent.post("tickets/35436/refund", **fixed)
        fixed["offer"] = re.search(r'name="offer" value="([^"]+)"', form.text).group(1)
        answer = agent.post("tickets/35436/refund_request", **fixed, how="full", reason="duplicate", **typed)
        assert answer.status_code == 202
        with database.begin() as cx:
            newest = sa.select(refund_intent.c.id).order_by(refund_intent.c.id.desc()).limit(1)
            return refund_store.get(cx, cx.execute(newest).scalar_one())

    return make


def state(database, intent):
    with database.begin() as cx:
        return refund_store.get(cx, intent.id).state


def value(intent):
    return f"{intent.id} {intent.bound}"


def test_no_route_is_missing(app):
    found = {
        (method, rule.rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("approvals.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }  # fmt: skip
    assert found == set(ROUTES)


@pytest.mark.parametrize("who", ["nobody", "agent", *Role])
@pytest.mark.parametrize(("method", "rule"), [route for route, closed in sorted(ROUTES.items()) if closed])
def test_who_may_call_what(app, database, people, propose, who, method, rule):
    intent = propose()
    if who in list(Role):
        one, connection, person_id = people[who], CONSOLE, people[who].person_id
    else:
        one, connection, person_id = Person(app, ""), world.DESK, "500"
    if who != "nobody":
        with database.begin() as cx:
            secret = sessions.open_session(cx, connection, person_id, utc_now(), door="page")
        one.client.set_cookie(COOKIE, secret, path="/approvals", domain="localhost")
        one.csrf = csrf_of(secret)
    path = rule.removeprefix("/approvals/")
    shown = value(intent) if path == "approve" else intent.id
    answer = one.client.get(rule) if method == "GET" else one.post(path, one=shown, why="No.")
    fine = who in (Role.APPROVER, Role.ADMIN)
    assert (answer.status_code == 200) is fine, answer.text
    assert fine or (answer.status_code in (401, 403) and "Northwind" not in answer.text)
    assert fine or state(database, intent) is State.AWAITING_APPROVAL


def test_a_link_works_once_within_an_hour_for_an_approver_only(app, database, people):
    eve = people[Role.APPROVER]
    assert eve.sign_in().status_code == 303
    again = Person(app, eve.person_id).use(eve.link)
    assert (again.status_code, "your link was used" in again.text) == (401, True)
    with database.begin() as cx:
        late = links.make(cx, app.extensions["deskbridge"].refunds, eve.person_id)
        cx.execute(sa.text("UPDATE one_time_code SET expires_at = expires_at - interval '60 minutes'"))
        with pytest.raises(NoApprover):
            links.make(cx, app.extensions["deskbridge"].refunds, people[Role.REFUNDER].person_id)
    assert Person(app, eve.person_id).use(late).status_code == 401


def test_looking_at_a_link_does_not_use_it_up(app, people):
    eve = people[Role.APPROVER]
    eve.sign_in()
    with app.extensions["deskbridge"].database.begin() as cx:
        link = links.make(cx, app.extensions["deskbridge"].refunds, eve.person_id).removeprefix(ORIGIN)
    for _ in range(3):
        assert app.test_client().get(link).status_code == 200
    assert Person(app, eve.person_id).use(link).status_code == 303


def test_each_approver_is_told_with_a_link_of_their_own_and_the_code_does_not_stay(app, database, people, propose):
    intent = propose()
    with database.begin() as cx:
        rows = notices.listing(cx)
        assert sorted(r["recipients"] for r in rows) == [["admin@acme.example"], ["approver@acme.example"]]
        mine = next(r for r in rows if r["recipients"] == ["approver@acme.example"])
    eve = people[Role.APPROVER]
    assert eve.use(re.search(rf"{ORIGIN}\S+", mine["body"]).group(0)).status_code == 303
    assert intent.id in eve.client.get("/approvals/").text
    with database.begin() as cx:
        for row in rows:
            notices.settle(cx, row["id"], "sent")
        assert all("code=" not in r["body"] for r in notices.listing(cx))


def test_the_page_shows_what_is_decided_on_and_approves_it_once(people, propose, database):
    intent = propose(note="Promised by Bea")
    eve = people[Role.APPROVER]
    eve.sign_in()
    text = eve.client.get("/approvals/", headers={"Accept-Language": "de"}).text.replace("\xa0", " ")
    for shown in ("1.240,00 € to Northwind Labs", "Duplicate", "Agent 501", "35436", "Promised by Bea",
                  "1.240,00 € left", "paid in all", "2 refunds so far", "Above your 500,00 €"):  # fmt: skip
        assert shown in text, shown
    assert "is approved" in eve.post("approve", one=value(intent)).text
    assert state(database, intent) is State.RESERVED
    assert "is approved" in eve.post("approve", one=value(intent)).text, "the second click is told the same"


def test_many_are_approved_at_once_and_one_that_cannot_be_says_why(people, propose, database):
    first, second = propose(), propose("ch_cus_1_3")
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE refund_intent SET bound = 'x' WHERE id = :i"), {"i": second.id})
    eve = people[Role.APPROVER]
    eve.sign_in()
    assert "it is void" in eve.client.get("/approvals/").text
    done = eve.post("approve", one=[value(first), value(second)]).text
    assert ("is approved and on its way" in done, "it is void" in done) == (True, True)
    assert (state(database, first), state(database, second)) == (State.RESERVED, State.VOIDED)


def test_who_asked_does_not_approve_it(people, propose, database):
    eve = people[Role.APPROVER]
    with database.begin() as cx:
        access.attach(cx, "per_setup", eve.person_id, access.Login(world.DESK, "501"))
        world.may_refund(cx, limit__approver__EUR="50000/100000")
    intent = propose()
    eve.sign_in()
    assert "Somebody else must approve" in eve.client.get("/approvals/").text
    assert "Somebody else must approve" in eve.post("approve", one=value(intent)).text
    assert state(database, intent) is State.AWAITING_APPROVAL


def test_a_refund_that_was_overtaken_says_why(people, propose, database):
    intent = propose()
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE refund_intent SET expires_at = now() - interval '1 minute'"))
    eve = people[Role.APPROVER]
    eve.sign_in()
    page = eve.client.get("/approvals/").text
    assert ("has expired" in page, "Approve<" in page) == (True, False)
    assert state(database, intent) is State.AWAITING_APPROVAL, "looking changes nothing"


def test_declining_takes_a_reason_and_the_agent_reads_it(people, propose, database, as_agent):
    intent = propose()
    eve = people[Role.APPROVER]
    eve.sign_in()
    missing = eve.post("decline", one=intent.id, why=" ")
    assert (missing.status_code, 'aria-invalid="true"' in missing.text) == (422, True)
    assert eve.post("decline", one=intent.id, why="Not our fault").status_code == 200
    assert state(database, intent) is State.DECLINED
    agent = as_agent("501")
    panel = agent.open().text
    assert ("Declined" in panel, "Not our fault" in panel) == (True, True)


def test_a_write_from_elsewhere_or_without_the_pages_own_secret_is_refused(people, propose, database):
    intent = propose()
    eve = people[Role.APPROVER]
    eve.sign_in()
    assert eve.post("approve", origin="https://evil.example", one=value(intent)).status_code == 403
    eve.csrf = "0" * 64
    assert eve.post("approve", one=value(intent)).status_code == 403
    assert state(database, intent) is State.AWAITING_APPROVAL


def test_a_session_ends_by_itself_and_by_hand(people, database):
    eve = people[Role.APPROVER]
    eve.sign_in()
    assert eve.post("leave").status_code == 200
    assert eve.client.get("/approvals/").status_code == 401
    eve.sign_in()
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE session SET expires_at = :t"), {"t": utc_now() - timedelta(seconds=1)})
    assert eve.client.get("/approvals/").status_code == 401


def test_a_role_that_was_taken_away_counts_at_once(people, propose, database):
    intent = propose()
    eve = people[Role.APPROVER]
    eve.sign_in()
    with database.begin() as cx:
        access.set_role(cx, "per_setup", eve.person_id, Role.VIEWER)
    assert eve.client.get("/approvals/").status_code == 403
    assert eve.post("approve", one=value(intent)).status_code == 403
