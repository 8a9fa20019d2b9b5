"""Set a ticket's priority."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from app.actions.base import Action, Params, Subject
from app.outbox.effects import Effect

ORDER = ("low", "normal", "high", "urgent")


class PriorityParams(Params):
    """priority: low, normal, high or urgent. only_raise: a higher one that is set already stays."""

    priority: Literal["low", "normal", "high", "urgent"]
    only_raise: bool = True


def plan(subject: Subject, params: PriorityParams) -> Sequence[Effect]:
    """One effect; none where it would lower what somebody set, or where what is set is not known."""
    if params.only_raise:
        now = subject.facts.get("ticket.priority", "urgent")
        if now in ORDER and ORDER.index(now) >= ORDER.index(params.priority):
            return ()
    return (subject.effect("tickets.set", {"field": "priority", "value": params.priority}),)


ACTION = Action("set_priority", "Set priority", PriorityParams, plan)
