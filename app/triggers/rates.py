"""The admin's dated rate table: an amount in another currency, by the rate that held on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction

from app.triggers.rules import Rate
from integrations.kernel.money import exponent, half_even


class Rates:
    """Rates by pair, newest first. A pair that is given one way is used both ways."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._pairs: dict[tuple[str, str], list[tuple[date, Fraction]]] = {}
        for rate in sorted(rates, key=lambda r: r.since, reverse=True):
            self._pairs.setdefault((rate.currency, rate.to), []).append((rate.since, Fraction(rate.rate)))

    def convert(self, minor: int, own: str, wanted: str, day: date) -> int | None:
        """Minor units of `wanted`, half-even; None when no rate of that pair held on that day."""
        rate = self._rate(own, wanted, day)
        if rate is None and (back := self._rate(wanted, own, day)) is not None:
            rate = 1 / back
        if rate is None:
            return None
        return half_even(minor * rate * Fraction(10) ** (exponent(wanted) - exponent(own)))

    def _rate(self, own: str, wanted: str, day: date) -> Fraction | None:
        return next((rate for since, rate in self._pairs.get((own, wanted), ()) if since <= day), None)
