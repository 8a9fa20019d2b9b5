"""What agents type, what they read, and the arithmetic of unused time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.refunds.money import BadAmount, parse_entry, plain
from app.refunds.unused import unused_time
from integrations.kernel.money import Money, exponent

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(("text", "currency", "minor"), [
    ("12", "USD", 1200), ("12.5", "USD", 1250), ("12,50", "EUR", 1250), (" 0.01 ", "USD", 1), ("1500", "JPY", 1500),
    ("1.250", "KWD", 1250), ("1,250", "KWD", 1250), ("3", "KWD", 3000), ("0012", "USD", 1200),
])  # fmt: skip
def test_an_entry_is_read(text, currency, minor):
    assert parse_entry(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(("text", "currency", "said"), [
    ("1,234", "USD", "2 decimals"), ("1.234", "EUR", "2 decimals"), ("1,234.50", "USD", "between thousands"),
    ("1 234", "USD", "between thousands"), ("12.5", "JPY", "no decimals"), ("1,234", "JPY", "no decimals"),
    ("1.25", "KWD", "all three decimals"), ("0", "USD", "more than nothing"), ("0.00", "USD", "more than nothing"),
    ("-5", "USD", "digits"), ("$5", "USD", "digits"), ("5 USD", "USD", "digits"), ("", "USD", "digits"),
    ("1e3", "USD", "digits"), ("١٢", "USD", "digits"), ("１２", "USD", "digits"), ("12.", "USD", "digits"),
    (".5", "USD", "digits"), ("1.2.3", "USD", "digits"), ("9" * 16, "USD", "digits"), ("0x1F", "USD", "digits"),
])  # fmt: skip
def test_an_entry_that_may_mean_something_else_is_refused_with_a_sentence(text, currency, said):
    with pytest.raises(BadAmount, match=said):
        parse_entry(text, currency)


@given(st.integers(1, 10**14), st.sampled_from(["USD", "JPY", "KWD", "EUR", "CLP", "BHD"]), st.sampled_from(".,"))
def test_what_is_shown_can_be_typed(minor, currency, sign):
    text = plain(Money(minor, currency)).removesuffix(f" {currency}").replace(".", sign)
    assert parse_entry(text, currency) == Money(minor, currency)
    assert len(text.partition(sign)[2]) == exponent(currency)


@pytest.mark.parametrize(("minor", "days", "now_day", "left", "amount", "arithmetic"), [
    # 30.00 for 30 days, used for 10: two thirds are left
    (3000, 30, 10, 3000, 2000, "30.00 USD × 20 days of 30 days unused = 20.00 USD"),
    # 99.00 for 31 days, used for 30: 99.00 / 31 = 3.193... -> 3.19
    (9900, 31, 30, 9900, 319, "99.00 USD × 1 day of 31 days unused = 3.19 USD"),
    # not begun yet: all of it
    (3000, 30, -2, 3000, 3000, "30.00 USD × 30 days of 30 days unused = 30.00 USD"),
    # part of it went back before: never more than what is left
    (3000, 30, 10, 500, 500, "30.00 USD × 20 days of 30 days unused = 20.00 USD, of which 5.00 USD is left"),
])  # fmt: skip
def test_unused_time_by_worked_examples(minor, days, now_day, left, amount, arithmetic):
    made = unused_time(
        Money(minor, "USD"), START, START + timedelta(days=days), START + timedelta(days=now_day), Money(left, "USD")
    )
    assert (made.amount.minor, made.arithmetic) == (amount, arithmetic)


@pytest.mark.parametrize(("minor", "half"), [(1, None), (3, 2), (5, 2), (7, 4)])
def test_halves_go_to_the_even_unit(minor, half):
    """Half of 3, 5 and 7 yen: 1.5 -> 2, 2.5 -> 2, 3.5 -> 4; half of 1 is 0, which is nothing to suggest."""
    made = unused_time(
        Money(minor, "JPY"), START, START + timedelta(days=2), START + timedelta(days=1), Money(minor, "JPY")
    )
    assert (made.amount.minor if made else None) == half


@pytest.mark.parametrize("now_day", [30, 31])
def test_nothing_is_suggested_for_a_period_that_is_over(now_day):
    assert unused_time(
        Money(3000, "USD"), START, START + timedelta(days=30), START + timedelta(days=now_day), Money(3000, "USD")
    ) is None  # fmt: skip
