"""Set a custom field of a ticket to a fixed value or to a text with facts in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from app.actions.base import Action, Known, Params, Subject
from app.actions.placeholders import fill, lone_name, names, problems
from app.outbox.effects import Effect


class FieldParams(Params):
    """field_id: the field's id at the helpdesk. value: text (with `{{facts}}`), number, yes/no, or null to empty it."""

    field_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    value: str | int | float | bool | None


def check(params: FieldParams, prefix: str, known: Known) -> Sequence[str]:
    """Known facts only."""
    return problems(params.value, known) if isinstance(params.value, str) else ()


def plan(subject: Subject, params: FieldParams) -> Sequence[Effect]:
    """One effect; none where a fact in it is not known, so that a gap never empties a field."""
    value = params.value
    if isinstance(value, str):
        if not all(name in subject.facts for name in names(value)):
            return ()
        value = _value(value, subject)
    return (subject.effect("tickets.set", {"field": f"custom_fields.{params.field_id}", "value": value}),)


def _value(text: str, subject: Subject) -> Any:  # noqa: ANN401 - a field's value
    """A lone `{{fact}}` that is a number, yes/no or no value stays what it is; all else is text."""
    fact = subject.facts.get(lone_name(text), text)
    number = isinstance(fact, int | float) and abs(fact) < 2**63  # not so of what is no number or endless
    return fact if fact is None or number else fill(text, subject.facts)


ACTION = Action("set_custom_field", "Set custom field", FieldParams, plan, check)
