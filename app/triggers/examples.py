"""A rule's own examples: facts, and whether it must fire on them. Judged by the engine that runs live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from app.triggers import catalogue
from app.triggers.catalogue import Type
from app.triggers.engine import Derive, EventFacts, RuleExplanation, compile_rules, explain
from app.triggers.operators import dates, money, numbers, sets
from app.triggers.problems import Problem
from app.triggers.rules import Example, Rule, RuleSet
from integrations.kernel.clock import parse_iso
from integrations.kernel.events import Change

READ: dict[Type, Callable[[Any], Any]] = {
    Type.TEXT: lambda value: value if isinstance(value, str) else None,
    Type.CHOICE: lambda value: value if isinstance(value, str) else None,
    Type.TAGS: sets.as_tags,
    Type.NUMBER: numbers.as_number,
    Type.MONEY: money.as_amounts,
    Type.DATE: dates.as_day,
    Type.DURATION: numbers.as_number,
    Type.YES_NO: lambda value: value if isinstance(value, bool) else None,
    Type.ANY: lambda value: value,
}


def check(rule_set: RuleSet, prefix: str, derive: Derive) -> list[Problem]:
    """Examples that do not hold, or that give facts that do not exist."""
    return [problem for rule in rule_set.rules for problem in _of_rule(rule, rule_set, prefix, derive)]


def _of_rule(rule: Rule, rule_set: RuleSet, prefix: str, derive: Derive) -> Iterator[Problem]:
    if not rule.examples:
        return
    active = rule.model_copy(update={"active": True})
    alone = compile_rules(0, rule_set.model_copy(update={"rules": (active,)}), prefix)
    for number, example in enumerate(rule.examples, 1):
        where = f"examples.{number}"
        bad = list(_bad_facts(example))
        yield from (Problem(rule.id, where, text) for text in bad)
        try:
            at = parse_iso(example.at)
        except ValueError:
            yield Problem(rule.id, f"{where}.at", "give a moment such as 2026-11-24T09:00:00Z")
            continue
        changes = {name: Change(*sides) for name, sides in example.changes.items()}
        event = EventFacts(example.kind, at, example.facts, changes, "example", "1", "example")
        # What the example says itself stands, also where it would be derived from what it leaves out.
        (seen,) = explain(alone, event, lambda facts, at: {**derive(facts, at), **facts})
        if not bad and seen.fired is not example.fires:
            yield Problem(rule.id, where, f"must {'' if example.fires else 'not '}fire, but {_why(seen)}")


def _why(seen: RuleExplanation) -> str:
    if seen.fired:
        return "it fires; mend the example or the rule"
    failing = [c for c in seen.clauses if c.result is not True]
    saw = "; ".join(f"{c.fact} {c.operator} {c.expected!r} saw {c.value!r} {c.reason}".rstrip() for c in failing[:3])
    return f"it does not: {seen.reason}. {saw}".rstrip(". ") + "; mend the example or the rule"


def _bad_facts(example: Example) -> Iterator[str]:
    for name, value in example.facts.items():
        fact = catalogue.fact(name)
        if fact is None:
            yield f"{name} is no fact; docs/rules.md lists them"
        elif value is not None and READ[fact.type](value) is None:
            yield f"{name} is a {fact.type}; {value!r} is none"
