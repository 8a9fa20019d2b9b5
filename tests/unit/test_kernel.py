"""The words: money adds up, ids sort by time, times are aware."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from integrations.kernel.clock import iso, parse_iso
from integrations.kernel.ids import new_id
from integrations.kernel.money import _CURRENCIES, _EXPONENTS, CurrencyMismatch, Money, exponent, is_currency


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 1000), min_size=1).filter(sum))
def test_the_parts_of_a_split_sum_to_the_whole(minor, weights):
    parts = Money(minor, "USD").split(weights)
    assert sum(p.minor for p in parts) == minor
    assert all(p.minor == 0 for p, w in zip(parts, weights, strict=True) if w == 0)


def test_money_of_two_currencies_does_not_add():
    with pytest.raises(CurrencyMismatch):
        Money(1, "USD") + Money(1, "EUR")


@pytest.mark.parametrize("minor", [True, 1.0, "1"])
def test_only_whole_numbers_are_money(minor):
    with pytest.raises(TypeError):
        Money(minor, "USD")


def test_exponents_follow_iso_4217():
    assert [exponent(c) for c in ("JPY", "USD", "KWD")] == [0, 2, 3]


def test_a_currency_is_what_people_pay_with():
    assert all(map(is_currency, ("USD", "EUR", "JPY", "KWD", "XOF")))
    assert not any(map(is_currency, ("EUU", "XXX", "XTS", "XAU", "usd", "US", "")))
    assert {one for one in _EXPONENTS if not is_currency(one)} == set()
    assert all(len(one) == 3 and one.isupper() for one in _CURRENCIES)


def test_ids_sort_by_time_and_hold_only_safe_letters():
    ids = [new_id("con") for _ in range(50)]
    assert len(set(ids)) == 50
    assert all(i.replace("_", "").isalnum() and len(i) == 28 for i in ids)


def test_nine_fractional_digits_are_read():
    assert parse_iso("2025-02-11T14:32:05.254571515Z") == datetime(2025, 2, 11, 14, 32, 5, 254571, UTC)
    assert iso(parse_iso("2026-01-15T10:00:00Z")) == "2026-01-15T10:00:00Z"
    with pytest.raises(ValueError, match="zone"):
        parse_iso("2026-01-15T10:00:00")


def test_the_test_database_is_a_real_one(database):
    with database.begin() as connection:
        assert connection.execute(sa.text("SELECT current_setting('server_version_num')::int")).scalar() >= 150000
