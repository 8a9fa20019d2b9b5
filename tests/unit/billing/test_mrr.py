"""MRR on numbers worked by hand, in the definition of product.md A."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.billing.mrr import mrr
from app.billing.records import to_json
from integrations.kernel.billing import Discount, Item, Subscription
from integrations.kernel.money import Money

AT = datetime(2026, 11, 24, tzinfo=UTC)
LONG_AGO, NEXT_YEAR = datetime(2024, 1, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC)


def item(unit, quantity=1, interval="month", count=1, currency="USD", *, metered=False, discounts=()):
    exact = None if unit is None else Decimal(unit)
    return Item("si", "prod", "Plan", currency, exact, quantity, interval, count, metered, NEXT_YEAR, tuple(discounts))


def off(percent=None, amount=None, duration="forever", end=None):
    return Discount("di", True, Decimal(percent) if percent else None, amount, duration, end)


def sub(*items, status="active", paused=False, discounts=()):
    found = Subscription("sub", "cus", status, paused, items, tuple(discounts), LONG_AGO, None, False, None)
    return to_json(found)


CASES = {
    "month: 5 seats at 29.00": ([sub(item(2900, 5))], {"USD": 14_500}),
    "year: 1,200.00 / 12": ([sub(item(120_000, interval="year"))], {"USD": 10_000}),
    "quarter: 100.00 / 3 = 33.333 -> 33.33": ([sub(item(10_000, count=3))], {"USD": 3_333}),
    "week: 10.00 x 52 / 12 = 43.333 -> 43.33": ([sub(item(1000, interval="week"))], {"USD": 4_333}),
    "two weeks: 10.00 x 26 / 12 = 21.67": ([sub(item(1000, interval="week", count=2))], {"USD": 2_167}),
    "30 days: 12.00 x 365 / 30 / 12 = 12.1667 -> 12.17": ([sub(item(1200, interval="day", count=30))], {"USD": 1_217}),
    "half a cent goes to the even one: 0.30 / 12 = 2.5 -> 2": ([sub(item(30, interval="year"))], {"USD": 2}),
    "half a cent goes to the even one: 0.42 / 12 = 3.5 -> 4": ([sub(item(42, interval="year"))], {"USD": 4}),
    "yen has no cents: 1,000 x 3": ([sub(item(1000, 3, currency="JPY"))], {"JPY": 3_000}),
    "dinar has three: 12.345 x 12 / 12": ([sub(item(148_140, interval="year", currency="KWD"))], {"KWD": 12_345}),
    "a fraction of a cent a unit: 0.0125 x 1,000": ([sub(item("1.25", 1000))], {"USD": 1_250}),
    "25 % off for ever": ([sub(item(10_000), discounts=[off("25")])], {"USD": 7_500}),
    "10 % off, repeating, still on": ([sub(item(10_000), discounts=[off("10", duration="repeating", end=NEXT_YEAR)])], {"USD": 9_000}),
    "repeating and over": ([sub(item(10_000), discounts=[off("10", duration="repeating", end=LONG_AGO)])], {"USD": 10_000}),
    "once is no discount of the month": ([sub(item(10_000), discounts=[off("50", duration="once")])], {"USD": 10_000}),
    "20.00 off a year of 1,200.00": ([sub(item(120_000, interval="year"), discounts=[off(amount=Money(2_000, "USD"))])], {"USD": 9_833}),
    "an item's own 50 %, then 10 % of the rest": ([sub(item(10_000, discounts=[off("50")]), discounts=[off("10")])], {"USD": 4_500}),
    "an amount in another currency takes nothing": ([sub(item(10_000), discounts=[off(amount=Money(500, "EUR"))])], {"USD": 10_000}),
    "never below nothing": ([sub(item(1_000), discounts=[off(amount=Money(5_000, "USD"))])], {"USD": 0}),
    "metered is left out": ([sub(item(1_000), item(500, 100, metered=True))], {"USD": 1_000}),
    "a tiered price says nothing": ([sub(item(None, 10), item(1_000))], {"USD": 1_000}),
    "past due counts": ([sub(item(1_000), status="past_due")], {"USD": 1_000}),
    "trialing, unpaid, canceled, paused do not": (
        [sub(item(1_000), status=s) for s in ("trialing", "unpaid", "canceled", "paused", "incomplete")], {}),
    "collection paused does not": ([sub(item(1_000), paused=True)], {}),
    "several subscriptions and currencies": (
        [sub(item(1_000)), sub(item(2_000)), sub(item(500, currency="EUR"))], {"EUR": 500, "USD": 3_000}),
    "thirds are rounded once, at the end: 3 x 33.33...": ([sub(item(10_000, count=3)) for _ in range(3)], {"USD": 10_000}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_worked_by_hand(name):
    subscriptions, expected = CASES[name]
    assert mrr(subscriptions, AT) == expected
