"""What an action is: typed parameters, and a pure plan from (event, facts, parameters) to effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.outbox.effects import Effect

Known = Callable[[str], bool]  # is there a fact of this name?


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule fired on: the event, the ticket, the facts of that moment.

    facts: a name that is absent is not known, None is "no value". step: which action of the rule this is, from 1.
    tag_prefix: what every tag of ours begins with.
    """

    connection_id: str
    ticket_id: str
    rule: str
    facts: Mapping[str, Any]
    event_kind: str = ""
    event_key: str = ""
    step: int = 1
    tag_prefix: str = "db_"

    def effect(self, kind: str, payload: Mapping[str, Any], key: str = "") -> Effect:
        """An effect on this ticket. key: given where it must outlive the event, as that of a note."""
        key = key or f"{self.event_key}:{self.ticket_id}:{self.rule}:{self.step}"
        return Effect(kind, self.connection_id, self.ticket_id, payload, key, self.rule)


class Params(BaseModel):
    """Parameters of an action: typed, closed, frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _no_check(params: Any, prefix: str, known: Known) -> Sequence[str]:  # noqa: ANN401 - the shape of a check
    return ()


@dataclass(frozen=True, slots=True)
class Action:
    """key: its folder and its name in a rule. params: how its parameters are checked when a rule is saved.

    plan: pure; never raises for parameters that passed, whatever the facts.
    check: what types cannot say (own tags, known placeholders): (params, tag prefix, is it a fact?) -> sentences.
    taken: ids that no rule with this action may have: they stand for something else where rules are counted.
    """

    key: str
    title: str
    params: type[Params]
    plan: Callable[[Subject, Any], Sequence[Effect]]
    check: Callable[[Any, str, Known], Sequence[str]] = _no_check
    taken: frozenset[str] = frozenset()
