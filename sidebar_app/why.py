"""Which tags of ours the ticket has, which triggers touched it, and why each did or did not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app import billing
from app.history import store as history
from app.triggers import store as rules
from app.triggers.engine import ClauseExplanation
from app.triggers.explain import explain_ticket
from app.ui.words import Moment, plain
from integrations.kernel.errors import NotFound
from sidebar_app.identity import Visit
from sidebar_app.words import sentence

JUDGEMENTS = 10
SHOWN = 6
TAKEN_OFF = ".remove_tags"
MARKS = {True: ("yes", "good"), False: ("no", "quiet"), None: ("not known", "warn")}


@dataclass(frozen=True, slots=True)
class Touched:
    """A trigger that wanted something of this ticket. did: in words."""

    title: str
    did: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause with the value it saw. mark, tone: whether it was true."""

    text: str
    saw: str
    mark: str
    tone: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One trigger in the newest judgement."""

    title: str
    fired: bool
    reason: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """The newest judgement. dropped: its facts were deleted since. differs: a recomputation that did not agree."""

    at: Moment
    event: str
    version: int
    rules: tuple[Judged, ...]
    dropped: bool
    differs: str


def tags(visit: Visit, prefix: str) -> list[str]:
    """Tags of ours on the ticket."""
    found = visit.ticket.values.get("tags") or [] if visit.ticket else []
    return sorted(plain(tag) for tag in found if str(tag).startswith(prefix))


def touched(cx: sa.Connection, visit: Visit) -> list[Touched]:
    """Triggers that put something on this ticket lately, newest first, each once with what it did last.

    What they took off is left out: most of the time it was not there. The why view has every trigger.
    """
    found: dict[str, Touched] = {}
    for kept in history.effects(cx, visit.session.connection_id, visit.subject.id, JUDGEMENTS):
        titles = {one.rule.id: one.rule.title for one in rules.compiled(cx, kept.rule_set_version).rules}
        did: dict[str, list[str]] = {}
        for effect in kept.effects:
            if not str(effect["kind"]).endswith(TAKEN_OFF):
                did.setdefault(str(effect["rule"]), []).append(" ".join(_did(effect)))
        for rule, parts in did.items():
            at = visit.reader.time(kept.occurred_at)
            found.setdefault(rule, Touched(plain(titles.get(rule, rule)), ", ".join(parts), at))
    return list(found.values())[:SHOWN]


def _did(effect: Mapping[str, Any]) -> Iterator[str]:
    """An effect in words."""
    payload = effect["payload"]
    yield sentence(str(effect["kind"]).rpartition(".")[2])
    if isinstance(payload.get("tags"), list):
        yield plain(", ".join(map(str, payload["tags"])))
    if payload.get("field"):
        yield plain(f"{payload['field']} {payload.get('value', '')}".strip())


def why(cx: sa.Connection, visit: Visit) -> Why:
    """Every clause of every trigger at the newest judgement of the ticket. Raises NotFound: it was never judged."""
    seen = explain_ticket(cx, visit.session.connection_id, visit.subject.id, derive=billing.relative_facts)
    if not seen:
        raise NotFound("This ticket was not judged yet.")
    one = seen[0]
    judged = tuple(
        Judged(plain(rule.title), rule.fired, plain(rule.reason), tuple(_clause(c) for c in rule.clauses))
        for rule in sorted(one.rules, key=lambda rule: not rule.fired)
    )
    at = visit.reader.time(one.kept.occurred_at)
    return Why(at, one.kept.event_kind, one.kept.rule_set_version, judged, one.kept.facts is None, one.differs)


def _clause(clause: ClauseExplanation) -> Clause:
    mark, tone = MARKS[clause.result]
    saw = _short(clause.value) if clause.known else "not known"
    saw = f"{saw} ({plain(clause.reason)})" if clause.reason else saw
    asked = "" if clause.expected is None else f" {_short(clause.expected)}"
    name = clause.fact.replace("billing.", "").replace("_", " ").replace(".", " ")
    return Clause(f"{sentence(name)} {clause.operator.replace('_', ' ')}{asked}", saw, mark, tone)


def _short(value: Any) -> str:  # noqa: ANN401 - any fact
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return plain(text if len(text) <= 80 else f"{text[:77]}...")
