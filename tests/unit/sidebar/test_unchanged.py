"""A poll that finds nothing new costs one statement; whatever changes on the page is seen by the next one."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

from app import access, identity
from app.access import Role
from app.identity import Requester
from app.refunds import store_work
from sidebar_app import unchanged
from tests import sidebar_world as world

PANEL = "tickets/35436/panel"
BUILT = "FROM refund_policy"  # a statement that only the building of a panel makes


@pytest.fixture
def said(monkeypatch):
    """Statements that go to the driver."""
    found, execute = [], psycopg.Cursor.execute

    def noting(cursor, query, *given, **named):
        found.append(str(query))
        return execute(cursor, query, *given, **named)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    return found


@pytest.fixture
def agent(as_agent, said):
    """Whose page has been shown, and polled until polls are cheap."""
    found = as_agent()
    found.open()
    found.tag = found.get(PANEL).headers["ETag"]
    assert poll(found).status_code == 304, "built once more, after a digest"
    said.clear()
    return found


def poll(agent):
    return agent.get(PANEL, **{"If-None-Match": agent.tag})


def was_built(said):
    return any(BUILT in text and not text.startswith("SELECT concat(") for text in said)


def test_an_unchanged_panel_is_not_built(agent, said):
    assert poll(agent).status_code == 304
    assert len(said) == 4, "session, agent, ticket, and everything else together"
    assert not was_built(said)


CHANGES = {
    "a charge": lambda cx: world.bill(cx, world.charge(77, days=0)),
    "a record of a charge": lambda cx: cx.execute(sa.text(
        "UPDATE billing_object SET data = data || '{\"status\": \"failed\", \"failure_code\": \"x\", \"failure_text\": \"y\"}' "
        "WHERE id = 'ch_cus_1_0'")),
    "the list of changes": lambda cx: world.caught_up(cx, world.NOW + timedelta(seconds=9)),
    "a second payer": lambda cx: world.bill(cx, world.payer("cus_2")),
    "the person": lambda cx: world.person(cx, name="Dana O."),
    "the ticket": lambda cx: cx.execute(sa.text("UPDATE ticket SET \"values\" = \"values\" || '{\"tags\": [\"db_x\"]}'")),
    "who may refund": lambda cx: access.set_rule(cx, "per_1", world.DESK, "role", "agent", Role.VIEWER),
    "the policy": lambda cx: world.may_refund(cx, enabled="no"),
    "a link": lambda cx: identity.link(cx, Requester(world.DESK, "10001"), (world.BANK, "cus_1"), "desk/501", rung=1),
    "a hold of refunds": lambda cx: store_work.hold(cx, world.BANK, "The vendor refuses our key.", 300.0),
    "a judgement less": lambda cx: cx.execute(sa.text("DELETE FROM judgement")),
    "a payer less": lambda cx: cx.execute(sa.text("UPDATE payer_address SET gone = true")),
    "the company": lambda cx: cx.execute(sa.text("UPDATE organization SET name = 'Southwind'")),
    "the agent": lambda cx: cx.execute(sa.text("UPDATE agent SET role = 'light_agent'")),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_is_seen_by_the_next_poll(agent, database, what):
    assert poll(agent).status_code == 304
    with database.begin() as cx:
        CHANGES[what](cx)
    news = poll(agent)
    assert (news.status_code, news.headers["ETag"] != agent.tag) == (200, True)


def test_a_staff_that_was_read_again_and_is_the_same_builds_nothing(agent, database, said):
    with database.begin() as cx:
        world.staff(cx)
    assert poll(agent).status_code == 304
    assert not was_built(said)


def test_after_a_minute_it_is_built_anew_as_times_go_on(agent, said, monkeypatch):
    monkeypatch.setattr(unchanged.time, "monotonic", lambda: 1e9)
    assert poll(agent).status_code == 304, "it is the same all the same"
    assert was_built(said)


def test_each_language_and_agent_has_its_own(agent, as_agent):
    other = as_agent("500")
    other.open()
    assert other.get(PANEL, **{"If-None-Match": agent.tag}).status_code == 304, "the same text is the same tag"
    german = agent.headers | {"X-Locale": "en"}
    agent.headers = german
    assert poll(agent).status_code == 200


def test_only_so_many_pages_are_remembered():
    kept = unchanged.Unchanged()
    for number in range(unchanged.MOST + 5):
        kept.keep(number, None, [("SELECT 1", {})], "d", "t")
    assert kept.tag(0, None, "d") == ""
    assert kept.tag(unchanged.MOST, None, "d") == "t"


def test_a_page_that_wrote_something_is_not_remembered():
    kept = unchanged.Unchanged()
    kept.keep("page", None, [("UPDATE x SET y = 1", {})], "d", "t")
    assert kept.tag("page", None, "d") == ""


def test_the_digest_is_of_the_order_too(database):
    with database.begin() as cx:
        one, two = (
            unchanged.digest(cx, unchanged.together([(f"SELECT n FROM unnest(ARRAY[1, 2]) n ORDER BY n {order}", {})]))
            for order in ("ASC", "DESC")
        )
        assert one != two


def test_the_digest_asks_with_the_values_of_each_statement(database):
    named = ("SELECT %(a)s::int + %(b)s::int AS n, 7 %% 4 AS m WHERE %(a)s::text IS NOT NULL", {"a": 1, "b": 2})
    plain = ("SELECT 3 AS n, 3 AS m", {})
    with database.begin() as cx:
        first, second, other = (
            unchanged.digest(cx, unchanged.together(asked))
            for asked in ([named, plain], [plain, named], [(named[0], {"a": 2, "b": 2}), plain])
        )
    assert first == second != other
