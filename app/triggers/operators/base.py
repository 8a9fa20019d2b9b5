"""The words of operators: a verdict, what a test looks at, and a bad operand.

A test answers yes, no or not known, each with a reason where it is not plain. It never raises, whatever the fact is.
"""

# ruff: noqa: ANN401 - facts and operands are any JSON value until an operator has looked at them
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from integrations.kernel.events import Change

Truth = bool | None
Verdict = tuple[Truth, str]

YES: Verdict = (True, "")
NO: Verdict = (False, "")
NO_VALUE: Verdict = (False, "it has no value")
NOT_KNOWN: Verdict = (None, "it was not known at that time")
NOT_TOLD: Verdict = (None, "this event does not tell what changed")
ODD: Verdict = (None, "its value is not of its type")
OTHER_CURRENCY: Verdict = (False, "other currency")


class BadOperand(ValueError):
    """An operand does not fit; the text tells the admin what to write."""


@dataclass(slots=True)
class Context:
    """What a test looks at beside the value. changes: None when the event does not tell them."""

    at: datetime
    changes: Mapping[str, Change] | None

    @property
    def day(self) -> date:
        """The event's day, UTC."""
        return self.at.astimezone(UTC).date()


Test = Callable[[Any, Context], Verdict]
Build = Callable[[Any], Test]
T = TypeVar("T")


def typed(read: Callable[[Any], T | None], holds: Callable[[T], bool], empty: Verdict = NO_VALUE) -> Test:
    """A test over values of one type. empty: the verdict on "no value"; what cannot be read is not known."""

    def test(value: Any, _: Context) -> Verdict:
        if value is None:
            return empty
        known = read(value)
        if known is None:
            return ODD
        return YES if holds(known) else NO

    return test


def need(condition: bool, text: str) -> None:
    """Refuse an operand. Raises BadOperand with what to write instead."""
    if not condition:
        raise BadOperand(text)


def pair(operand: Any) -> list[Any]:
    """The two ends of `between`."""
    need(isinstance(operand, list) and len(operand) == 2, "give two values, the lower one first, such as [1, 5]")
    both: list[Any] = operand
    return both


def many(operand: Any, one: Callable[[Any], T]) -> list[T]:
    """A list of 1 to 500 operands."""
    need(isinstance(operand, list) and 0 < len(operand) <= 500, "give a list of 1 to 500 values")
    return [one(item) for item in operand]
