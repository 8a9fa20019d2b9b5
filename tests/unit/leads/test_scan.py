"""Signals from the billing mirror: what is found, in which period, written when, ended when."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.billing.models import billing_term
from app.leads.models import lead_signal
from app.leads.policy import changed
from app.leads.signal import quarter
from app.leads.signals import ENDED, QUERIES, scan_payers

CASES = {
    "renewal": lambda w: {"renews_on": w.day(90)},
    "seats_full": lambda w: {"seats_used": 45},
    "limit_hit": lambda w: {"seats_used": 50},
    "seats_growth": lambda w: {"seats_used": 14, "used_least": 10, "rise_pct": 40},
    "trial_ending": lambda w: {"status": "trialing", "trial_ends_on": w.day(7), "seats_used": 30, "renews_on": None},
    "cancellation": lambda w: {"ends_on": w.day(3), "renews_on": None},
    "downgrade": lambda w: {"fell_on": w.day(-30), "fell_from": 625_000},
    "failed_payment": lambda w: {"failed_on": w.day(-2), "owed": 900, "renews_on": w.day(60), "months": 6},
}
ALMOST = {
    "renewal": lambda w: {"renews_on": w.day(91)},
    "seats_full": lambda w: {"seats_used": 44},
    "limit_hit": lambda w: {"seats_used": 49},
    "seats_growth": lambda w: {"seats_used": 12, "used_least": 10, "rise_pct": 20},  # enough per cent, too few seats
    "trial_ending": lambda w: {"status": "trialing", "trial_ends_on": w.day(7), "seats_used": 29, "renews_on": None},
    "cancellation": lambda w: {"ends_on": w.day(-1), "renews_on": None},
    "downgrade": lambda w: {"fell_on": w.day(-31), "fell_from": 625_000},
    "failed_payment": lambda w: {"failed_on": w.day(-2), "owed": 900, "renews_on": w.day(120)},
}


@pytest.mark.parametrize("name", QUERIES)
def test_each_signal_is_found_and_not_a_step_before(world, name):
    world.term(**ALMOST[name](world))
    assert world.scan()[name].found == 0
    world.term(**CASES[name](world))
    assert world.scan()[name].found == 1
    assert name in world.open()


@pytest.mark.parametrize("name", QUERIES)
def test_a_payers_scan_finds_what_the_full_scan_finds(world, name):
    world.term(**CASES[name](world))
    world.scan_payers()
    mine = world.rows("subject", "kind", "name", "source", "period", "digest", "facts")
    assert sum(c.written + c.ended for c in world.scan().values()) == 0
    assert world.rows("subject", "kind", "name", "source", "period", "digest", "facts") == mine
    assert name in {row[2] for row in mine}


@pytest.mark.parametrize("name", QUERIES)
def test_a_signal_with_weight_0_is_not_found_and_what_it_found_ends(world, name):
    world.term(**CASES[name](world))
    world.scan()
    world.policy = changed(world.policy, {f"weight.{name}": "0"})
    assert world.scan()[name].ended == 1
    assert name not in world.open()


def test_what_did_not_change_is_not_written(world):
    world.term(renews_on=world.day(60), seats_used=50)
    world.scan()
    with world.database.begin() as cx:
        before = cx.execute(sa.text("SELECT xmin, xmax, ctid FROM lead_signal ORDER BY id")).all()
    assert len(before) == 3
    counts = [*world.scan().values(), world.scan_payers()]
    assert [(c.written, c.ended) for c in counts] == [(0, 0)] * len(counts)
    with world.database.begin() as cx:
        assert cx.execute(sa.text("SELECT xmin, xmax, ctid FROM lead_signal ORDER BY id")).all() == before


def test_ninety_sixty_and_thirty_days_are_one_signal_told_three_times(world):
    world.term(renews_on=world.day(90))
    told = set()
    for _ in range(91):
        written = world.scan_payers().written
        if written:
            told.add((world.rows("facts")[0][0]["step"], written))
        world.now += timedelta(days=1)
    assert told == {(90, 1), (60, 1), (30, 1)}
    assert world.rows("name", "period") == [("renewal", str(world.day(-1)))]
    assert world.scan_payers().ended == 1  # the day has passed


def test_the_facts_of_a_renewal(world):
    world.term(renews_on=world.day(45))
    world.scan()
    assert world.rows("subject", "kind", "payer_connection_id", "payer_id", "facts") == [
        (
            "payer:bank:cus_1", "renewal", "bank", "cus_1",
            {"plan": "Team", "seats": 50, "used": 10, "minor": 500_000, "currency": "EUR", "months": 12,
             "status": "active", "renews_on": str(world.day(45)), "on": str(world.day(45)), "step": 60},
        )
    ]  # fmt: skip


def test_short_periods_renew_by_themselves(world):
    world.term(renews_on=world.day(20), months=1)
    assert world.scan()["renewal"].found == 0
    world.policy = changed(world.policy, {"renewal_months": "3"})
    world.change(months=3)
    assert world.scan()["renewal"].found == 1


def test_a_renewal_on_another_day_is_another_signal_and_ends_the_first(world):
    world.term(renews_on=world.day(30))
    world.scan()
    world.change(renews_on=world.day(40))
    counts = world.scan()["renewal"]
    assert (counts.found, counts.written, counts.ended) == (1, 1, 1)
    ended, fresh = world.rows("period", "digest")
    assert ended == (str(world.day(30)), ENDED)
    assert fresh[0] == str(world.day(40))


def test_one_more_seat_is_no_news_and_five_per_cent_more_are(world):
    world.term(seats_used=45)
    world.scan()
    world.change(seats_used=46, use_pct=92)
    assert world.scan_payers().written == 0
    world.change(seats_used=48, use_pct=96)
    assert world.scan_payers().written == 1
    assert world.rows("facts")[0][0]["used"] == 48


def test_an_episode_keeps_the_quarter_it_began_in(world):
    world.term(seats_used=45)
    world.scan()
    began = quarter(world.now)
    world.now += timedelta(days=100)
    assert quarter(world.now) != began
    world.change(seats_used=49, use_pct=98)
    world.scan()
    assert world.rows("name", "period") == [("seats_full", began)]


def test_what_comes_back_within_the_quarter_is_the_same_signal_and_later_another(world):
    world.term(seats_used=45)
    world.scan()
    world.change(seats_used=40, use_pct=80)
    assert world.scan()["seats_full"].ended == 1
    world.change(seats_used=45, use_pct=90)
    world.scan()
    assert world.rows("period", "ended_at") == [(quarter(world.now), None)]
    world.change(seats_used=40, use_pct=80)
    world.scan()
    world.now += timedelta(days=100)
    world.change(seats_used=45, use_pct=90)
    world.scan()
    assert len(world.rows()) == 2
    assert world.open() == ["seats_full"]


def test_an_episode_that_never_ends_is_told_again_after_a_year(world):
    world.term(seats_used=45, renews_on=None)
    world.scan()
    world.now += timedelta(days=366)
    counts = world.scan()["seats_full"]
    assert (counts.written, counts.ended) == (1, 1)
    assert world.open() == ["seats_full"]


def test_a_trial_that_is_made_longer_is_the_same_trial(world):
    world.term(**CASES["trial_ending"](world))
    world.scan()
    world.change(trial_ends_on=world.day(30))
    assert world.scan()["trial_ending"].ended == 1
    world.now += timedelta(days=25)
    assert world.scan()["trial_ending"].written == 1
    assert len(world.rows()) == 1


def test_a_subscription_that_is_gone_ends_its_signals(world):
    world.term(**CASES["cancellation"](world))
    world.term("sub_2", seats_used=50)
    world.scan()
    with world.database.begin() as cx:
        cx.execute(sa.text("DELETE FROM billing_term WHERE subscription_id = 'sub_2'"))
    assert world.scan_payers().ended == 2
    assert world.open() == ["cancellation"]


def test_a_payers_scan_leaves_all_others_alone(world):
    world.term(seats_used=50)
    world.term("sub_2", "cus_2", seats_used=50)
    world.term("sub_1b", "cus_1", con="other", seats_used=50)
    world.scan()
    with world.database.begin() as cx:
        cx.execute(sa.text("DELETE FROM billing_term"))
    assert world.scan_payers(("bank", "cus_1")).ended == 2
    assert len(world.open()) == 4
    assert world.scan_payers(("bank", "nobody")).ended == 0


def test_signals_of_tickets_are_none_of_a_scans_business(world):
    row = {
        "subject": "payer:bank:cus_1", "kind": "risk", "name": "cancellation_words", "source": "ticket:desk:1",
        "period": "2026-Q4", "payer_connection_id": "bank", "payer_id": "cus_1", "happened_at": world.now,
    }  # fmt: skip
    with world.database.begin() as cx:
        cx.execute(sa.insert(lead_signal).values(**row))
    world.scan()
    world.scan_payers()
    assert world.open() == ["cancellation_words"]


def test_the_facts_of_growth(world):
    world.term(**CASES["seats_growth"](world))
    world.scan()
    facts = world.rows("facts")[0][0]
    assert (facts["was"], facts["used"], facts["days"]) == (10, 14, 30)


def test_what_is_judged_is_news_again_when_it_ends_and_when_it_comes_back(world):
    world.term(seats_used=45)
    judged = sa.update(lead_signal).values(judged_digest=lead_signal.c.digest)
    news = sa.select(sa.func.count()).where(lead_signal.c.judged_digest != lead_signal.c.digest)
    for use in (90, 20, 90):
        world.change(use_pct=use)
        world.scan_payers()
        with world.database.begin() as cx:
            assert cx.execute(news).scalar_one() == 1
            cx.execute(judged)
            assert cx.execute(news).scalar_one() == 0


def change_and_scan(world, number, rounds=10):
    """As the inbox does it: one transaction changes terms of its own payers and scans them."""
    rng = random.Random(number)
    mine = [n for n in range(20) if n % 3 == number]
    for _ in range(rounds):
        with world.database.begin() as cx:
            for n in sorted(rng.sample(mine, 4)):
                change = sa.update(billing_term).where(billing_term.c.subscription_id == f"sub_{n}")
                cx.execute(change.values(use_pct=rng.choice((20, 92, 100))))
            scan_payers(cx, {("bank", f"cus_{n}") for n in mine}, world.policy, world.now)


def test_scans_at_once_neither_lock_each_other_out_nor_disagree(world):
    for n in range(20):
        world.term(f"sub_{n}", f"cus_{n}", seats_used=50)
    with ThreadPoolExecutor(5) as pool:
        some = [pool.submit(change_and_scan, world, number) for number in range(3)]
        whole = [pool.submit(world.scan) for _ in range(4)]
        for one in (*some, *whole):
            one.result()
    world.scan()
    with world.database.begin() as cx:
        full = cx.execute(sa.select(billing_term.c.use_pct).where(billing_term.c.use_pct >= 90)).scalars().all()
    assert world.open().count("seats_full") == len(full)
    assert world.open().count("limit_hit") == sum(one >= 100 for one in full)
