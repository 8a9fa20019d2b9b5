"""What a rule's types cannot say: does every fact, operator, action, tag and event kind of it exist and fit?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from pydantic import ValidationError

from app.actions import Action, Params, Subject, actions
from app.triggers import catalogue
from app.triggers.compiled import clause, hears
from app.triggers.operators import BadOperand
from app.triggers.problems import Problem, of_validation
from app.triggers.rates import Rates
from app.triggers.rules import Rule, RuleSet
from integrations import registry


@cache
def event_kinds() -> frozenset[str]:
    """Every kind of event any vendor folder reports."""
    return frozenset(kind for card in registry.vendors() for kind in card.kinds)


def check(rule_set: RuleSet, prefix: str) -> list[Problem]:
    """Everything that is wrong with rules that could be read; their examples are judged elsewhere."""
    found = list(_twice(rule_set.rules))
    rates = Rates(rule_set.rates)
    for rule in rule_set.rules:
        found += [Problem(rule.id, "when", text) for text in _when(rule.when)]
        found += _clauses(rule, rates)
        found += _steps(rule, prefix)
        found += _taken(rule)
    return found


def _twice(rules: Iterable[Rule]) -> Iterator[Problem]:
    ids = Counter(rule.id for rule in rules)
    yield from (Problem(i, "id", "is given twice; every rule needs its own") for i, n in ids.items() if n > 1)
    orders: dict[int, str] = {}
    for rule in rules:
        if rule.order in orders:
            yield Problem(rule.id, "order", f"{rule.order} is that of {orders[rule.order]}; every rule needs its own")
        orders.setdefault(rule.order, rule.id)


def _when(patterns: Iterable[str]) -> Iterator[str]:
    for pattern in patterns:
        if not any(hears(pattern, kind) for kind in event_kinds()):
            family = pattern.split(".")[0]
            near = sorted(kind for kind in event_kinds() if kind.split(".")[0] == family) or sorted(event_kinds())
            yield f"no vendor reports {pattern!r}; there are {', '.join(near)}"


def _clauses(rule: Rule, rates: Rates) -> Iterator[Problem]:
    for side, conditions in (("all", rule.all), ("any", rule.any)):
        for number, condition in enumerate(conditions, 1):
            try:
                clause(condition, rates)
            except BadOperand as error:
                yield Problem(rule.id, f"{side}.{number} ({condition.fact} {condition.operator})", str(error))
    if not rule.also_solved and any(
        c.fact == "ticket.status" and c.operator in ("is", "changed_to") and c.operand == "solved" for c in rule.all
    ):
        yield Problem(rule.id, "also_solved", "it asks for solved tickets and would never fire; add also_solved: true")
    if any(c.fact == "ticket.status" and c.operand in ("closed", "deleted") and c.operator == "is" for c in rule.all):
        yield Problem(rule.id, "all", "closed and deleted tickets are never judged; it would never fire")


def _steps(rule: Rule, prefix: str) -> Iterator[Problem]:
    notes: Counter[str] = Counter()
    for number, step in enumerate(rule.actions, 1):
        where = f"actions.{number} ({step.action})"
        action = actions().get(step.action)
        if action is None:
            yield Problem(rule.id, where, f"there is no such action; there are {', '.join(sorted(actions()))}")
            continue
        try:
            params = action.params.model_validate(step.params)
        except ValidationError as error:
            yield from of_validation(rule.id, where, error, action.params)
            continue
        yield from (Problem(rule.id, where, text) for text in action.check(params, prefix, catalogue.is_known))
        notes.update(_note_keys(rule, action, params, number))
    if notes and max(notes.values()) > 1:
        yield Problem(rule.id, "actions", "two notes go by one name and only the first would be written; use two rules")


def _taken(rule: Rule) -> Iterator[Problem]:
    for key in sorted({step.action for step in rule.actions}):
        if key in actions() and rule.id in actions()[key].taken:
            yield Problem(rule.id, "id", f"{rule.id} is the name of a signal, and {key} counts by name; use another id")


def _note_keys(rule: Rule, action: Action, params: Params, number: int) -> Iterator[str]:
    """The names its notes go by, from a plan over no facts at all."""
    subject = Subject("", "0", rule.id, {}, step=number)
    for effect in action.plan(subject, params):
        if effect.kind == "tickets.note":
            yield str(effect.payload["key"])
