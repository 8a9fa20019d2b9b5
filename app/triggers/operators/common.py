"""What every type can be asked: is there a value, and did it change; and the lenient readings of custom fields."""

# ruff: noqa: ANN401 - facts and operands are any JSON value until an operator has looked at them
from __future__ import annotations

from typing import Any

from app.triggers.operators.base import NO, NOT_TOLD, YES, Build, Context, Test, Verdict, need, typed
from app.triggers.operators.numbers import Number, as_number
from app.triggers.operators.text import fold


def _yes(operand: Any) -> bool:
    need(isinstance(operand, bool), "give yes or no")
    return bool(operand)


def _present(wanted: bool) -> Build:
    def build(operand: Any) -> Test:
        answer = _yes(operand) is wanted
        return lambda value, _: YES if (value is not None and value != "" and value != []) is answer else NO

    return build


PRESENCE: dict[str, Build] = {"is_present": _present(True), "is_absent": _present(False)}


def yes_no(operand: Any) -> Test:
    """`is` of a yes/no fact."""
    wanted = _yes(operand)
    return typed(lambda value: value if isinstance(value, bool) else None, lambda seen: seen is wanted)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return fold(value) == fold(wanted)
    return isinstance(value, bool) is isinstance(wanted, bool) and bool(value == wanted)


def _scalar(operand: Any, choices: tuple[str, ...]) -> Any:
    need(operand is None or isinstance(operand, str | int | float), "give one value, or null for no value")
    need(operand is None or not choices or operand in choices, f"{operand!r} is none of {', '.join(choices)}")
    return operand


def changes(name: str, choices: tuple[str, ...] = ()) -> dict[str, Build]:
    """`changed`, `changed_from`, `changed_to` of a fact by the name events tell it by (`priority`)."""

    def changed(operand: Any) -> Test:
        wanted = _yes(operand)

        def test(_: Any, context: Context) -> Verdict:
            if context.changes is None:
                return NOT_TOLD
            return YES if (name in context.changes) is wanted else NO

        return test

    def side(before: bool) -> Build:
        def build(operand: Any) -> Test:
            wanted = _scalar(operand, choices)

            def test(_: Any, context: Context) -> Verdict:
                if context.changes is None:
                    return NOT_TOLD
                change = context.changes.get(name)
                if change is None:
                    return NO
                return YES if _same(change.previous if before else change.current, wanted) else NO

            return test

        return build

    return {"changed": changed, "changed_from": side(True), "changed_to": side(False)}


# Custom fields: a check box is yes/no, a drop-down a tag, a number often a text.


def loose_raw(value: Any) -> str | None:
    """A custom field as text, as it is written."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value) if abs(value) < 10**18 else None
    return value if isinstance(value, str) else None


def loose_text(value: Any) -> str | None:
    """A custom field as text, as it is compared."""
    text = loose_raw(value)
    return None if text is None else fold(text)


def loose_number(value: Any) -> Number | None:
    """A custom field as a number, also when it is written as text."""
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    return as_number(value)


def loose_tags(value: Any) -> frozenset[str] | None:
    """A custom field as a set: one text is a set of one."""
    if isinstance(value, str):
        return frozenset((value.lower(),))
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        return None
    return frozenset(tag.lower() for tag in value)


def loose_is(operand: Any) -> Test:
    """`is` of a custom field: yes/no, a number or a text, by what the operand is."""
    if isinstance(operand, bool):
        return yes_no(operand)
    if isinstance(operand, int | float):
        return typed(loose_number, lambda seen: seen == operand)
    need(isinstance(operand, str) and operand != "", "give a text, a number, yes or no; for no value ask is_absent")
    wanted = fold(operand)
    return typed(loose_text, lambda seen: seen == wanted)


def loose_is_not(operand: Any) -> Test:
    """The reverse of `is`; no value is not it, either."""
    test = loose_is(operand)

    def reverse(value: Any, context: Context) -> Verdict:
        truth, reason = test(value, context)
        if value is None:
            return YES
        return (None, reason) if truth is None else (not truth, "")

    return reverse
