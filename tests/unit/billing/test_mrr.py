"""MRR as product.md A defines it, on numbers worked by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from integrations.kernel.billing import Amount, Price, Tier
from integrations.kernel.money import Money

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATER, BEFORE = NOW + timedelta(days=40), NOW - timedelta(days=1)


def mrr(make, *subscriptions, sold=(), **payer):
    return make.profile(make.payer(**payer), *subscriptions, sold=sold)["mrr"]


@pytest.mark.parametrize(
    ("unit", "quantity", "interval", "every", "expected"),
    [
        (1999, 3, "month", 1, 5997),
        (12000, 1, "year", 1, 1000),
        (24000, 1, "year", 2, 1000),  # two years: / 24
        (3000, 2, "month", 3, 2000),  # a quarter: / 3
        (6000, 1, "month", 6, 1000),
        (1200, 1, "week", 1, 5200),  # x 52 / 12
        (2400, 1, "week", 2, 5200),
        (120, 1, "day", 1, 3650),  # x 365 / 12
        (1000, 1, "year", 1, 83),  # 83.33
        (1006, 1, "year", 1, 84),  # 83.83
        (1002, 1, "year", 1, 84),  # 83.5, to the even one
        (990, 1, "year", 1, 82),  # 82.5, to the even one
        ("0.5", 3, "month", 1, 2),  # 1.5 cents, to the even one
        ("0.25", 10, "month", 1, 2),  # 2.5 cents, to the even one
    ],
)
def test_every_interval_is_normalised_to_a_month(make, unit, quantity, interval, every, expected):
    assert mrr(make, make.subscription(make.item(unit, quantity, interval, every))) == {"USD": expected}


def test_rounding_happens_once_at_the_end(make):
    # 100/12 = 8.33 three times is exactly 25; rounded one by one it would be 24.
    items = [make.item(100, interval="year") for _ in range(3)]
    assert mrr(make, make.subscription(*items)) == {"USD": 25}
    apart = [make.subscription(i, sid=f"sub_{n}") for n, i in enumerate(items)]
    assert mrr(make, *apart) == {"USD": 25}


@pytest.mark.parametrize(("status", "counts"), [
    ("active", True), ("past_due", True), ("trialing", False), ("paused", False), ("unpaid", False),
    ("canceled", False), ("incomplete", False), ("incomplete_expired", False),
])  # fmt: skip
def test_only_active_and_past_due_count(make, status, counts):
    assert mrr(make, make.subscription(make.item(500), status=status)) == ({"USD": 500} if counts else {})


def test_a_paused_collection_does_not_count(make):
    assert mrr(make, make.subscription(make.item(500), paused=True)) == {}


def test_metered_and_one_time_items_do_not_count(make):
    metered = make.item(7, 100, metered=True)
    once = make.item(900, interval="")
    assert mrr(make, make.subscription(make.item(500), metered, once)) == {"USD": 500}


def test_each_currency_by_itself_with_its_own_decimals(make):
    found = mrr(
        make,
        make.subscription(make.item(1999), sid="a"),
        make.subscription(make.item(1980, currency="JPY"), sid="b"),
        make.subscription(make.item(12345, interval="year", currency="KWD"), sid="c"),  # 12.345 / 12 = 1.02875
    )
    assert found == {"JPY": 1980, "KWD": 1029, "USD": 1999}


@pytest.mark.parametrize(
    ("discount", "expected"),
    [
        ({"percent": 25}, 750),
        ({"percent": 12.5}, 875),
        ({"percent": 100}, 0),
        ({"off": Money(300, "USD")}, 700),
        ({"off": Money(3000, "USD")}, 0),  # never below nothing
        ({"off": Money(300, "EUR")}, 1000),  # another currency takes nothing off
        ({"percent": 20, "duration": "once"}, 1000),
        ({"percent": 20, "duration": "repeating", "end": LATER}, 800),
        ({"percent": 20, "duration": "repeating", "end": BEFORE}, 1000),  # expired
        ({"percent": 20, "duration": "forever", "end": BEFORE}, 1000),
        ({"percent": None, "duration": "", "known": False}, 1000),  # not known yet: read again, see the mirror
    ],
)
@pytest.mark.parametrize("level", ["item", "subscription", "payer"])
def test_a_discount_on_each_level(make, discount, expected, level):
    told = (make.discount(**discount),)
    its = make.item(1000, discounts=told if level == "item" else ())
    one = make.subscription(its, discounts=told if level == "subscription" else ())
    assert mrr(make, one, discounts=told if level == "payer" else ()) == {"USD": expected}


def test_discounts_come_off_one_after_the_other(make):
    # 2 x 1000, 10 % off the item = 1800; then 300 off = 1500; then 50 % = 750.
    its = make.item(1000, 2, discounts=(make.discount(percent=10),))
    both = [make.discount(off=Money(300, "USD"), did="di_2"), make.discount(percent=50, did="di_3")]
    assert mrr(make, make.subscription(its, discounts=both)) == {"USD": 750}


def test_an_amount_off_a_year_is_a_twelfth_a_month(make):
    off = make.discount(off=Money(1200, "USD"))
    assert mrr(make, make.subscription(make.item(12000, interval="year"), discounts=[off])) == {"USD": 900}


def test_an_amount_off_comes_off_once_where_items_have_different_periods(make):
    # Monthly 1000 - 300 = 700, and 12000 a year = 1000: the yearly line keeps its price.
    both = [make.item(12000, interval="year"), make.item(1000)]
    off = make.discount(off=Money(300, "USD"))
    assert mrr(make, make.subscription(*both, discounts=[off])) == {"USD": 1700}


def test_the_payers_discount_stands_back_where_the_subscription_has_its_own(make):
    one = make.subscription(make.item(1000), discounts=[make.discount(percent=10)])
    assert mrr(make, one, discounts=(make.discount(percent=50, did="di_9"),)) == {"USD": 900}


def test_a_proration_changes_invoices_and_not_mrr(make):
    before = mrr(make, make.subscription(make.item(1000, 5)))
    assert mrr(make, make.subscription(make.item(1000, 8)), currency="USD") == {"USD": 8000}
    assert before == {"USD": 5000}


def tiered(graduated):
    tiers = (
        Tier(5, Decimal(1000), Decimal(0)),
        Tier(10, Decimal(800), Decimal(100)),
        Tier(None, Decimal(500), Decimal(0)),
    )
    return Price(
        "price_1", "prod_1", "", (Amount("USD", None, tiers), Amount("EUR", Decimal(900))), graduated=graduated
    )


@pytest.mark.parametrize(("quantity", "graduated", "expected"), [
    (5, True, 5000), (7, True, 5000 + 2 * 800 + 100), (12, True, 5000 + 4000 + 100 + 1000),
    (5, False, 5000), (7, False, 7 * 800 + 100), (12, False, 12 * 500), (0, True, 0),
])  # fmt: skip
def test_tiers_are_worked_out_from_the_price(make, quantity, graduated, expected):
    one = make.subscription(make.item(None, quantity, price_id="price_1"))
    assert mrr(make, one, sold=[tiered(graduated)]) == {"USD": expected}


def test_a_price_of_several_currencies_counts_in_the_subscriptions(make):
    one = make.subscription(make.item(None, 2, currency="EUR", price_id="price_1"))
    assert mrr(make, one, sold=[tiered(False)]) == {"EUR": 1800}


def test_a_price_that_is_not_known_is_counted_as_missing_and_not_as_nothing(make):
    found = make.profile(make.payer(), make.subscription(make.item(None, price_id="price_9"), make.item(100)))
    assert (found["mrr"], found["unpriced"]) == ({"USD": 100}, 1)


@pytest.mark.parametrize(("quantity", "up", "expected"), [(25, True, 3000), (25, False, 2000), (20, True, 2000)])
def test_packs_are_rounded_as_the_price_says(make, quantity, up, expected):
    assert mrr(make, make.subscription(make.item(1000, quantity, pack=10, pack_up=up))) == {"USD": expected}
