"""Amounts as people type and read them. Pure."""

from __future__ import annotations

import re

from integrations.kernel.errors import InputError
from integrations.kernel.money import Money, exponent

_ENTRY = re.compile(r"(\d{1,15})(?:[.,](\d{1,3}))?")
_GROUPED = re.compile(r"\d{1,3}(?:([.,'\u00a0\u202f ])\d{3})+(?:[.,]\d{1,3})?")


class BadAmount(InputError):
    code = "refund.amount"
    public = "Write the amount in digits, with one comma or point before the decimals and nothing else."


def parse_entry(text: str, currency: str) -> Money:
    """What an agent typed: `12`, `12.5`, `12,50`; one separator, read as the decimal one.

    `1,234` in a currency with two decimals is refused, not guessed: it may be meant as 1234 or as 1.23.

    Raises:
        BadAmount: with the sentence to show.
    """
    text = text.strip()
    found = _ENTRY.fullmatch(text) if text.isascii() else None
    digits = exponent(currency)
    if found is None:
        if _GROUPED.fullmatch(text):
            raise BadAmount("Write the amount without separators between thousands.")
        raise BadAmount
    whole, decimals = found[1], found[2] or ""
    if len(decimals) > digits:
        if digits == 0:
            raise BadAmount(f"{currency} has no decimals: write whole {currency}.")
        raise BadAmount(f"{currency} has {digits} decimals; {text} has {len(decimals)}. Write it without separators "
                        "between thousands.")  # fmt: skip
    if decimals and len(decimals) < digits and digits == 3:
        raise BadAmount(f"Write all three decimals of {currency}, such as {whole}.{decimals.ljust(3, '0')}.")
    minor = int(whole) * 10**digits + int(decimals.ljust(digits, "0") or "0")
    if minor == 0:
        raise BadAmount("The amount must be more than nothing.")
    return Money(minor, currency)


def plain(amount: Money) -> str:
    """`12.00 USD`, `1500 JPY`, `1.250 KWD`: for notes and the log; pages use the agent's locale."""
    digits = exponent(amount.currency)
    sign, minor = ("-" if amount.minor < 0 else ""), abs(amount.minor)
    whole, rest = divmod(minor, 10**digits)
    return f"{sign}{whole}{f'.{rest:0{digits}d}' if digits else ''} {amount.currency}"
