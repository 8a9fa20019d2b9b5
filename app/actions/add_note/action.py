"""Write an internal note. The same note of a rule is written once on a ticket, whatever happens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from app.actions.base import Action, Known, Params, Subject
from app.actions.placeholders import LONGEST, fill, problems
from app.outbox.effects import Effect


class NoteParams(Params):
    """body: the text, with `{{facts}}`. once: one note of this rule a ticket, even when the facts in it change."""

    body: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    once: bool = True


def check(params: NoteParams, prefix: str, known: Known) -> Sequence[str]:
    """Known facts only."""
    return problems(params.body, known)


def plan(subject: Subject, params: NoteParams) -> Sequence[Effect]:
    """One effect, with the key by which the note is known for ever: of the rule, or of the rule and the text."""
    body = fill(params.body, subject.facts).strip()
    if not body:
        return ()
    what = "" if params.once else body
    key = hashlib.sha256("\n".join((subject.rule, subject.ticket_id, what)).encode()).hexdigest()[:16]
    return (subject.effect("tickets.note", {"key": key, "body": body}, key=f"{subject.ticket_id}:note:{key}"),)


ACTION = Action("add_note", "Add internal note", NoteParams, plan, check)
