"""A rule set as data. What is written in YAML is the short form of the same (app.triggers.short)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, StrictInt, StrictStr

Text = Annotated[StrictStr, Field(min_length=1, max_length=200)]
MAX_RULES = 500


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Condition(_Data):
    """One clause: a fact, an operator that fits its type, an operand."""

    fact: Text
    operator: Text
    operand: JsonValue


class Step(_Data):
    """One action with its parameters."""

    action: Text
    params: dict[str, JsonValue]


class Example(_Data):
    """Facts, and whether the rule must fire on them: no rule is imported whose examples do not hold.

    at: the event's time, ISO 8601. changes: name as events tell it (`priority`) -> [before, after].
    """

    facts: dict[str, JsonValue] = {}
    fires: StrictBool
    kind: StrictStr = "ticket.created"
    at: StrictStr = "2026-01-01T00:00:00Z"
    changes: dict[str, tuple[JsonValue, JsonValue]] = {}


class Rule(_Data):
    """Fires when every clause of `all` holds, and one of `any`, where there are any.

    when: event kinds; `ticket.*` is every kind of a family, `*` every kind. order: lower is looked at first.
    stop: when it fires, later rules are not looked at. also_solved: it may fire on solved tickets.
    """

    id: Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
    title: Text
    order: Annotated[StrictInt, Field(ge=0, le=1_000_000)]
    when: Annotated[tuple[StrictStr, ...], Field(min_length=1, max_length=50)]
    all: Annotated[tuple[Condition, ...], Field(max_length=50)] = ()
    any: Annotated[tuple[Condition, ...], Field(max_length=50)] = ()
    actions: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]
    stop: StrictBool = False
    active: StrictBool = True
    also_solved: StrictBool = False
    examples: Annotated[tuple[Example, ...], Field(max_length=50)] = ()


class Rate(_Data):
    """What one unit of `from` is worth in `to`, from the day `since` until a later rate of the pair."""

    currency: Annotated[StrictStr, Field(pattern=r"^[A-Z]{3}$", alias="from")]
    to: Annotated[StrictStr, Field(pattern=r"^[A-Z]{3}$")]
    rate: Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=12)]
    since: date


class RuleSet(_Data):
    """One immutable version: rules in their order, and the dated rates by which their money clauses compare."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=MAX_RULES)] = ()
    rates: Annotated[tuple[Rate, ...], Field(max_length=1000)] = ()

    def to_json(self) -> dict[str, Any]:
        """For the database; `RuleSet.model_validate` reads it back."""
        return self.model_dump(mode="json", by_alias=True)
