"""Remove tags of our own names; all other tags are left alone."""

from __future__ import annotations

from collections.abc import Sequence

from app.actions.base import Action, Known, Subject
from app.actions.tags import TagParams, check_names, rendered
from app.outbox.effects import Effect


def check(params: TagParams, prefix: str, known: Known) -> Sequence[str]:
    """As for adding; a `*` may end a name."""
    return check_names([tag.removesuffix("*") for tag in params.tags], prefix, known)


def plan(subject: Subject, params: TagParams) -> Sequence[Effect]:
    """One effect with all tags; `db_plan_*` is every tag of the ticket that begins so. None when there is none."""
    tags = set(rendered([tag for tag in params.tags if not tag.endswith("*")], subject))
    starts = rendered([tag.removesuffix("*") for tag in params.tags if tag.endswith("*")], subject)
    present = subject.facts.get("ticket.tags")
    if starts and isinstance(present, list):
        tags |= {tag for tag in present if isinstance(tag, str) and tag.startswith(tuple(starts))}
    return (subject.effect("tickets.remove_tags", {"tags": sorted(tags)}),) if tags else ()


ACTION = Action("remove_tags", "Remove tags", TagParams, plan, check)
