"""The report card: counts by rule and signal, an interval that holds what it says, words where there are too few."""

from __future__ import annotations

import csv
import io
import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.access import Role
from app.leads.report import _COUNTED, FEWEST, Record, records, wilson
from tests import leads_world as leads
from tests.admin_world import text_of


@pytest.fixture
def ada(people):
    return people[Role.ADMIN].let_in()


@pytest.fixture
def judged(database):
    with database.begin() as cx:
        leads.judged(cx, ["renewal"], accepted=14, rejected=9, won=5, lost=3, open=12)
        leads.judged(cx, ["renewal", "asks_quote"], rejected=40, reason="Not the right person")
        leads.judged(cx, ["asks_sso"], accepted=2, open=1)
        leads.put(cx, "closed", rules=["asks_sso"], verdict="won", won=900, won_currency="JPY", pushed_at=leads.ago(3))
        leads.put(cx, "closed", rules=["asks_sso"], verdict="won", pushed_at=leads.ago(400), won=5, won_currency="EUR")
        leads.put(cx, "dropped", rules=["asks_sso"])


def found(database, days=365):
    with database.begin() as cx:
        return {one.name: one for one in records(cx, leads.NOW - timedelta(days=days))}


def test_each_rule_and_signal_counts_what_was_sent_and_answered(database, judged):
    one = found(database)
    renewal, quote, sso = one["renewal"], one["asks_quote"], one["asks_sso"]
    assert (renewal.sent, renewal.accepted, renewal.rejected, renewal.won, renewal.lost) == (83, 22, 49, 5, 3)
    assert dict(renewal.reasons) == {"Not the right person": 40, "No budget": 9}
    assert dict(renewal.won_money) == {"EUR": 50000}
    assert (quote.sent, quote.accepted, quote.is_poor) == (40, 0, True)
    assert (sso.sent, sso.won, dict(sso.won_money), sso.interval, sso.is_poor) == (4, 1, {"JPY": 900}, None, False)
    assert dict(found(database, 500)["asks_sso"].won_money) == {"JPY": 900, "EUR": 5}


def test_a_lead_that_names_a_rule_twice_counts_once(database):
    with database.begin() as cx:
        leads.put(cx, "closed", rules=["x", "x"], verdict="accepted", pushed_at=leads.ago(1))
    assert found(database)["x"].sent == 1


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.62, 0.95])
def test_the_interval_holds_the_true_rate_as_often_as_it_says(rate):
    """1,000 worlds of different sizes, few answers and many."""
    held = 0
    for seed in range(1000):
        draw = random.Random(seed)
        of = draw.randrange(FEWEST, 400)
        low, high = wilson(sum(draw.random() < rate for _ in range(of)), of)
        held += low <= rate <= high
    assert held >= 950


@pytest.mark.parametrize(("good", "of", "low", "high"), [
    (81, 263, 0.2535, 0.3682), (15, 148, 0.0598, 0.1644), (0, 20, 0.0, 0.2005), (1, 29, 0.0018, 0.1963), (20, 20, 0.7995, 1.0),
])  # fmt: skip
def test_the_interval_is_the_one_of_the_paper(good, of, low, high):
    assert wilson(good, of) == pytest.approx((low, high), abs=1e-4)


def test_a_record_is_poor_only_beyond_doubt():
    assert not Record("x", accepted=1, rejected=FEWEST - 2).is_poor, "too few to say"
    assert not Record("x", accepted=2, rejected=10).is_poor, "it may still be a quarter"
    assert Record("x", accepted=2, rejected=38).is_poor


def test_the_page_says_rates_with_intervals_or_too_few(ada, judged):
    answer = ada.get("/admin/report", **{"Accept-Language": "de"})
    told = text_of(answer)
    for line in ("Renewal date", "31 % 21 % to 43 %", "40 × Not the right person", "9 × No budget", "asks_quote Poor record",
                 "500,00 €", "asks_sso 4 3 3 too few to say", "900 ¥"):  # fmt: skip
        assert line in told, line
    assert answer.text.count("Poor record") == 1
    assert 'href="/admin/?state=closed&amp;rule=asks_quote"' in answer.text
    assert "No lead of a signal was sent" in text_of(ada.get("/admin/report?days=x")) or "365 days" in told


def test_it_is_exported(ada, judged):
    rows = list(csv.reader(io.StringIO(ada.get("/admin/report.csv?days=90").get_data(as_text=True))))
    mine = dict(zip(rows[0], next(row for row in rows if row[0] == "renewal"), strict=True))
    assert (mine["sent"], mine["accepted"], mine["reasons"], mine["won_minor"], mine["poor"]) == (
        "83", "22", "Not the right person: 40; No budget: 9", "EUR: 50000", "no")  # fmt: skip


def test_what_was_sent_long_ago_costs_nothing(database):
    with database.begin() as cx:
        cx.execute(sa.text("INSERT INTO lead (id, company, subject, kind, period, state, rules, pushed_at) SELECT 'led_'||n, 'c'||n, 's', "
                           "'renewal', 'p', 'closed', '{renewal}', now() - make_interval(days => n / 10) FROM generate_series(1, 20000) n"))  # fmt: skip
        cx.execute(sa.text("ANALYZE lead"))
        plan = "\n".join(cx.execute(sa.text("EXPLAIN " + _COUNTED.text), {"since": leads.ago(90)}).scalars())
    assert "ix_lead_pushed_at" in plan
    assert "Seq Scan" not in plan


def test_the_lift_of_a_holdout_is_shown_with_its_interval_and_not_without_one(database, ada):
    assert "What sending is worth" not in ada.get("/admin/report").text
    with database.begin() as cx:
        for n in range(60):
            leads.put(cx, "withheld" if n < 20 else "pushed", kind="expansion", drawn_at=leads.ago(100), worth=100,
                      worth_later=200 if n % 4 == 0 or n > 40 else 100)  # fmt: skip
        leads.put(cx, "withheld", kind="trial", drawn_at=leads.ago(100), worth=0, worth_later=0)
    told = text_of(ada.get("/admin/report"))
    assert "More seats or a larger plan 40 25 20 5 +38 points +8 to +59" in told
    assert "Trial that ends 0 0 1 0 too few to say" in told
