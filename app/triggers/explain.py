"""Why did it (not) happen? Every clause of every rule, recomputed from what was kept, by the evaluation that ran."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.history import store as history
from app.history.store import Kept
from app.triggers import store
from app.triggers.engine import (
    ENGINE_VERSION,
    ClauseExplanation,
    Derive,
    EventFacts,
    RuleExplanation,
    explain,
    nothing_derived,
)
from app.triggers.merge import merge

WORDS = {True: "yes", False: "no", None: "not known"}


@dataclass(frozen=True, slots=True)
class Explained:
    """One judgement, recomputed. rules: empty when its facts were dropped. because: each part wanted -> its rule.

    differs: why the recomputation does not arrive at what was recorded; empty when it does.
    """

    kept: Kept
    rules: tuple[RuleExplanation, ...]
    because: Mapping[str, str]
    differs: str


def explain_ticket(
    cx: sa.Connection, connection_id: str, ticket_id: str, *, derive: Derive = nothing_derived, limit: int = 1
) -> list[Explained]:
    """The newest judgements of a ticket, newest first; none when it was never judged."""
    kept = history.latest(cx, connection_id, ticket_id, limit)
    return [explain_judgement(cx, one, derive) for one in kept]


def explain_judgement(cx: sa.Connection, kept: Kept, derive: Derive = nothing_derived) -> Explained:
    """One kept judgement, by the immutable version of the rules that judged it."""
    if kept.facts is None:
        return Explained(kept, (), {}, "")
    event = EventFacts(
        kept.event_kind, kept.occurred_at, kept.facts, kept.changes, kept.connection_id, kept.ticket_id, kept.event_key
    )  # fmt: skip
    rules = tuple(explain(store.compiled(cx, kept.rule_set_version), event, derive))
    merged = merge(effect for rule in rules for effect in rule.effects)
    because = merged[kept.connection_id, kept.ticket_id].because if merged else {}
    return Explained(kept, rules, because, _differs(kept, [rule.id for rule in rules if rule.fired]))


def _differs(kept: Kept, fired: list[str]) -> str:
    if fired == list(kept.fired):
        return ""
    if kept.engine_version != ENGINE_VERSION:
        return f"the engine was version {kept.engine_version} then and is {ENGINE_VERSION} now"
    return "the same facts and rules should give the same result; report this"


def render_text(explained: Sequence[Explained], *, only_fired: bool = False) -> str:
    """For the terminal and the sandbox's page."""
    if not explained:
        return "This ticket was never judged: no event of it has reached the rules yet."
    return "\n\n".join("\n".join(_judgement(one, only_fired)) for one in explained)


def _judgement(one: Explained, only_fired: bool) -> Iterator[str]:
    kept = one.kept
    yield (
        f"{kept.occurred_at:%Y-%m-%d %H:%M:%S} UTC  {kept.event_kind}{' (tick)' if kept.tick else ''}, ticket "
        f"{kept.ticket_id}, rules version {kept.rule_set_version}, delivery {kept.delivery_id}"
    )  # fmt: skip
    if kept.facts is None:
        yield f"  The facts of this judgement were dropped. Fired then: {', '.join(kept.fired) or 'nothing'}."
        return
    if one.differs:
        yield f"  ! Recorded then: {', '.join(kept.fired) or 'nothing'}; {one.differs}."
    for rule in one.rules:
        if rule.fired or not only_fired:
            yield from _rule(rule)
    wanted = ", ".join(f"{part} by {rule}" for part, rule in sorted(one.because.items()))
    yield f"  wanted: {wanted or 'nothing'}"


def _rule(rule: RuleExplanation) -> Iterator[str]:
    yield f"  {'FIRED' if rule.fired else '  -  '} {rule.id}: {rule.title}"
    if rule.reason:
        yield f"          because {rule.reason}"
    yield from (f"          {_clause(clause)}" for clause in rule.clauses)


def _clause(clause: ClauseExplanation) -> str:
    value = _short(clause.value) if clause.known else "not known"
    reason = f" ({clause.reason})" if clause.reason else ""
    asked = f"{clause.fact} {clause.operator} {_short(clause.expected)}"
    return f"{WORDS[clause.result]:<9} {clause.side}: {asked}; it was {value}{reason}"


def _short(value: Any) -> str:  # noqa: ANN401 - any fact
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 120 else f"{text[:117]}..."
