"""Make a lead of a ticket: of the words it holds, by the admin's own lists, or of the rule itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from app.actions.base import Action, Known, Params, Subject
from app.leads.policy import KIND_OF
from app.outbox.effects import Effect

List = Literal["enterprise", "quote", "cancellation"]


class LeadParams(Params):
    """words: the lists of the policy on leads (`flask leads policy show`); without one of their words no lead is made.

    kind: of the lead. With words it is the list's own: risk for cancellation, else request. note: for sales, as it stands.
    """

    words: Annotated[list[List], Field(max_length=3)] = []
    kind: Literal["", "request", "expansion", "renewal", "trial", "risk", "payment"] = ""
    note: Annotated[str, Field(max_length=300)] = ""


def check(params: LeadParams, prefix: str, known: Known) -> Sequence[str]:
    """Either lists of words or a kind, and no facts in the note: it goes to another system."""
    found = []
    if bool(params.words) == bool(params.kind):
        found.append("give either words (lists of the policy on leads) or the kind of lead")
    if "{{" in params.note:
        found.append("a note for sales holds no facts: the lead brings its evidence itself")
    return found


def plan(subject: Subject, params: LeadParams) -> Sequence[Effect]:
    """One effect; whether the words are there is looked at when it is carried out, beside the ticket's text."""
    payload = {"words": sorted(set(params.words)), "lead": params.kind, "note": params.note}
    return (subject.effect("leads.signal", payload),)


ACTION = Action("create_lead", "Create or update a lead", LeadParams, plan, check, frozenset(KIND_OF))
