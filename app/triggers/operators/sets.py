"""Tag sets: any of, all of, none of."""

# ruff: noqa: ANN401 - facts and operands are any JSON value until an operator has looked at them
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.triggers.operators.base import YES, Build, Test, many, need, typed


def as_tags(value: Any) -> frozenset[str] | None:
    """A tag set fact; None when it is not a list of texts."""
    if not isinstance(value, list):
        return None
    try:
        tags = frozenset(value)
    except TypeError:  # lists and mappings inside
        return None
    return tags if all(isinstance(tag, str) for tag in tags) else None


def _tag(operand: Any) -> str:
    need(
        isinstance(operand, str) and 0 < len(operand) <= 255, "give tags as texts; write numbers and yes / no in quotes"
    )
    return str(operand).lower()


def includes(read: Callable[[Any], frozenset[str] | None]) -> dict[str, Build]:
    """`includes_any`, `includes_all`, `includes_none` over values that `read` reads."""

    def any_of(operand: Any) -> Test:
        wanted = frozenset(many(operand, _tag))
        return typed(read, lambda tags: not wanted.isdisjoint(tags))

    def all_of(operand: Any) -> Test:
        wanted = frozenset(many(operand, _tag))
        return typed(read, lambda tags: wanted <= tags)

    def none_of(operand: Any) -> Test:
        wanted = frozenset(many(operand, _tag))
        return typed(read, lambda tags: wanted.isdisjoint(tags), empty=YES)

    return {"includes_any": any_of, "includes_all": all_of, "includes_none": none_of}
