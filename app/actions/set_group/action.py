"""Set a ticket's group by its id at the helpdesk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from app.actions.base import Action, Params, Subject
from app.outbox.effects import Effect


class GroupParams(Params):
    """group_id: the id at the helpdesk, as text. only_empty: one that is set already stays."""

    group_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    only_empty: bool = True


def plan(subject: Subject, params: GroupParams) -> Sequence[Effect]:
    """One effect; none where somebody has set one, or where what is set is not known."""
    if params.only_empty and subject.facts.get("ticket.group_id", "not known"):
        return ()
    return (subject.effect("tickets.set", {"field": "group_id", "value": params.group_id}),)


ACTION = Action("set_group", "Set group", GroupParams, plan)
