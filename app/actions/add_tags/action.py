"""Add tags of our own names; all other tags are left alone."""

from __future__ import annotations

from collections.abc import Sequence

from app.actions.base import Action, Subject
from app.actions.tags import TagParams, check, rendered
from app.outbox.effects import Effect


def plan(subject: Subject, params: TagParams) -> Sequence[Effect]:
    """One effect with all tags; none when every tag's fact is missing."""
    tags = rendered(params.tags, subject)
    return (subject.effect("tickets.add_tags", {"tags": tags}),) if tags else ()


ACTION = Action("add_tags", "Add tags", TagParams, plan, check)
