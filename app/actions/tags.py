"""What adding and removing tags share: own names only, facts in them slugged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from app.actions.base import Known, Params, Subject
from app.actions.placeholders import fill, problems, rest, slug

_PLAIN = re.compile(r"[a-z0-9_]*")


class TagParams(Params):
    """tags: own tags, a fact allowed inside: `db_plan_{{billing.plan}}`."""

    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1, max_length=20)]


def check(params: TagParams, prefix: str, known: Known) -> Sequence[str]:
    """Own names only, known facts only."""
    return check_names(params.tags, prefix, known)


def check_names(tags: Sequence[str], prefix: str, known: Known) -> Sequence[str]:
    """As `check`, of any texts."""
    found: list[str] = []
    for tag in tags:
        if not tag.startswith(prefix) or tag == prefix:
            found.append(f"{tag!r} is not ours: write a tag that begins with {prefix!r}; all others are left alone")
        elif not _PLAIN.fullmatch(rest(tag)):
            found.append(f"{tag!r}: write lower-case letters, digits and _ only, and {{{{facts}}}}")
        found += problems(tag, known)
    return found


def rendered(tags: Sequence[str], subject: Subject) -> list[str]:
    """The tags with facts in place, sorted. One whose fact is missing is left out rather than cut short."""
    return sorted({tag for text in tags if (tag := _rendered(text, subject))})


def _rendered(text: str, subject: Subject) -> str:
    empty: list[bool] = []

    def form(value: str) -> str:
        empty.append(not slug(value))
        return slug(value)

    tag = fill(text, subject.facts, form)
    # The last look before a tag leaves: whatever the parameters were, it is ours or it is not written.
    ours = tag.startswith(subject.tag_prefix) and tag != subject.tag_prefix and _PLAIN.fullmatch(tag)
    return tag if ours and not any(empty) else ""
