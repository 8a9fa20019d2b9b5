"""A rule set made ready to judge: conditions as closures, patterns compiled once, rules by the event kinds they hear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.actions import Action, Params, actions
from app.triggers.catalogue import Fact, fact
from app.triggers.operators import BadOperand, Context, Test, Verdict, build
from app.triggers.operators.base import NOT_KNOWN
from app.triggers.rates import Rates
from app.triggers.rules import Condition, Rule, RuleSet

_CHANGES = ("changed", "changed_from", "changed_to")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Clause:
    """A compiled condition. needs_value: a fact that is absent is not known; what changed is known without it."""

    condition: Condition
    test: Test
    needs_value: bool

    def judge(self, facts: Mapping[str, Any], context: Context) -> Verdict:
        """True, false or not known, and the reason where it is not plain. The one place where a clause is judged."""
        value = facts.get(self.condition.fact, _MISSING)
        if value is _MISSING:
            if self.needs_value:
                return NOT_KNOWN
            value = None
        return self.test(value, context)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule ready to judge."""

    rule: Rule
    all: tuple[Clause, ...]
    any: tuple[Clause, ...]
    steps: tuple[tuple[Action, Params], ...]

    def hears(self, kind: str) -> bool:
        """Is the rule about events of this kind?"""
        return any(hears(pattern, kind) for pattern in self.rule.when)


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """An immutable version, compiled once a process. rules: all, in order. candidates: active ones, by event kind."""

    version: int
    rules: tuple[Compiled, ...]
    tag_prefix: str = "db_"
    candidates: dict[str, tuple[Compiled, ...]] = field(default_factory=dict)

    def for_kind(self, kind: str) -> tuple[Compiled, ...]:
        """The active rules that hear a kind, in order."""
        found = self.candidates.get(kind)
        if found is None:
            found = tuple(one for one in self.rules if one.rule.active and one.hears(kind))
            if len(self.candidates) < 1000:  # kinds are a closed set; a bound all the same
                self.candidates[kind] = found
        return found


def hears(pattern: str, kind: str) -> bool:
    """`*` is every kind, `ticket.*` every kind that begins with `ticket.`."""
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern


def compile_rules(version: int, rule_set: RuleSet, tag_prefix: str = "db_") -> CompiledRules:
    """A checked rule set, ready to judge.

    Raises:
        BadOperand: a clause that `app.triggers.checks` would have refused.
    """
    rates = Rates(rule_set.rates)
    ordered = sorted(rule_set.rules, key=lambda rule: (rule.order, rule.id))
    return CompiledRules(version, tuple(_compile(rule, rates) for rule in ordered), tag_prefix)


def _compile(rule: Rule, rates: Rates) -> Compiled:
    steps = tuple((actions()[s.action], actions()[s.action].params.model_validate(s.params)) for s in rule.actions)
    return Compiled(
        rule, tuple(clause(c, rates) for c in rule.all), tuple(clause(c, rates) for c in rule.any), steps
    )  # fmt: skip


def clause(condition: Condition, rates: Rates) -> Clause:
    """One condition, compiled. Raises BadOperand with what to write instead."""
    known: Fact | None = fact(condition.fact)
    if known is None:
        raise BadOperand("there is no such fact; docs/rules.md lists them")
    test = build(known, condition.operator, condition.operand, rates.convert)
    return Clause(condition, test, condition.operator not in _CHANGES)
