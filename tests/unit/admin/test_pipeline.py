"""The pipeline: counts, filters, order, pages by key; and one lead's story."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.access import Role
from app.admin import story
from app.leads import holding, reading
from app.leads.models import OPEN, STATES, lead
from app.leads.reading import PAGE, Filters
from integrations import registry
from tests import leads_world as leads
from tests.admin_world import text_of


@pytest.fixture
def ada(people):
    return people[Role.ADMIN].let_in()


@pytest.fixture
def found(database):
    with database.begin() as cx:
        return leads.everything(cx)


def shown(answer):
    return re.findall(r'href="/admin/leads/(led_[^"#]+)"', answer.text)


def test_the_pipeline_shows_what_is_open_and_counts_each_state(ada, found):
    answer = ada.get("/admin/")
    assert set(shown(answer)) == {found[state] for state in OPEN}
    tiles = dict(re.findall(r'<span class="name">([^<]+)</span>|', answer.text) and [
        (name, count) for count, name in re.findall(r'class="count">([^<]+)</span><span class="name">([^<]+)<', answer.text)
    ])  # fmt: skip
    assert tiles["All open"] == str(len(OPEN))
    assert len(tiles) == len(STATES) + 1
    for state, one in found.items():
        only = ada.get(f"/admin/?state={state}")
        assert shown(only) == [one], state


@pytest.mark.parametrize(("query", "states"), [
    ("kind=request", {"pushed", "review"}),
    ("rule=asks_quote", {"pushed"}),
    ("rule=asks", set()),
    ("owner=sam", {"pushed"}),
    ("owner=005B", {"pushed"}),
    ("account=söhne", {"pushed"}),
    ("account=%25", set()),
    ("text=35436", {"pushed"}),
    ("text=80 seats", {"pushed"}),
    ("text=Two accounts", {"review"}),
    ("text=100%25", set()),
    ("kind=renewal&account=northwind&owner=rita", {"held"}),
])  # fmt: skip
def test_filters(ada, found, query, states):
    assert set(shown(ada.get(f"/admin/?{query}"))) == {found[s] for s in states}


@pytest.mark.parametrize(("query", "message"), [
    ("state=lost", "There is no state of this name."), ("kind=x%27y", "There is no kind of this name."),
    (f"text={'x' * 101}", "At most 100 characters"), ("account=%00", "At most 100 characters"),
])  # fmt: skip
def test_a_filter_that_cannot_be_says_so_beside_its_field(ada, found, query, message):
    answer = ada.get(f"/admin/?{query}")
    assert (answer.status_code, message in text_of(answer)) == (200, True)
    assert 'aria-invalid="true"' in answer.text or "state=" in query


@pytest.mark.parametrize("after", ["x", "2026-01-01~led", "~", "2026-01-01T00:00:00+00:00~%00", "%ff"])
def test_an_address_nobody_wrote_is_refused_in_words(ada, found, after):
    answer = ada.get(f"/admin/?after={after}")
    assert (answer.status_code, "is not one of the console's" in text_of(answer)) == (400, True)


def many(cx, number, **more):
    """Leads that changed in one transaction, as a batch does: many share one moment."""
    moment = leads.ago(5)
    for n in range(number):
        leads.put(cx, "due", score=n % 7, state_at=moment - timedelta(seconds=n // 20), lead_id=f"led_{n:05d}", **more)


@pytest.mark.parametrize("sort", list(reading.SORTS))
@pytest.mark.parametrize("filters", [Filters(), Filters(state="due"), Filters(kind="renewal"), Filters(text="led_000")])
def test_pages_by_key_show_every_lead_once_in_order(database, monkeypatch, sort, filters):
    monkeypatch.setattr(reading, "WINDOW", 30)
    with database.begin() as cx:
        many(cx, 2 * PAGE + 7)
        seen, after, pages = [], None, 0
        while True:
            one = reading.page(cx, filters, sort, after)
            seen += one.rows
            pages += 1
            after = one.after
            if after is None:
                break
        wanted = cx.execute(sa.select(lead.c.id)).scalars().all()
    assert sorted(r["id"] for r in seen) == sorted(i for i in wanted if "led_000" in i or not filters.text)
    column, down = reading.SORTS[sort]
    keys = [(r[column.name], r["id"]) for r in seen]
    assert keys == sorted(keys, reverse=down)
    assert pages >= 3


def test_a_state_with_very_many_is_counted_so_far_only(database, monkeypatch):
    monkeypatch.setattr(reading, "COUNTED", 10)
    monkeypatch.setattr(reading, "WINDOW", 10)
    with database.begin() as cx:
        many(cx, 12)
        assert reading.counts(cx, Filters())["due"] == (10, True)
        assert reading.counts(cx, Filters(kind="renewal"))["due"] == (10, True)
        assert reading.counts(cx, Filters(kind="risk"))["due"] == (0, True)
        assert reading.counts(cx, Filters())["new"] == (0, False)


def plan(cx, query):
    text = str(query.compile(dialect=cx.dialect, compile_kwargs={"literal_binds": True})).replace("%%", "%")
    return "\n".join(cx.execute(sa.text("EXPLAIN " + text.replace(":", "\\:"))).scalars())


@pytest.mark.parametrize("sort", list(reading.SORTS))
def test_a_page_goes_by_index_and_sorts_nothing(database, sort):
    column, down = reading.SORTS[sort]
    with database.begin() as cx:
        cx.execute(sa.text("INSERT INTO lead (id, company, subject, kind, period, state, state_at, score) SELECT 'led_'||n, 'c'||n, 's', "
                           "'renewal', 'p', (ARRAY['closed','pushed','due','new'])[1 + n % 4], now() - make_interval(secs => n / 10), n % 90 "
                           "FROM generate_series(1, 20000) n"))  # fmt: skip
        cx.execute(sa.text("ANALYZE lead"))
        told = plan(cx, reading._window(cx, Filters(), column, down, (leads.NOW if sort != "score" else 50, "led_5")))
    assert "Seq Scan" not in told
    assert "Sort" not in told.replace("Sort Key", ""), told
    assert told.count("Index") >= len(OPEN)


def test_a_leads_story_is_whole(ada, found, database):
    answer = ada.get(f"/admin/leads/{found['held']}", **{"Accept-Language": "de"})
    told = text_of(answer)
    for line in ("Northwind Labs", "Held", "620,00 €", "Sales waits until the dispute is closed", "Score card: 50 points",
                 "Renews on 17. Dez.", "Risk: 60 points, beside the score", "Cancelled: the subscription ends on",
                 "Agree on the renewal before 17. Dez.", "14.880,00 €", "42 in use of 50",
                 "northwind.example is a verified domain of one account", "Verified domain", "Nothing was sent yet.", "Renewal date"):  # fmt: skip
        assert line in told, line
    told = text_of(ada.get(f"/admin/leads/{found['pushed']}"))
    for line in ("Can we get a quote for 80 seats and SSO?", "Task 00T000000000001", "Sam Seller", "No verdict yet.",
                 "by rule asks_quote", "Quote words in ticket 35436.", "With sales: Task 00T000000000001 was made."):  # fmt: skip
        assert line in told, line
    told = text_of(ada.get(f"/admin/leads/{found['closed']}"))
    assert ("Won" in told, "worth ¥1,500" in told, "Closed Won" in told) == (True, True, True)


def test_a_lead_leads_to_its_ticket_payer_and_record_at_the_vendors(ada, app, found):
    runtime = app.extensions["deskbridge"]
    zendesk, stripe, salesforce = (registry.by_slug(slug) for slug in ("zendesk", "stripe", "salesforce"))
    org = {"my_domain": "acme--uat.sandbox", "consumer_key": "k"}
    runtime.connections.add(salesforce, "CRM", org, {"consumer_secret": ["s"]}, connection_id="sales")
    runtime.connections.add(
        zendesk,
        "desk",
        {"subdomain": "acme", "client_id": "c"},
        {"client_secret": ["x"], "webhook_secret": ["w"]},
        connection_id="desk",
    )
    runtime.connections.add(
        stripe, "bank", {}, {"api_key": ["rk_test_1"], "webhook_secret": ["w"]}, connection_id="bank"
    )
    page = ada.get(f"/admin/leads/{found['pushed']}").text
    assert 'href="https://acme.zendesk.com/agent/tickets/35436"' in page
    assert re.search(r'href="https://dashboard.stripe.com/test/[^"]*cus_1"', page)
    assert 'href="https://acme--uat.sandbox.my.salesforce.com/00T000000000001"' in page


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_explained_in_words(ada, found, state):
    answer = ada.get(f"/admin/leads/{found[state]}")
    assert answer.status_code == 200
    assert len(re.search(r'<section class="note[^>]*>(.*?)</section>', answer.text, re.S).group(1)) > 60


@pytest.mark.parametrize("one", ["led_nothing", "x' OR 1=1", "%00", "🙂"])
def test_an_unknown_lead_is_said_in_words(ada, one):
    answer = ada.get(f"/admin/leads/{one}")
    assert (answer.status_code, "There is no lead of this id" in text_of(answer)) == (404, True)


def test_a_strangers_text_is_shown_as_text(ada, database):
    with database.begin() as cx:
        leads.account(cx, "001X", "<script>alert(1)</script>\u202eevil")
        one = leads.put(cx, "held", signals=[leads.quoted("<img src=x onerror=alert(1)>")], kind="request",
                        account_id="001X", why="<b>why</b>", rules=["<i>"])  # fmt: skip
    for path in ("/admin/", f"/admin/leads/{one}"):
        answer = ada.get(path)
        assert answer.status_code == 200
        assert not re.search(r"<script>alert|<img src=x|<b>why|<i>|\u202e", answer.text)


@pytest.mark.parametrize(
    ("what", "detail", "told"),
    [
        ("found", "seats_full, sales_words", "Seats in use, sales_words"),
        ("seen again", "renewal: within 30 days after the verdict, no new lead.",
         "Renewal date: within 30 days after the verdict, no new lead."),
        ("held", "renewal: an urgent ticket is open.", "renewal: an urgent ticket is open."),
    ],
)  # fmt: skip
def test_signals_stand_in_the_story_by_their_names(what, detail, told):
    assert story._detail(what, detail) == told


@pytest.mark.parametrize(("count", "more"), [(1, ""), (2, " (1 more reason.)"), (3, " (2 more reasons.)")])
def test_a_reason_to_wait_counts_the_others(count, more):
    blocked = holding.Blocked("a dispute is open", "until it is closed", count)
    assert blocked.sentence == f"A dispute is open. Sales waits until it is closed.{more}"
