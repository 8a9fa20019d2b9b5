"""Hold the leads of the company back while this ticket is not solved: nobody is called who is fighting us."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from app.actions.base import Action, Known, Params, Subject
from app.outbox.effects import Effect


class HoldParams(Params):
    """why: shown to sales, as it stands. only_words: only where the ticket holds a word of the list `complaint`.

    days: at most so long, also while the ticket is not solved.
    """

    why: Annotated[str, Field(min_length=1, max_length=200)]
    only_words: bool = False
    days: Annotated[int, Field(ge=1, le=365)] = 30


def check(params: HoldParams, prefix: str, known: Known) -> Sequence[str]:
    """No facts in the reason: it goes to another system."""
    return ["the reason holds no facts: it is shown to sales as it stands"] if "{{" in params.why else []


def plan(subject: Subject, params: HoldParams) -> Sequence[Effect]:
    """One effect."""
    payload = {"why": params.why.strip(), "words": ["complaint"] if params.only_words else [], "days": params.days}
    return (subject.effect("leads.hold", payload),)


ACTION = Action("hold_leads", "Hold leads back", HoldParams, plan, check)
