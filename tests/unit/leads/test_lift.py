"""What sending is worth: who takes part in the draw, what is measured, and an interval that holds what it says."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from app.leads import lift
from app.leads.lift import Lift, difference
from app.leads.report import FEWEST
from tests.lead_scene import Scene


@pytest.fixture
def scene(database):
    return Scene(database)


def term(scene, payer, minor, status="active", currency="EUR"):
    scene.sql(
        "INSERT INTO billing_term (connection_id, subscription_id, payer_id, status, plan, currency, minor, seats, months,"
        " started_on) VALUES ('bank', :s, :p, :st, 'Team', :c, :m, 5, 12, '2026-01-01')"
        " ON CONFLICT (connection_id, subscription_id) DO UPDATE SET minor = :m, status = :st",
        s=f"sub_{payer}_{currency}", p=payer, st=status, c=currency, m=minor,
    )  # fmt: skip


def companies(scene, number, kind="expansion", name="limit_hit"):
    for n in range(number):
        scene.payer(f"cus_{n}", None, name=f"Company {n}")
        term(scene, f"cus_{n}", 12_000)
        scene.signal(name, kind, payer=f"cus_{n}")
    scene.gather()


def measured(scene, days=90):
    with scene.database.begin() as cx:
        lift.measure(cx, scene.now + timedelta(days=days, minutes=5))
        return lift.lifts(cx, scene.now - timedelta(days=1))


def test_without_a_holdout_nobody_takes_part(scene):
    companies(scene, 3)
    assert {one.drawn_at for one in scene.leads()} == {None}


def test_sent_and_kept_back_are_measured_alike_and_once(scene):
    scene.policy(holdout_pct="50")
    companies(scene, 40)
    leads = scene.leads()
    assert {one.worth for one in leads} == {1_000}
    kept = {one.subject.rpartition(":")[2] for one in leads if one.state == "withheld"}
    assert 8 < len(kept) < 32
    sent = sorted({f"cus_{n}" for n in range(40)} - kept)
    for payer in [*sent[:6], *sorted(kept)[:2]]:
        term(scene, payer, 24_000)
    for payer in sent[6:8]:
        term(scene, payer, 6_000)
    assert measured(scene, 89) == []
    told = [Lift("expansion", len(sent), 6, len(kept), 2)]
    assert measured(scene) == told
    for payer in sent:
        term(scene, payer, 99_000)
    assert measured(scene, 120) == told  # what it was on the day stays


def test_renewals_and_risk_take_no_part_nor_what_cannot_be_compared(scene):
    scene.policy(holdout_pct="50")
    companies(scene, 4, "renewal", "renewal")
    for n in range(4):
        scene.signal("cancellation", "risk", payer=f"cus_{n}")
    scene.payer("cus_two", None, name="Two currencies")
    term(scene, "cus_two", 12_000)
    term(scene, "cus_two", 12_000, currency="USD")
    scene.signal("limit_hit", "expansion", payer="cus_two")
    scene.gather()
    assert {(one.kind, one.worth) for one in scene.leads() if one.drawn_at} == {("expansion", None)}
    assert measured(scene) == []


def test_leads_whose_signals_went_to_another_do_not_stand_before_those_that_can_be_measured(scene, monkeypatch):
    scene.policy(holdout_pct="1")
    companies(scene, 4)
    scene.sql("UPDATE lead SET state = 'due', drawn_at = now() - interval '1 hour'")  # whatever the lot said
    *others, last = [one.id for one in scene.leads()]
    scene.sql("UPDATE lead_signal SET lead_id = :l", l=last)
    scene.sql("UPDATE lead SET drawn_at = now() WHERE id = :l", l=last)
    monkeypatch.setattr(lift, "MEASURED", len(others))
    term(scene, "cus_0", 24_000)
    assert measured(scene) == [Lift("expansion", 1, 1)]


def test_a_trial_that_is_paid_for_later_pays_more(scene):
    scene.policy(holdout_pct="1")
    scene.payer("cus_1", None, name="Trial")
    term(scene, "cus_1", 12_000, "trialing")
    scene.signal("trial_ending", "trial", used=50)
    scene.gather()
    term(scene, "cus_1", 12_000)
    assert measured(scene) == [Lift("trial", 1, 1)]


def test_too_few_on_either_side_say_nothing():
    assert Lift("trial", 500, 100, FEWEST - 1, 1).interval is None
    assert Lift("trial", FEWEST, 5, FEWEST, 1).interval is not None


@pytest.mark.parametrize(("sent", "kept"), [(0.3, 0.3), (0.45, 0.2), (0.05, 0.02), (0.9, 0.6)])
def test_the_interval_holds_the_true_lift_as_often_as_it_says(sent, kept):
    """1,000 worlds of different sizes, most of them with a small holdout."""
    held = 0
    for seed in range(1000):
        dice = random.Random(seed)
        many, few = dice.randint(20, 400), dice.randint(FEWEST, 60)
        one, other = (sum(dice.random() < rate for _ in range(n)) for rate, n in ((sent, many), (kept, few)))
        low, high = difference((one, many), (other, few))
        held += low <= sent - kept <= high
    assert held >= 950
