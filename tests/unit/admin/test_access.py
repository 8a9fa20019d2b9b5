"""Who may call what on the console: every route x every role, in one table; and writes from elsewhere."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.access import Role
from app.leads import review, store_policy
from tests import leads_world as leads
from tests.admin_world import Visitor, world

APPROVER, ADMIN = Role.APPROVER, Role.ADMIN
ROUTES = {  # route -> the least role; None: open to everybody
    ("GET", "/"): None, ("GET", "/admin/assets/<version>/<name>"): None,
    ("GET", "/admin/enter"): None, ("POST", "/admin/enter"): None,
    ("GET", "/admin/ask"): None, ("POST", "/admin/ask"): None,
    ("POST", "/admin/leave"): APPROVER,
    ("GET", "/admin/"): APPROVER, ("GET", "/admin/leads/<lead_id>"): APPROVER, ("GET", "/admin/leads.csv"): ADMIN,
    ("GET", "/admin/renewals"): APPROVER, ("GET", "/admin/renewals.csv"): ADMIN,
    ("GET", "/admin/review"): APPROVER, ("POST", "/admin/review"): APPROVER, ("POST", "/admin/review/forget"): APPROVER,
    ("GET", "/admin/report"): APPROVER, ("GET", "/admin/report.csv"): ADMIN, ("GET", "/admin/policy"): APPROVER, ("POST", "/admin/policy"): ADMIN,
}  # fmt: skip
CLOSED = sorted((route, least) for route, least in ROUTES.items() if least)
WRITES = [(rule, least) for (method, rule), least in CLOSED if method == "POST"]
FORMS = {
    "/admin/policy": {"version": "0", "seats_pct": "80"}, "/admin/review": {"lead": "led_review", "account": "sales 001A"},
    "/admin/review/forget": {"lead": "led_linked"},
}  # fmt: skip


@pytest.fixture
def lead_id(database):
    with database.begin() as cx:
        found = leads.everything(cx)
        leads.put(cx, "review", "request", lead_id="led_review", subject="domain:a.example")
        leads.put(cx, "pushed", "request", lead_id="led_linked", subject="domain:b.example")
        review._remember(cx, "domain:b.example", "sales", "001A", "per_setup")
        return found["pushed"]


def call(visitor, method, rule, lead_id, **more):
    path = rule.replace("<lead_id>", lead_id)
    return visitor.get(path) if method == "GET" else visitor.post(path, **FORMS.get(rule, {}), **more)


def test_no_route_is_missing(app):
    found = {
        (method, rule.rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("admin.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }  # fmt: skip
    assert found == set(ROUTES)


@pytest.mark.parametrize("who", ["nobody", "agent", *Role])
@pytest.mark.parametrize(("route", "least"), CLOSED, ids=lambda v: " ".join(v) if isinstance(v, tuple) else str(v))
def test_the_table_of_roles_and_routes(app, database, people, lead_id, who, route, least):
    visitor = people[who] if who in list(Role) else Visitor(app)
    if who != "nobody":
        visitor.let_in(**({} if who in list(Role) else {"connection": world.DESK}))
    answer = call(visitor, *route, lead_id)
    fine = who in list(Role) and Role(who).is_at_least(least)
    assert (answer.status_code in (200, 303)) is fine, answer.text
    if not fine:
        assert answer.status_code in (401, 403)
        assert not {"Northwind", "Grünwald"} & set(answer.text.split())
    with database.begin() as cx:
        version, policy = store_policy.newest(cx)
        assert (version, policy.seats_pct) == (
            (1, 80) if fine and route[1] == "/admin/policy" and route[0] == "POST" else (0, 90)
        )
        links = cx.execute(sa.text("SELECT subject, ended_at IS NULL FROM account_link ORDER BY id")).all()
        sessions = cx.execute(sa.text("SELECT count(*) FROM session")).scalar_one()
    expected = [("domain:b.example", not (fine and route == ("POST", "/admin/review/forget")))]
    assert links == expected + [("domain:a.example", True)] * (fine and route == ("POST", "/admin/review"))
    assert sessions == (0 if who == "nobody" or (fine and route[1] == "/admin/leave") else 1)


@pytest.mark.parametrize(("rule", "least"), WRITES)
@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://127.0.0.1:8300.evil.example"])
def test_a_write_from_elsewhere_is_refused(database, people, lead_id, rule, least, origin):
    visitor = people[ADMIN].let_in()
    answer = call(visitor, "POST", rule, lead_id, origin=origin)
    assert (answer.status_code, "did not come from our own page" in answer.text) == (403, True)


@pytest.mark.parametrize(("rule", "least"), WRITES)
def test_a_write_without_the_pages_own_secret_is_refused(database, people, lead_id, rule, least):
    visitor = people[ADMIN].let_in()
    for csrf in ("", "0" * 64, "é"):
        visitor.csrf = csrf
        assert call(visitor, "POST", rule, lead_id).status_code == 403
    with database.begin() as cx:
        assert store_policy.newest(cx)[0] == 0


@pytest.mark.parametrize(("route", "least"), CLOSED, ids=lambda v: " ".join(v) if isinstance(v, tuple) else str(v))
def test_headers_of_every_page(people, lead_id, route, least):
    answer = call(people[ADMIN].let_in(), *route, lead_id)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy, "no page behind the sign-in runs a script"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_bare_address_leads_to_the_console(app):
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize(("who", "path", "status"), [(ADMIN, "leads/led_nothing", 404), (APPROVER, "leads.csv", 403)])
def test_a_refusal_keeps_the_way_to_the_other_pages(people, who, path, status):
    answer = people[who].let_in().get(f"/admin/{path}")
    assert answer.status_code == status
    assert 'href="/admin/renewals"' in answer.text
    assert "Sign out" in answer.text


def test_who_may_see_no_page_is_shown_the_way_to_none(people):
    answer = people[Role.REFUNDER].let_in().get("/admin/")
    assert (answer.status_code, "/admin/renewals" in answer.text) == (403, False)
