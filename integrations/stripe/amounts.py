"""Stripe's wire integers and Money. Stripe's minor unit is not always ISO's.

Source: vendor sheet 3.8 and Stripe's currency page, read 2026-11: zero-decimal (2), three-decimal (2). UGX and ISK have no
minor unit, but the API is said to want two decimals that end in 00 (R): kept in this one table, and marked uncertain.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from integrations.kernel.money import Money, exponent, half_even

_ZERO = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_THREE = frozenset("BHD JOD KWD OMR TND".split())
# Amounts in these are shown, but no free amount may be refunded until it was tried in a sandbox account.
_UNCERTAIN = frozenset("UGX ISK HUF TWD IQD LYD MGA".split())
# Whole units only, though the wire has decimals: their last digits must be zeros (R).
_STEP = {**dict.fromkeys(_THREE, 10), "UGX": 100, "ISK": 100}


class NotOnTheWire(ValueError):
    """An amount Stripe has no integer for: finer than its smallest step in this currency."""


def wire_digits(currency: str) -> int:
    """Decimals of Stripe's integer. `currency`: ISO 4217, upper case."""
    return 0 if currency in _ZERO else 3 if currency in _THREE else 2


def uncertain(currency: str) -> bool:
    """Do sources disagree on the wire form of this currency? `currency`: ISO 4217, upper case."""
    return currency in _UNCERTAIN


def scale(currency: str) -> Fraction:
    """Our minor units in one of Stripe's."""
    return Fraction(10) ** (exponent(currency) - wire_digits(currency))


@lru_cache(maxsize=4096, typed=True)  # nothing and the usual prices come again and again
def money(wire: int, currency: str) -> Money:
    """From the wire. `currency` as Stripe writes it, lower case."""
    code = currency.upper()
    if exponent(code) == wire_digits(code):
        return Money(wire, code)
    return Money(half_even(wire * scale(code)), code)


def wire(amount: Money) -> tuple[int, str]:
    """To the wire: Stripe's integer, and the currency in lower case.

    Raises:
        NotOnTheWire: Stripe takes no such fraction of this currency.
    """
    exact = amount.minor / scale(amount.currency)
    if exact.denominator != 1 or exact.numerator % _STEP.get(amount.currency, 1):
        raise NotOnTheWire(f"{amount.minor} of {amount.currency} is finer than Stripe takes")
    return exact.numerator, amount.currency.lower()


def unit(told: str | Decimal | int, currency: str) -> Decimal:
    """A unit price, exact, in our minor units: Stripe gives up to 12 decimals."""
    exact = Decimal(str(told))
    if exponent(currency.upper()) == wire_digits(currency.upper()):
        return exact
    factor = scale(currency.upper())
    return exact * factor.numerator / factor.denominator  # powers of ten: exact


def refusal(amount: Money) -> str:
    """Why an amount cannot be refunded from here, as a sentence; empty when it can.

    Source: vendor sheet 3.8: currencies whose wire form is uncertain are refused until tried in a sandbox account.
    """
    if uncertain(amount.currency):
        return (
            f"How Stripe writes amounts in {amount.currency} is not certain, so nothing is refunded in it from here. "
            "Refund it in Stripe's dashboard; it will be shown here."
        )
    try:
        wire(amount)
    except NotOnTheWire:
        return f"Stripe takes no such fraction of {amount.currency}: the last digit must be 0."
    return ""
