"""Text and choices. Upper and lower case are the same in text; a choice is taken as it is. Patterns are RE2 only."""

# ruff: noqa: ANN401 - facts and operands are any JSON value until an operator has looked at them
from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from app.tickets.patterns import LONGEST as LONGEST_PATTERN
from app.tickets.patterns import compiled
from app.triggers.operators.base import YES, BadOperand, Build, Test, many, need, typed

LONGEST_TEXT = 4000


def fold(text: str) -> str:
    """A text as it is compared: composed characters, no case."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def as_text(value: Any) -> str | None:
    """A text fact as it is compared."""
    return fold(value) if isinstance(value, str) else None


def as_choice(value: Any) -> str | None:
    """A choice as it is."""
    return value if isinstance(value, str) else None


def words(operand: Any) -> str:
    """A text operand."""
    if isinstance(operand, bool | int | float):
        raise BadOperand(f"give a text; YAML reads this as {operand!r}, so write it in quotes")
    need(
        isinstance(operand, str) and 0 < len(operand) <= LONGEST_TEXT, f"give a text of 1 to {LONGEST_TEXT} characters"
    )
    text: str = operand
    return text


def equals(read: Callable[[Any], str | None], choices: tuple[str, ...] = ()) -> dict[str, Build]:
    """`is`, `is_not` and `one_of` over values that `read` reads. choices: what there is, where the set is closed."""

    def one(operand: Any) -> str:
        text = words(operand)
        need(not choices or text in choices, f"{text!r} is none of {', '.join(choices)}")
        return read(text) or ""

    def is_(operand: Any) -> Test:
        wanted = one(operand)
        return typed(read, lambda text: text == wanted)

    def is_not(operand: Any) -> Test:
        wanted = one(operand)
        return typed(read, lambda text: text != wanted, empty=YES)

    def one_of(operand: Any) -> Test:
        wanted = frozenset(many(operand, one))
        return typed(read, lambda text: text in wanted)

    return {"is": is_, "is_not": is_not, "one_of": one_of}


def contains(read: Callable[[Any], str | None]) -> Build:
    """A text in the text."""

    def build(operand: Any) -> Test:
        wanted = fold(words(operand))
        return typed(read, lambda text: wanted in text)

    return build


def matches(read: Callable[[Any], str | None]) -> Build:
    """An RE2 pattern anywhere in the text; RE2 takes linear time whatever the pattern and the text."""

    def build(operand: Any) -> Test:
        need(
            isinstance(operand, str) and 0 < len(operand) <= LONGEST_PATTERN,
            f"give a pattern of 1 to {LONGEST_PATTERN} characters, in quotes",
        )
        try:
            pattern = compiled(operand)
        except ValueError as error:
            raise BadOperand(str(error)) from error
        search = pattern.search
        return typed(read, lambda text: search(text.encode("utf-8", "replace")) is not None)

    return build
