"""What each type of fact can be asked. An operator checks its operand when it is built, once; the test it gives never
raises and never takes more than linear time."""

from __future__ import annotations

from typing import Any

from app.triggers.catalogue import Fact, Type
from app.triggers.operators import common, dates, money, numbers, sets, text
from app.triggers.operators.base import BadOperand, Build, Context, Test, Truth, Verdict
from app.triggers.operators.money import Convert

__all__ = ["BadOperand", "Context", "Convert", "Test", "Truth", "Verdict", "build", "no_rates", "operators_of"]


def no_rates(minor: int, own: str, wanted: str, day: object) -> None:
    """No rate table: amounts of other currencies are not compared."""


_DURATION: dict[str, Build] = numbers.compare(numbers.as_number, numbers.seconds)
_NUMBER: dict[str, Build] = {
    **numbers.equal(numbers.as_number),
    **numbers.compare(numbers.as_number, numbers.number),
}
_TEXT: dict[str, Build] = {
    **text.equals(text.as_text), "contains": text.contains(text.as_text), "matches": text.matches(text.as_choice),
}  # fmt: skip
_ANY: dict[str, Build] = {
    **text.equals(common.loose_text), "contains": text.contains(common.loose_text),
    "matches": text.matches(common.loose_raw), **sets.includes(common.loose_tags),
    **numbers.compare(common.loose_number, numbers.number), "is": common.loose_is, "is_not": common.loose_is_not,
}  # fmt: skip


def operators_of(fact: Fact, convert: Convert = no_rates) -> dict[str, Build]:
    """Every operator a fact can be asked, by name."""
    own: dict[Type, dict[str, Build]] = {
        Type.TEXT: _TEXT,
        Type.CHOICE: text.equals(text.as_choice, fact.choices),
        Type.TAGS: sets.includes(sets.as_tags),
        Type.NUMBER: _NUMBER,
        Type.MONEY: money.operators(convert),
        Type.DATE: dates.OPERATORS,
        Type.DURATION: _DURATION,
        Type.YES_NO: {"is": common.yes_no},
        Type.ANY: _ANY,
    }
    told = common.changes(fact.name.removeprefix("ticket."), fact.choices) if fact.changes else {}
    return {**own[fact.type], **told, **common.PRESENCE}


def build(fact: Fact, operator: str, operand: Any, convert: Convert = no_rates) -> Test:  # noqa: ANN401 - any JSON
    """A clause's test.

    Raises:
        BadOperand: the fact cannot be asked this, or the operand does not fit; the text says what to write.
    """
    offered = operators_of(fact, convert)
    if operator not in offered:
        raise BadOperand(f"{fact.name} is a {fact.type} and cannot be asked {operator!r}, but {', '.join(offered)}")
    return offered[operator](operand)
