"""Amounts and times in a reader's words: the currency's own digits, the reader's own zone, nothing that breaks on junk."""

from datetime import UTC, datetime

import pytest

from app.ui.words import plain, reader
from integrations.kernel.money import Money

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
EN, DE = reader("en-US", "America/New_York", NOW), reader("de", "Europe/Berlin", NOW)


@pytest.mark.parametrize(
    ("minor", "currency", "english", "german"),
    [
        (124000, "EUR", "€1,240.00", "1.240,00\xa0€"),
        (-5, "USD", "-$0.05", "-0,05\xa0$"),
        (1240, "JPY", "¥1,240", "1.240\xa0¥"),
        (1240, "KWD", "KWD\xa01.240", "1,240\xa0KWD"),
        (1240, "UGX", "UGX\xa01,240", "1.240\xa0UGX"),
        (1240, "IQD", "IQD\xa01.240", "1,240\xa0IQD"),  # Babel would show none of its three digits
        (10**15, "USD", "$10,000,000,000,000.00", "10.000.000.000.000,00\xa0$"),
    ],
)
def test_money_has_the_digits_of_its_currency(minor, currency, english, german):
    assert EN.money(Money(minor, currency)) == english
    assert DE.money({"minor": minor, "currency": currency}) == german


def test_sums_leave_nothings_out_beside_others():
    assert EN.sums({"USD": 0, "EUR": 100}) == "€1.00"
    assert EN.sums({"USD": 0}) == "$0.00"
    assert EN.sums({}) == ""
    assert EN.sums({"USD": 1, "EUR": 100}) == "€1.00 + $0.01"


def test_a_moment_is_in_the_readers_zone_and_exact_in_utc():
    late = EN.time("2026-11-26T03:30:15Z")
    assert late.text.replace("\u202f", " ") == "Nov 25, 10:30 PM"
    assert (late.utc, late.iso) == ("2026-11-26 03:30:15 UTC", "2026-11-26T03:30:15Z")
    assert DE.time("2026-11-26T03:30:15Z").text == "26. Nov., 04:30"


def test_a_day_names_its_year_only_when_it_is_another():
    assert EN.day("2026-01-02T12:00:00Z").text == "Jan 2"
    assert EN.day("2025-01-02T12:00:00Z").text == "Jan 2, 2025"


@pytest.mark.parametrize("locale", ["", "xx", "en_US_POSIX_and_more", "../../etc", "de-XX", "\x00", "zh-cn", "é"])
@pytest.mark.parametrize(
    "zone", ["", "Nowhere/Land", "../../etc/passwd", "/etc/passwd", "\x00", "x" * 500, "Eastern Time"]
)
def test_what_a_browser_says_is_never_an_error(locale, zone):
    told = reader(locale, zone, NOW)
    assert told.money(Money(1, "USD"))
    assert told.time(NOW).utc == "2026-11-26 12:00:00 UTC"


def test_a_strangers_text_loses_what_cannot_be_seen():
    assert plain("a\u202eb\x00c\x1b[31m\nd\u2066") == "abc[31m\nd"
    assert plain(None) == ""
