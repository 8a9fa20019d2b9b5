"""Sessions: a token opens one, once; it lives as long as it is looked at, ten hours at most; a flush lets nobody in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app import sessions
from app.sessions import store
from app.sessions.service import SessionEnded
from tests import sidebar_world as world

NOW = world.NOW


def open_one(cx, at=NOW, **more):
    return sessions.open_session(cx, "desk", "501", at, **more)


def test_a_token_is_used_once_also_by_twenty_at_a_time(client):
    token = world.SIGNER.token(501, "ticket_sidebar")
    clients = [client.application.test_client() for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda c: c.post("/sidebar/desk", data={"token": token}), clients))
    assert sorted(p.status_code for p in pages) == [200] + [401] * 19
    assert sum('name="session"' in p.text for p in pages) == 1


def test_a_token_of_one_connection_is_not_used_up_at_another(client):
    token = world.SIGNER.token(501, "ticket_sidebar")
    assert client.post("/sidebar/desk", data={"token": token}).status_code == 200
    assert client.post("/sidebar/desk_b", data={"token": token}).status_code == 200, (
        "the same installation, in this test"
    )


@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": "x"}])
def test_no_token_no_page(client, form):
    answer = client.post("/sidebar/desk", data=form)
    assert (answer.status_code, 'name="session"' in answer.text) == (401, False)


def test_who_is_not_named_gets_no_session(as_agent):
    agent = as_agent(sub=None)
    assert (agent.page.status_code, agent.bearer) == (403, "")


def test_an_unknown_connection_and_one_of_another_vendor_are_refused(client):
    for name in ("nowhere", "bank", "..%2f", "a" * 60):
        answer = client.post(f"/sidebar/{name}", data={"token": world.SIGNER.token(501, "ticket_sidebar")})
        assert answer.status_code == 404


def test_a_session_is_slid_by_looking_and_ends_after_ten_hours(database):
    with database.begin() as cx:
        secret = open_one(cx)
        at = NOW
        while at < NOW + timedelta(hours=10):
            sessions.authenticate(cx, secret, at, slide=True)
            at += timedelta(minutes=14)
        with pytest.raises(SessionEnded):
            sessions.authenticate(cx, secret, NOW + timedelta(hours=10, seconds=1), slide=True)


def test_without_looking_it_ends_after_a_quarter_of_an_hour(database):
    with database.begin() as cx:
        secret = open_one(cx)
        sessions.authenticate(cx, secret, NOW + timedelta(minutes=14))
        with pytest.raises(SessionEnded):
            sessions.authenticate(cx, secret, NOW + timedelta(minutes=15, seconds=1))


def test_a_session_of_one_door_opens_no_other(database):
    with database.begin() as cx:
        with pytest.raises(SessionEnded):
            sessions.authenticate(cx, open_one(cx, door="page"), NOW)
        with pytest.raises(SessionEnded):
            sessions.authenticate(cx, open_one(cx), NOW, door="page")


def test_secrets_are_not_in_the_database(database):
    with database.begin() as cx:
        secret = open_one(cx)
        code = sessions.issue_code(cx, sessions.authenticate(cx, secret, NOW), NOW)
        stored = "".join(
            str(row) for t in ("session", "one_time_code") for row in cx.execute(world.sa.text(f"SELECT * FROM {t}"))
        )
    assert secret not in stored
    assert code not in stored


def test_a_code_works_once_and_for_a_minute(database):
    with database.begin() as cx:
        session = sessions.authenticate(cx, open_one(cx), NOW)
        first, second = (sessions.issue_code(cx, session, NOW) for _ in range(2))
        assert sessions.take_code(cx, first, NOW + timedelta(seconds=59)) == ("desk", "501")
        for code, at in ((first, NOW), (second, NOW + timedelta(seconds=61)), ("", NOW)):
            with pytest.raises(SessionEnded):
                sessions.take_code(cx, code, at)


def test_what_is_over_is_forgotten_after_a_day(database):
    with database.begin() as cx:
        secret = open_one(cx)
        store.use_once(cx, "p", b"1", NOW)
        assert store.prune(cx, NOW + timedelta(hours=20)) == 0
        assert store.prune(cx, NOW + timedelta(days=2)) == 2
        with pytest.raises(SessionEnded):
            sessions.authenticate(cx, secret, NOW)


@pytest.fixture
def pages(app):
    from sidebar_app import pages as blueprint

    app.register_blueprint(blueprint)
    return app.test_client()


def test_our_own_pages_are_entered_by_a_code_once_and_left_everywhere(pages, as_agent):
    ours = {"Origin": "http://127.0.0.1:8300"}
    agent = as_agent(place="nav_bar")
    assert "Open Deskbridge" in agent.page.text
    assert "form-action 'self'" in agent.page.headers["Content-Security-Policy"]
    code = agent.post("code").json["code"]
    assert pages.post("/pages/enter", data={"code": code}).status_code == 403, "not from our own page"
    entered = pages.post("/pages/enter", data={"code": code}, headers=ours)
    assert entered.status_code == 303
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert code not in cookie
    shown = pages.get("/pages/")
    assert "Agent 501" in shown.text
    assert pages.post("/pages/enter", data={"code": code}, headers=ours).status_code == 401, "a code works once"
    assert pages.post("/pages/leave", data={"csrf": "x"}, headers=ours).status_code == 403
    csrf = shown.text.split('name="csrf" value="')[1].split('"')[0]
    assert pages.post("/pages/leave", data={"csrf": csrf}, headers=ours).status_code == 200
    assert pages.get("/pages/").status_code == 401
    assert agent.post("code").status_code == 401, "also the page in Zendesk"


def test_the_routes_of_our_own_pages_are_those_tested_here(pages):
    found = {
        (method, rule.rule) for rule in pages.application.url_map.iter_rules() if rule.endpoint.startswith("pages.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }  # fmt: skip
    assert found == {("POST", "/pages/enter"), ("GET", "/pages/"), ("POST", "/pages/leave")}
    assert pages.get("/pages/").status_code == 401
    assert pages.post("/pages/leave", headers={"Origin": "http://127.0.0.1:8300"}).status_code == 403


def test_only_the_page_in_the_navigation_bar_gives_codes(as_agent):
    beside = as_agent()
    assert beside.post("code").status_code == 403
    bar = as_agent(place="nav_bar")
    assert bar.open().status_code == 403, "and it shows nobody's billing"
    assert bar.post("code", origin="https://evil.example").status_code == 403
    for stranger in ("508", "510", "599"):
        assert as_agent(stranger, place="nav_bar").post("code").status_code == 403
    bar.desk = world.OTHER_DESK
    assert bar.post("code").status_code == 403
