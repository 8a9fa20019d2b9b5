"""Running subscriptions as narrow rows: what they hold, when they change, and how a fall or a rise is told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import holds
from app.billing import refill, service
from app.billing.models import billing_cursor, billing_term, seat_count
from app.billing.store_terms import put_terms, settle_rises
from integrations.kernel.billing import Dispute, Invoice
from integrations.kernel.money import Money

CON, KEY = "con_1", "seats_used"


@pytest.fixture
def tell(database, make):
    """Tell the mirror of records, each later than the one before; answers the payers whose terms or profile changed."""
    seconds = iter(range(1, 1000))

    def told(*records):
        with database.begin() as cx:
            rows = [(r, make.NOW + timedelta(seconds=next(seconds))) for r in records]
            return service.refresh(cx, CON, service.apply(cx, CON, rows, KEY), KEY)

    return told


@pytest.fixture
def term(database):
    """The term of a subscription, or None."""

    def found(sid="sub_1"):
        with database.begin() as cx:
            row = cx.execute(sa.select(billing_term).where(billing_term.c.subscription_id == sid)).first()
            return row and row._mapping

    return found


def test_a_yearly_subscription(tell, term, make):
    item = make.item(10_000, 50, "year", plan="Team")
    assert tell(make.payer(), make.subscription(item, metadata={KEY: "46"})) == {"cus_1"}
    found = term()
    assert (found["months"], found["minor"], found["currency"], found["plan"]) == (12, 500_000, "USD", "Team")
    assert (found["seats"], found["seats_used"], found["use_pct"], found["status"]) == (50, 46, 92, "active")
    assert found["renews_on"] == (make.NOW + timedelta(days=10)).date()
    assert (found["ends_on"], found["trial_ends_on"], found["failed_on"]) == (None, None, None)


def test_lasting_discounts_are_off_and_metered_items_are_not_in(tell, term, make):
    off = make.discount("forever", percent=10)
    tell(make.subscription(make.item(1000, 3, "month", 3), make.item(7, metered=True), discounts=[off]))
    assert (term()["months"], term()["minor"], term()["seats"]) == (3, 2700, 3)


def test_a_trial_has_a_value_and_does_not_renew(tell, term, make):
    ends = make.NOW + timedelta(days=5)
    tell(make.subscription(make.item(1000, 3, "year"), status="trialing", trial_end=ends))
    assert (term()["trial_ends_on"], term()["renews_on"], term()["minor"]) == (ends.date(), None, 3000)


def test_what_is_cancelled_ends_and_does_not_renew(tell, term, make):
    tell(make.subscription(make.item(1000), cancel_at_period_end=True))
    assert (term()["ends_on"], term()["renews_on"]) == ((make.NOW + timedelta(days=10)).date(), None)


@pytest.mark.parametrize("status", ["canceled", "incomplete", "incomplete_expired"])
def test_what_no_longer_runs_has_no_term(tell, term, make, status):
    tell(make.subscription(make.item(1000)))
    assert tell(make.subscription(make.item(1000), status=status)) == {"cus_1"}
    assert term() is None


def test_unknown_prices_have_no_value(tell, term, make):
    tell(make.subscription(make.item(None, price_id="price_9")))
    assert term()["minor"] is None


def test_periods_shorter_than_a_month_are_valued_by_the_month(tell, term, make):
    tell(make.subscription(make.item(1200, 1, "week")))
    assert (term()["months"], term()["minor"]) == (1, 5200)


def test_what_is_billed_by_use_alone_has_no_value(tell, term, make):
    tell(make.subscription(make.item(7, metered=True)))
    assert (term()["months"], term()["minor"], term()["seats"]) == (0, None, 0)


def test_of_mixed_periods_the_longest_is_the_term(tell, term, make):
    late = make.NOW + timedelta(days=200)
    tell(make.subscription(make.item(1000, 2, "month"), make.item(12_000, 1, "year", period_end=late)))
    assert (term()["months"], term()["minor"], term()["renews_on"]) == (12, 36_000, late.date())


def test_a_failed_payment_of_the_payer_is_on_every_term_of_theirs(tell, term, make):
    zero, owed = Money(0, "USD"), Money(900, "USD")
    invoice = Invoice("in_1", "cus_1", "open", "N-1", owed, zero, owed, 2, make.NOW)
    tell(make.subscription(make.item(1000)), make.subscription(make.item(1000), sid="sub_2"), invoice)
    assert [(term(s)["failed_on"], term(s)["owed"]) for s in ("sub_1", "sub_2")] == [(make.NOW.date(), 900)] * 2
    paid = Invoice("in_1", "cus_1", "paid", "N-1", owed, owed, zero, 3, make.NOW)
    tell(paid)
    assert (term()["failed_on"], term()["owed"]) == (None, None)


def test_what_did_not_change_is_not_written(tell, term, make, database):
    subscription = make.subscription(make.item(1000, 5), metadata={KEY: "4"})
    tell(subscription)
    with database.begin() as cx:
        before = cx.execute(sa.text("SELECT xmin, ctid FROM billing_term")).all()
    assert tell(subscription) == set()
    with database.begin() as cx:
        assert cx.execute(sa.text("SELECT xmin, ctid FROM billing_term")).all() == before


def of(make, unit, quantity=10, interval="month", **more):
    return make.subscription(make.item(unit, quantity, interval, **more))


def test_a_value_that_falls_is_remembered_and_forgotten_when_it_is_back(tell, term, make):
    tell(of(make, 1000))
    assert term()["fell_on"] is None
    tell(of(make, 1000, 6))
    assert (term()["minor"], term()["fell_from"]) == (6000, 10_000)
    tell(of(make, 1000, 4))
    assert (term()["minor"], term()["fell_from"]) == (4000, 10_000)
    tell(of(make, 1000, 8))
    assert term()["fell_from"] == 10_000
    tell(of(make, 1000, 10))
    assert (term()["fell_on"], term()["fell_from"]) == (None, None)


def test_a_longer_period_at_the_same_price_a_month_is_no_fall(tell, term, make):
    tell(of(make, 1000))
    tell(of(make, 12_000, 10, "year"))
    assert term()["fell_on"] is None
    tell(of(make, 500))
    assert (term()["minor"], term()["fell_from"]) == (5000, 10_000)


def test_a_fall_is_told_in_the_period_of_today_when_its_length_changes(tell, term, make):
    tell(of(make, 120_000, 10, "year"))
    tell(of(make, 90_000, 10, "year"))
    assert (term()["minor"], term()["fell_from"]) == (900_000, 1_200_000)
    tell(of(make, 7500))
    assert (term()["months"], term()["minor"], term()["fell_from"]) == (1, 75_000, 100_000)
    tell(of(make, 90_000, 10, "year"))  # and back: it is not forgotten
    assert (term()["minor"], term()["fell_from"]) == (900_000, 1_200_000)
    assert term()["fell_on"] is not None
    tell(of(make, 6000))  # falls once more, with the length: the highest of the month counts
    assert (term()["minor"], term()["fell_from"]) == (60_000, 100_000)
    tell(of(make, 120_000, 10, "year"))  # is back
    assert (term()["fell_on"], term()["fell_from"]) == (None, None)


def test_a_fall_that_does_not_divide_is_rounded_down_and_stays_while_the_value_is_unknown(tell, term, make):
    tell(of(make, 1000, 1, "year"))
    tell(of(make, 700, 1, "year"))
    tell(of(make, 58, 1))
    assert (term()["minor"], term()["fell_from"]) == (58, 83)  # 1000 / 12 = 83.33
    tell(make.subscription(make.item(None, 1, "year", price_id="price_9")))
    assert (term()["minor"], term()["fell_from"]) == (None, 996)
    tell(of(make, 1000, 1, "year"))
    assert term()["fell_from"] is None


def test_a_price_beyond_belief_does_not_keep_the_others_from_being_written(database):
    row = {
        "payer_id": "cus_1", "status": "active", "plan": "T", "currency": "EUR", "owed": None, "seats": 1, "seats_used": None,
        "use_pct": None, "started_on": "2025-01-01", "renews_on": None, "ends_on": None, "trial_ends_on": None, "failed_on": None,
    }  # fmt: skip
    for minor, months in ((10**15, 1), (10, 1000), (1, 1), (5, 1000), (1, 1000)):
        with database.begin() as cx:
            put_terms(cx, "bank", ["cus_1"], [row | {"subscription_id": "sub_1", "minor": minor, "months": months}])
            assert cx.execute(sa.text("SELECT minor FROM billing_term")).scalar_one() == minor


def test_another_currency_is_no_fall(tell, term, make):
    tell(of(make, 1000))
    tell(of(make, 800, currency="EUR"))
    assert term()["fell_on"] is None


def counted(database, *used):
    """Seats in use of sub_1 on the days before today: (days ago, seats)."""
    with database.begin() as cx:
        for days, seats in used:
            values = {"connection_id": CON, "subscription_id": "sub_1", "day": sa.func.current_date() - days}
            cx.execute(sa.insert(seat_count).values(**values, seats=50, seats_used=seats))


def test_a_rise_is_told_from_the_daily_counts(tell, term, make, database):
    counted(database, (31, 2), (30, 20), (10, 30))
    tell(make.subscription(make.item(1000, 50), metadata={KEY: "33"}))
    assert (term()["used_least"], term()["rise_pct"]) == (20, 65)  # the 2 were longer ago
    with database.begin() as cx:
        assert settle_rises(cx) == 0
        cx.execute(sa.update(seat_count).where(seat_count.c.seats_used == 20).values(day=sa.func.current_date() - 40))
        assert settle_rises(cx) == 1
    assert term()["rise_pct"] == 10


def test_no_rise_without_counts(tell, term, make, database):
    counted(database, (5, 40))
    tell(make.subscription(make.item(1000, 50), metadata={KEY: "33"}))
    assert term()["rise_pct"] is None


def test_what_was_mirrored_before_is_computed_once_payer_by_payer(tell, term, make, database, monkeypatch):
    monkeypatch.setattr(refill, "AT_ONCE", 2)
    for n in range(5):
        tell(make.payer(f"cus_{n}"), make.subscription(make.item(1000), sid=f"sub_{n}", pid=f"cus_{n}"))
    with database.begin() as cx:
        cx.execute(sa.delete(billing_term))
        assert cx.execute(sa.select(billing_cursor)).all() == []
        refill.ask(cx)
    steps = iter([True, False])
    assert refill.refill(database, KEY, lambda: next(steps)) == 2  # stopped in between, and goes on from there
    assert refill.refill(database, KEY) == 3
    assert refill.refill(database, KEY) == 0
    assert [term(f"sub_{n}")["minor"] for n in range(5)] == [1000] * 5


def test_hostile_names_and_huge_numbers_are_kept_as_they_fit(tell, term, make):
    tell(make.subscription(make.item(10**18, 10**12, "year", plan="a\0b'; --" + "x" * 500), metadata={KEY: "9" * 9}))
    assert term()["minor"] is None
    assert term()["plan"].startswith("ab'; --x")
    assert len(term()["plan"]) <= 200
    assert term()["seats"] == 10**9


@pytest.fixture
def held(database):
    """Why sales must leave cus_1 alone."""

    def found():
        with database.begin() as cx:
            return [one.why for one in holds.open_for(cx, [(CON, "cus_1")]).get((CON, "cus_1"), ())]

    return found


def disputed(make, status):
    return Dispute("dp_1", "ch_1", status, Money(900, "USD"), "fraudulent", make.NOW, None)


def test_a_payer_is_held_while_a_dispute_is_open(tell, make, held):
    tell(make.payer(), disputed(make, "needs_response"))
    assert held() == []  # whose charge it is, is not known yet
    tell(make.charge(cid="ch_1"))
    assert held() == ["a dispute is open"]
    tell(disputed(make, "under_review"), make.subscription(make.item(1000)))
    assert held() == ["a dispute is open"]
    tell(disputed(make, "won"))
    assert held() == []


def test_an_inquiry_holds_too(tell, make, held):
    tell(make.charge(cid="ch_1"), disputed(make, "warning_needs_response"))
    assert held() == ["an inquiry is open"]
    tell(disputed(make, "warning_closed"))
    assert held() == []
