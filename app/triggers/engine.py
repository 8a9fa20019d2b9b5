"""Judges an event by a compiled rule set. One evaluation, used live, by examples, by explain and by replay alike.

Three truth values: a fact that did not exist then is "not known" (None), and `all` / `any` combine as Kleene has it. A
rule fires on true only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.actions import Subject
from app.outbox.effects import Effect
from app.triggers.compiled import Clause, Compiled, CompiledRules, compile_rules
from app.triggers.operators import Context, Truth
from integrations.kernel.clock import parse_iso
from integrations.kernel.events import Change

__all__ = ["ENGINE_VERSION", "CompiledRules", "EventFacts", "Outcome", "compile_rules", "evaluate", "explain"]

ENGINE_VERSION = 1  # rises when the same facts and rules would be judged differently
NEVER = frozenset({"closed", "deleted"})
HINTS = frozenset({"ticket.hinted"})  # events that say "look at it" without saying what changed

Facts = Mapping[str, Any]
Derive = Callable[[Facts, datetime], Facts]


def nothing_derived(facts: Facts, at: datetime) -> Facts:
    """No relative facts."""
    return {}


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What is judged. at: the vendor's time, aware UTC. facts: base values. changes: by name, as events tell them."""

    kind: str
    at: datetime
    facts: Facts
    changes: Mapping[str, Change] = field(default_factory=dict)
    connection_id: str = ""
    ticket_id: str = ""
    event_key: str = ""


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule that fired, and what it wants; a rule may fire and want nothing."""

    id: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """fired: rules in order. effects: what they want, in order, unmerged."""

    fired: tuple[FiredRule, ...]

    @property
    def effects(self) -> list[Effect]:
        return [effect for rule in self.fired for effect in rule.effects]

    def trace(self) -> dict[str, Any]:
        """What is kept of it; every clause can be recomputed from the fact set and the rules' version."""
        effects = [effect.to_json() for effect in self.effects]
        return {"engine": ENGINE_VERSION, "fired": [rule.id for rule in self.fired], "effects": effects}


@dataclass(frozen=True, slots=True)
class ClauseExplanation:
    """One clause and what it saw. side: all or any. known: whether the fact existed then."""

    side: str
    fact: str
    operator: str
    expected: Any
    known: bool
    value: Any
    result: Truth
    reason: str


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """One rule. result: of its clauses, also where it was not asked. reason: why it did not fire; empty when it did."""

    id: str
    title: str
    fired: bool
    result: Truth
    reason: str
    clauses: tuple[ClauseExplanation, ...]
    effects: tuple[Effect, ...]


def evaluate(rules: CompiledRules, event: EventFacts, derive: Derive = nothing_derived) -> Outcome:
    """Which rules fire on an event, and what they want. Pure; never raises, whatever the facts."""
    return Outcome(tuple(_run(rules, rules.for_kind(event.kind), event, derive, None)))


def explain(rules: CompiledRules, event: EventFacts, derive: Derive = nothing_derived) -> list[RuleExplanation]:
    """Every rule of the set, inactive ones too, clause by clause with the value it saw; by the same evaluation."""
    trace: list[RuleExplanation] = []
    for _ in _run(rules, rules.rules, event, derive, trace):
        pass
    return trace


def seen_facts(event: EventFacts, derive: Derive) -> dict[str, Any]:
    """Base facts with those that depend on the event's time."""
    facts = {**event.facts, **derive(event.facts, event.at), "event.kind": event.kind}
    if "ticket.age" not in facts and "ticket.created_at" in facts:
        facts["ticket.age"] = _age_s(facts["ticket.created_at"], event.at)
    return facts


def _age_s(created: Any, at: datetime) -> float | None:  # noqa: ANN401 - any fact
    try:
        return (at - parse_iso(created)).total_seconds() if isinstance(created, str) else None
    except (ValueError, OverflowError):
        return None


def _run(
    rules: CompiledRules, candidates: Sequence[Compiled], event: EventFacts, derive: Derive,
    trace: list[RuleExplanation] | None,
) -> Iterable[FiredRule]:  # fmt: skip
    """The one evaluation. With a trace every clause of every candidate is judged and written down."""
    if not candidates:
        return
    facts = seen_facts(event, derive)
    told = event.kind not in HINTS and not event.facts.get("event.caught_up")
    context = Context(event.at.astimezone(UTC), event.changes if told else None)
    stopped_by = ""
    for compiled in candidates:
        reason = f"rule {stopped_by} fired before it and said stop" if stopped_by else _not_asked(compiled, event)
        if reason and trace is None:
            continue
        clauses: list[ClauseExplanation] | None = None if trace is None else []
        result = _holds(compiled, facts, context, clauses)
        fired = not reason and result is True
        effects = tuple(_plan(compiled, rules, event, facts)) if fired else ()
        if trace is not None and clauses is not None:
            trace.append(_explanation(compiled, fired, result, reason, clauses, effects))
        if fired:
            yield FiredRule(compiled.rule.id, effects)
            if compiled.rule.stop:
                if trace is None:
                    return
                stopped_by = compiled.rule.id


def _not_asked(compiled: Compiled, event: EventFacts) -> str:
    """Why a rule is not asked at all; empty when it is."""
    rule, status = compiled.rule, event.facts.get("ticket.status")
    if not rule.active:
        return "it is switched off"
    if not compiled.hears(event.kind):
        return f"it is about {', '.join(rule.when)}"
    if isinstance(status, str) and status in NEVER:
        return f"the ticket is {status}: such tickets are left alone"
    if status == "solved" and not rule.also_solved:
        return "the ticket is solved and the rule does not say also_solved"
    return ""


def _holds(compiled: Compiled, facts: Facts, context: Context, seen: list[ClauseExplanation] | None) -> Truth:
    every = _group("all", compiled.all, facts, context, seen)
    if not compiled.any or (every is False and seen is None):
        return every
    one = _group("any", compiled.any, facts, context, seen)
    if every is False or one is False:
        return False
    return True if every is True and one is True else None


def _group(
    side: str, clauses: Sequence[Clause], facts: Facts, context: Context, seen: list[ClauseExplanation] | None
) -> Truth:
    """Kleene: one false decides `all`, one true decides `any`; else one that is not known leaves it not known."""
    decisive = side == "any"
    result: Truth = not decisive
    for clause in clauses:
        truth, reason = clause.judge(facts, context)
        if seen is not None:
            seen.append(_seen(side, clause, facts, truth, reason))
        if truth is decisive:
            result = decisive
            if seen is None:
                break
        elif truth is None and result is not decisive:
            result = None
    return result


def _plan(compiled: Compiled, rules: CompiledRules, event: EventFacts, facts: Facts) -> Iterable[Effect]:
    for step, (action, params) in enumerate(compiled.steps, 1):
        yield from action.plan(
            Subject(
                event.connection_id, event.ticket_id, compiled.rule.id, facts, event.kind, event.event_key, step,
                rules.tag_prefix,
            ),
            params,
        )  # fmt: skip


def _seen(side: str, clause: Clause, facts: Facts, truth: Truth, reason: str) -> ClauseExplanation:
    c = clause.condition
    return ClauseExplanation(
        side, c.fact, c.operator, c.operand, c.fact in facts, facts.get(c.fact), truth, reason
    )  # fmt: skip


def _explanation(
    compiled: Compiled, fired: bool, result: Truth, reason: str, clauses: Sequence[ClauseExplanation],
    effects: tuple[Effect, ...],
) -> RuleExplanation:  # fmt: skip
    if not fired and not reason:
        reason = "a fact it needs was not known" if result is None else "a clause does not hold"
    return RuleExplanation(compiled.rule.id, compiled.rule.title, fired, result, reason, tuple(clauses), effects)
