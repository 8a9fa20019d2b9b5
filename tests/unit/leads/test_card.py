"""The score card: points, decay, money, and the same bytes for the same input."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.leads.card import card, points
from app.leads.policy import LeadPolicy, changed
from app.leads.signal import Signal, quarter
from app.leads.stake import headroom, stake
from integrations.kernel.money import Money

TODAY = date(2026, 11, 26)
AT = datetime(2026, 11, 26, 9, tzinfo=UTC)
POLICY = LeadPolicy()
SOLD = {"plan": "Team", "seats": 50, "used": 46, "minor": 500_000, "currency": "EUR", "months": 12}


def signal(name, kind, source="sub_1", at=AT, **facts):
    ticket = ("desk", source.rpartition(":")[2]) if source.startswith("ticket:") else ("", "")
    return Signal(name, kind, source, "2026-Q4", at, facts, "payer:bank:cus_1", payer=("bank", "cus_1"), ticket=ticket)


def renewal(step=90, source="sub_1", **facts):
    return signal("renewal", "renewal", source, **{**SOLD, "on": "2027-01-15", "step": step, **facts})


def quote_asked(number=7, at=AT, *lines):
    quotes = [{"on": at.date().isoformat(), "text": line} for line in lines or ("could we get a quote?",)]
    return signal("quote_words", "request", f"ticket:desk:{number}", at, quotes=quotes)


MANY = [
    renewal(60),
    renewal(90, "sub_2", currency="USD", plan="Basic"),
    signal("seats_full", "expansion", **SOLD),
    signal("limit_hit", "expansion", "sub_2", **{**SOLD, "used": 50}),
    signal("seats_growth", "expansion", **{**SOLD, "was": 30, "days": 30}),
    signal("cancellation", "risk", "sub_3", **{**SOLD, "on": "2026-12-31"}),
    signal("downgrade", "risk", "sub_3", **{**SOLD, "was": 900_000, "on": "2026-11-01"}),
    quote_asked(7),
    quote_asked(8, AT - timedelta(days=3), "A quote, please", "and again a quote"),
    signal("rule", "request", "ticket:desk:9", note="Asked for a call"),
]


@pytest.mark.parametrize("kind", ["renewal", "expansion", "risk", "request"])
@given(seed=st.integers())
def test_the_same_signals_in_any_order_and_number_make_the_same_bytes(kind, seed):
    shuffled = MANY + MANY[:4]
    random.Random(seed).shuffle(shuffled)
    shuffled = [replace(s, facts=dict(reversed(list(s.facts.items())))) for s in shuffled]
    assert card(kind, shuffled, POLICY, TODAY).text() == card(kind, MANY, POLICY, TODAY).text()


def test_the_card_of_a_renewal_to_the_byte():
    assert card("renewal", [renewal(60)], POLICY, TODAY).text() == (
        '{"evidence":[{"label":"Plan","value":"Team"},{"label":"Seats","value":"46 in use of 50"},'
        '{"label":"Value","value":"5000.00 EUR for 12 months"},{"label":"Renewal","value":"2027-01-15"}],'
        '"kind":"renewal","money":[{"currency":"EUR","minor":500000}],'
        '"next_step":"Agree on the renewal before 2027-01-15.","quotes":[],"reasons":[{"points":33,"risk":false,'
        '"signal":"renewal","source":"sub_1","text":"renews on 2027-01-15, not more than 60 days from now"}],'
        '"refs":[{"connection_id":"bank","id":"cus_1","what":"payer"},'
        '{"connection_id":"bank","id":"sub_1","what":"subscription"}],"risk":0,"score":33}'
    )


def test_a_renewal_counts_more_the_nearer_it_is():
    assert [points(renewal(step), POLICY, TODAY) for step in (90, 60, 30)] == [16, 33, 50]


def test_risk_is_beside_the_score_and_never_taken_off_it():
    alone = card("renewal", [renewal(60)], POLICY, TODAY)
    both = card("renewal", [renewal(60), MANY[5]], POLICY, TODAY)
    assert (both.score, both.risk) == (alone.score, POLICY.weights["cancellation"])
    assert card("risk", [MANY[5], MANY[6]], POLICY, TODAY).score == 100


def test_two_signals_of_one_name_count_once_and_are_both_told():
    found = card("renewal", [renewal(60), renewal(30, "sub_2")], POLICY, TODAY)
    assert found.score == 50
    assert [(r.points, r.source) for r in found.reasons] == [(50, "sub_2"), (0, "sub_1")]


def test_a_ticket_loses_its_points_week_by_week_and_billing_does_not():
    asked = [points(quote_asked(7, AT - timedelta(days=days)), POLICY, TODAY) for days in (0, 6, 7, 42, 83, 84, 500)]
    assert asked == [50, 50, 45, 25, 4, 0, 0]
    assert points(replace(MANY[2], happened_at=AT - timedelta(days=300)), POLICY, TODAY) == 30


def test_an_event_from_tomorrow_by_the_vendors_clock_is_worth_no_more_than_one_of_today():
    assert points(quote_asked(7, AT + timedelta(days=2)), POLICY, TODAY) == 50


def test_money_is_in_the_accounts_own_currencies_and_a_source_counts_once():
    found = card("expansion", MANY, POLICY, TODAY)
    # sub_1: 46 of 50 need 2 more, at 100.00 a seat; sub_2: 50 of 50 need 6 more.
    assert found.money == (Money(80_000, "EUR"),)
    assert card("renewal", MANY, POLICY, TODAY).money == (Money(500_000, "EUR"), Money(500_000, "USD"))


def test_what_a_payer_owes_is_at_stake_once_however_many_subscriptions_it_stands_on():
    def failed(source, payer, owed, currency="EUR"):
        found = signal("failed_payment", "payment", source, **{**SOLD, "currency": currency, "owed": owed})
        return replace(
            found, payer=("bank", payer), facts={**found.facts, "on": "2026-11-20", "renews_on": "2027-01-15"}
        )

    mine = [failed("sub_1", "cus_1", 10_000), failed("sub_2", "cus_1", 10_000), failed("sub_3", "cus_1", 700, "USD")]
    assert card("payment", mine, POLICY, TODAY).money == (Money(10_000, "EUR"), Money(700, "USD"))
    other = [*mine, failed("sub_4", "cus_2", 10_000)]  # two payers of one company: two debts
    assert card("payment", other, POLICY, TODAY).money == (Money(20_000, "EUR"), Money(700, "USD"))


def test_seats_to_add_bring_them_below_the_threshold():
    full = signal("limit_hit", "expansion", **{**SOLD, "used": 61})
    assert headroom(full, POLICY) == 18  # 68 seats: 61 of them are 89.7 %
    assert headroom(signal("seats_growth", "expansion", **{**SOLD, "used": 10}), POLICY) == 1


@pytest.mark.parametrize(
    ("name", "facts", "minor"),
    [
        ("downgrade", {"was": 900_000}, 400_000),
        ("failed_payment", {"owed": 12_300}, 12_300),
        ("failed_payment", {}, 500_000),
        ("seats_full", {"seats": 0}, None),
        ("seats_full", {"minor": None}, None),
        ("cancellation", {}, 500_000),
    ],
)
def test_what_is_at_stake(name, facts, minor):
    found = stake(signal(name, "x", **{**SOLD, **facts}), POLICY)
    assert (found.minor if found else None) == minor


def test_price_of_a_seat_is_rounded_once_to_the_minor_unit():
    odd = signal("seats_full", "expansion", seats=3, used=3, minor=1000, currency="JPY", months=1)
    assert stake(odd, POLICY) == Money(333, "JPY")


def test_quotes_are_the_newest_and_said_once():
    asked = [quote_asked(n, AT - timedelta(days=n), f"line {n}", "the same") for n in range(1, 8)]
    found = card("request", asked, POLICY, TODAY).quotes
    assert len(found) == 5
    assert [q.on for q in found] == sorted((q.on for q in found), reverse=True)


def test_a_card_below_the_least_score_of_its_kind_makes_no_lead():
    assert card("renewal", [renewal(60)], POLICY, TODAY).enough(POLICY)
    assert not card("renewal", [renewal(60)], changed(POLICY, {"minimum.renewal": "40"}), TODAY).enough(
        changed(POLICY, {"minimum.renewal": "40"})
    )
    old = quote_asked(7, AT - timedelta(days=200))
    assert not card("request", [old], changed(POLICY, {"minimum.request": "0"}), TODAY).enough(POLICY)


def test_a_card_without_any_signal_is_empty():
    found = card("risk", [], POLICY, TODAY)
    assert (found.score, found.money, found.reasons) == (0, (), ())


def test_the_quarter_of_a_day():
    assert [quarter(datetime(2026, month, 1, tzinfo=UTC)) for month in (1, 3, 4, 12)] == [
        "2026-Q1", "2026-Q1", "2026-Q2", "2026-Q4",
    ]  # fmt: skip
