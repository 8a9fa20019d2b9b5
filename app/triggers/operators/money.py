"""Money: compared in the same currency, or by the admin's dated rate table; otherwise false with "other currency".

A fact may hold several amounts, one a currency (`billing.company_mrr`). What can be added up is added up; amounts that
cannot are enough to say no, except to "at least" when the rest reaches it already.
"""

# ruff: noqa: ANN401 - facts and operands are any JSON value until an operator has looked at them
from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from app.triggers.operators.base import (
    NO,
    NO_VALUE,
    ODD,
    OTHER_CURRENCY,
    YES,
    Build,
    Context,
    Test,
    Verdict,
    need,
    pair,
)
from integrations.kernel.money import exponent

Convert = Callable[[int, str, str, date], int | None]  # (minor, from, to, day) -> minor, None without a rate
_WRITTEN = re.compile(r"(-?[0-9]{1,15})(?:\.([0-9]{1,3}))? ([A-Z]{3})")
_HOW = "give an amount such as 500 USD or 19.99 EUR"


def amount(operand: Any) -> tuple[int, str]:
    """(minor units, currency) of an operand: `19.99 USD` or `{minor: 1999, currency: USD}`."""
    if isinstance(operand, dict):
        fits = operand.keys() == {"minor", "currency"} and type(operand["minor"]) is int
        need(fits and re.fullmatch(r"[A-Z]{3}", str(operand["currency"])) is not None, _HOW)
        return operand["minor"], operand["currency"]
    match = _WRITTEN.fullmatch(operand) if isinstance(operand, str) else None
    need(match is not None, _HOW)
    whole, decimals, currency = match.groups() if match else ("0", "", "")
    digits = exponent(currency)
    need(len(decimals or "") <= digits, f"{currency} has {digits} decimals")
    return int(Decimal(f"{whole}.{decimals or 0}").scaleb(digits)), currency


def as_amounts(value: Any) -> list[tuple[int, str]] | None:
    """The amounts of a money fact; None when it is not money."""
    found = []
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict) or type(one.get("minor")) is not int or not isinstance(one.get("currency"), str):
            return None
        found.append((one["minor"], one["currency"]))
    return found


def operators(convert: Convert) -> dict[str, Build]:
    """`is`, `at_least`, `at_most`, `between`."""

    def is_(operand: Any) -> Test:
        minor, currency = amount(operand)
        return _within(minor, minor, currency, convert)

    def at_least(operand: Any) -> Test:
        minor, currency = amount(operand)
        return _within(minor, None, currency, convert)

    def at_most(operand: Any) -> Test:
        minor, currency = amount(operand)
        return _within(None, minor, currency, convert)

    def between(operand: Any) -> Test:
        (low, currency), (high, other) = map(amount, pair(operand))
        need(currency == other, "give both amounts in the same currency")
        need(low <= high, "give the lower amount first")
        return _within(low, high, currency, convert)

    return {"is": is_, "at_least": at_least, "at_most": at_most, "between": between}


def _within(low: int | None, high: int | None, currency: str, convert: Convert) -> Test:
    def test(value: Any, context: Context) -> Verdict:
        if value is None or value == []:
            return NO_VALUE
        amounts = as_amounts(value)
        if amounts is None:
            return ODD
        total, others, same = _added(amounts, currency, convert, context)
        if others and (not same or high is not None or low is None or total < low):
            return OTHER_CURRENCY
        return YES if (low is None or total >= low) and (high is None or total <= high) else NO

    return test


def _added(amounts: list[tuple[int, str]], currency: str, convert: Convert, context: Context) -> tuple[int, bool, bool]:
    """What can be added up, whether something was left out, whether anything was added."""
    total, others, same = 0, False, False
    for minor, own in amounts:
        known = minor if own == currency else convert(minor, own, currency, context.day)
        if known is None:
            others = True
        else:
            total, same = total + known, True
    return total, others, same
