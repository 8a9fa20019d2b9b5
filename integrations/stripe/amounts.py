"""Stripe's wire integers and Money. Stripe's minor unit is not always ISO's.

Source: vendor sheet 3.8 and Stripe's currency page, read 2026-11: zero-decimal (2), three-decimal (2). UGX and ISK have no
minor unit, but the API is said to want two decimals that end in 00 (R): kept in this one table, and marked uncertain.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from integrations.kernel.money import Money, exponent, half_even

_ZERO = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_THREE = frozenset("BHD JOD KWD OMR TND".split())
# Amounts in these are shown, but no free amount may be refunded until it was tried in a sandbox account.
UNCERTAIN = frozenset("UGX ISK HUF TWD IQD LYD MGA".split())


def wire_digits(currency: str) -> int:
    """Decimals of Stripe's integer. `currency`: ISO 4217, upper case."""
    return 0 if currency in _ZERO else 3 if currency in _THREE else 2


def scale(currency: str) -> Fraction:
    """Our minor units in one of Stripe's."""
    return Fraction(10) ** (exponent(currency) - wire_digits(currency))


def money(wire: int, currency: str) -> Money:
    """From the wire. `currency` as Stripe writes it, lower case."""
    code = currency.upper()
    return Money(half_even(wire * scale(code)), code)


def unit(wire: str | Decimal | int, currency: str) -> Decimal:
    """A unit price, exact, in our minor units: Stripe gives up to 12 decimals."""
    exact = Fraction(Decimal(str(wire))) * scale(currency.upper())
    return Decimal(exact.numerator) / Decimal(exact.denominator)
