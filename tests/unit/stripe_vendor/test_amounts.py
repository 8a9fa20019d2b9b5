"""Stripe's integers and Money, there and back."""

from decimal import Decimal

import pytest

from integrations.kernel.money import Money
from integrations.stripe.amounts import NotOnTheWire, money, uncertain, unit, wire


@pytest.mark.parametrize(("told", "currency", "minor"), [
    (1999, "usd", 1999), (1999, "jpy", 1999), (1990, "kwd", 1990), (0, "eur", 0), (-700, "eur", -700),
    (500, "ugx", 5), (10_000, "isk", 100), (1050, "huf", 1050), (999, "twd", 999), (5, "mga", 500),
])  # fmt: skip
def test_the_wire_becomes_money_and_back(told, currency, minor):
    assert money(told, currency) == Money(minor, currency.upper())
    assert wire(Money(minor, currency.upper())) == (told, currency)


@pytest.mark.parametrize("amount", [Money(1999, "KWD"), Money(150, "MGA")])
def test_what_stripe_cannot_take_is_not_rounded(amount):
    with pytest.raises(NotOnTheWire):
        wire(amount)


@pytest.mark.parametrize("currency", "UGX ISK HUF TWD".split())
def test_currencies_the_sources_disagree_about_are_marked(currency):
    assert uncertain(currency)
    assert not uncertain("USD")


@pytest.mark.parametrize(("told", "currency", "exact"), [
    ("0.123456789012", "usd", "0.123456789012"), ("1.5", "jpy", "1.5"), ("150", "ugx", "1.5"), ("1.5", "mga", "150"),
    (1999, "eur", "1999"),
])  # fmt: skip
def test_unit_prices_stay_exact(told, currency, exact):
    assert unit(told, currency) == Decimal(exact)


def test_a_fraction_of_a_unit_is_read_half_even():
    assert [money(n, "isk").minor for n in (50, 150, 250, 251)] == [0, 2, 2, 3]
