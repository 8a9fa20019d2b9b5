"""Set a ticket's assignee by its id at the helpdesk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from app.actions.base import Action, Params, Subject
from app.outbox.effects import Effect


class AssigneeParams(Params):
    """assignee_id: the id at the helpdesk, as text. only_empty: one that is set already stays."""

    assignee_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    only_empty: bool = True


def plan(subject: Subject, params: AssigneeParams) -> Sequence[Effect]:
    """One effect; none where somebody has set one, or where what is set is not known."""
    if params.only_empty and subject.facts.get("ticket.assignee_id", "not known"):
        return ()
    return (subject.effect("tickets.set", {"field": "assignee_id", "value": params.assignee_id}),)


ACTION = Action("set_assignee", "Set assignee", AssigneeParams, plan)
