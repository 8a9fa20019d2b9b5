"""Amounts and times in the reader's own locale and zone. Pure; what is not understood falls back to English and UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import NumberPattern
from markupsafe import Markup

from integrations.kernel.clock import parse_iso
from integrations.kernel.money import Money, exponent

DEFAULT_LOCALE = "en-US"
DEFAULT_ZONE = "UTC"
KEPT = 256  # locales and zones remembered: what browsers say has no bound
TEXTS = 4096  # amounts and days remembered: a page has the same ones again and again, and Babel is slow
_BIDI = {ord(c): None for c in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}
_BETWEEN = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")  # KWD 1.250, not KWD1.250
_AMOUNT = re.compile(r"\b(\d+)(?:\.(\d+))? ([A-Z]{3})\b")
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it is shown. text: in the reader's zone. utc: the exact moment, for the title. iso: for machines."""

    text: str
    utc: str
    iso: str

    def __html__(self) -> str:
        return _time(self)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: locale and zone, and the moment "today" is about."""

    locale: Locale
    zone: ZoneInfo
    now: datetime

    def money(self, value: Money | Mapping[str, Any]) -> str:
        """An amount with its currency and all its digits: 1,240.00 of a euro, 1,240 of a yen, 1.240 of a dinar."""
        if isinstance(value, Money):
            return _amount(self.locale, value.minor, value.currency)
        return _amount(self.locale, value["minor"], value["currency"])

    def sums(self, amounts: Mapping[str, int]) -> str:
        """Amounts by currency, one after the other, nothings left out beside others; empty when there are none."""
        shown = {c: minor for c, minor in amounts.items() if minor} or dict(list(amounts.items())[:1])
        return " + ".join(self.money({"minor": minor, "currency": c}) for c, minor in sorted(shown.items()))

    def day(self, value: str | datetime) -> Moment:
        """A moment as a day, with the year only where it is another one."""
        return _day(self.locale, self.zone, value, self.now.astimezone(self.zone).year)

    def short(self, day: date) -> str:
        """A day in the reader's order of words."""
        return _short(self.locale, day, day.year != self.now.astimezone(self.zone).year)

    def date(self, text: str) -> str:
        """An ISO date, which has no zone: a renewal day is the same day everywhere."""
        return self.short(date.fromisoformat(text[:10]))

    def time(self, value: str | datetime) -> Moment:
        """A moment with its time of day."""
        at = _moment(value)
        local = at.astimezone(self.zone)
        clock = format_time(local, "short", tzinfo=self.zone, locale=self.locale)
        return _exact(at, f"{self.short(local.date())}, {clock}")


def reader(locale: str, zone: str, now: datetime) -> Reader:
    """From what a browser said: any text."""
    return Reader(_locale(locale[:35]), _zone(zone[:64]), now)


def plain(text: object) -> str:
    """A stranger's text for the screen: no control characters, none that turn the reading direction."""
    return str(text or "").translate(_BIDI).translate(_CONTROLS)


def localised(text: str, told: Reader) -> str:
    """A sentence of ours with its amounts (`1240.00 EUR`) in the reader's locale."""

    def amount(found: re.Match[str]) -> str:
        whole, decimals, currency = found[1], found[2] or "", found[3]
        if len(decimals) != exponent(currency):
            return found[0]
        return told.money(Money(int(whole + decimals), currency))

    return _AMOUNT.sub(amount, text)


def dated(text: str, told: Reader) -> str:
    """The same for its days (`2026-12-17`); what is no day stays as it is."""

    def day(found: re.Match[str]) -> str:
        try:
            return told.date(found[0])
        except ValueError:
            return found[0]

    return _DAY.sub(day, localised(text, told))


@lru_cache(KEPT)
def _locale(text: str) -> Locale:
    for tried in (text, text.split("-")[0], DEFAULT_LOCALE):
        try:
            return Locale.parse(tried.replace("-", "_"))
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    raise AssertionError("the default locale is always there")


@lru_cache(TEXTS)
def _amount(locale: Locale, minor: int, currency: str) -> str:
    digits = exponent(currency)
    amount = Decimal(minor).scaleb(-digits)
    text = _pattern(locale, digits).apply(amount, locale, currency=currency, currency_digits=False)
    return _BETWEEN.sub("\u00a0", text)


@lru_cache(TEXTS)
def _day(locale: Locale, zone: ZoneInfo, value: str | datetime, this_year: int) -> Moment:
    at = _moment(value)
    day = at.astimezone(zone).date()
    return _exact(at, _short(locale, day, day.year != this_year))


def _exact(at: datetime, text: str) -> Moment:
    """A moment with the exact time behind what is shown."""
    at = at.astimezone(UTC).replace(microsecond=0)
    return Moment(text, f"{at:%Y-%m-%d %H:%M:%S} UTC", at.isoformat().replace("+00:00", "Z"))


@lru_cache(TEXTS)
def _time(at: Moment) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.iso, at.utc, at.text)


@lru_cache(TEXTS)
def _short(locale: Locale, day: date, other_year: bool) -> str:
    if other_year:
        return format_date(day, "medium", locale=locale)
    return format_skeleton("MMMd", day, locale=locale)


@lru_cache(KEPT)
def _pattern(locale: Locale, digits: int) -> NumberPattern:
    """The locale's way to write money, with as many digits as the currency has, whatever Babel thinks it has."""
    pattern: NumberPattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return pattern


@lru_cache(KEPT)
def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text or DEFAULT_ZONE)
    except (KeyError, OSError, ValueError):  # unknown, a path that is no zone, a text that is none
        return ZoneInfo(DEFAULT_ZONE)


def _moment(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else parse_iso(value)
