"""The short form rules are written in, both ways: `{fact: billing.seats, at_least: 5}`, `{add_tags: {...}}`.

Reading collects every problem of every rule; nothing is raised for the first.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.triggers.problems import Problem, of_validation
from app.triggers.rules import MAX_RULES, Condition, Example, Rate, Rule, RuleSet, Step

M = TypeVar("M", bound=BaseModel)
_CLAUSE = "a clause is a fact and one operator, such as {fact: billing.seats, at_least: 5}"
_STEP = "an action is one name with its parameters, such as {add_tags: {tags: [db_x]}}"


def read(document: Any) -> tuple[RuleSet, list[Problem]]:  # noqa: ANN401 - a document
    """The rules that could be read, and everything that is wrong with the others."""
    if not isinstance(document, dict) or not isinstance(document.get("rules"), list):
        return RuleSet(), [Problem("", "", "the text must hold `rules:` with a list of rules")]
    found = [
        Problem("", str(name), "there is no such name here; there are rules, rates")
        for name in document.keys() - {"rules", "rates"}
    ]
    raw = document["rules"]
    if len(raw) > MAX_RULES:
        return RuleSet(), [*found, Problem("", "rules", f"there are {len(raw)}; {MAX_RULES} are the most")]
    rules = []
    for number, one in enumerate(raw, 1):
        rule, problems = _rule(one, number)
        found += problems
        if rule is not None:
            rules.append(rule)
    rates, problems = _many("", "rates", document.get("rates"), Rate, lambda one: one)
    return RuleSet(rules=tuple(rules), rates=tuple(rates)), found + problems


def write(rule_set: RuleSet) -> dict[str, Any]:
    """The document that `read` reads back."""
    document: dict[str, Any] = {"rules": [_short(rule) for rule in rule_set.rules]}
    if rule_set.rates:
        document["rates"] = [rate.model_dump(mode="json", by_alias=True) for rate in rule_set.rates]
    return document


def _rule(raw: Any, number: int) -> tuple[Rule | None, list[Problem]]:  # noqa: ANN401 - a document
    if not isinstance(raw, dict):
        return None, [Problem(f"rule {number}", "", "a rule is a mapping with id, title, order, when and actions")]
    name = str(raw.get("id") or f"rule {number}")
    parts: dict[str, Any] = {}
    found: list[Problem] = []
    for side in ("all", "any"):
        parts[side], problems = _many(name, side, raw.get(side), Condition, _clause)
        found += problems
    parts["actions"], problems = _many(name, "actions", raw.get("actions"), Step, _step)
    found += problems
    parts["examples"], problems = _many(name, "examples", raw.get("examples"), Example, lambda one: one)
    found += problems
    # Parts that could not be read are reported above; a stand-in keeps them from being reported as missing.
    if found and not parts["actions"] and raw.get("actions"):
        parts["actions"] = [Step(action="?", params={})]
    try:
        rule = Rule.model_validate(
            {**raw, **{k: v for k, v in parts.items() if v or k != "actions" or "actions" in raw}}
        )
    except ValidationError as error:
        return None, of_validation(name, "", error, Rule) + found
    return (None if found else rule), found


def _many(rule: str, path: str, raw: Any, model: type[M], form: Any) -> tuple[list[M], list[Problem]]:  # noqa: ANN401
    """A list of parts, each read by itself."""
    if raw is None:
        return [], []
    if not isinstance(raw, list):
        return [], [Problem(rule, path, "give a list, one line each beginning with `-`")]
    made: list[M] = []
    found: list[Problem] = []
    for number, one in enumerate(raw, 1):
        where = f"{path}.{number}"
        try:
            made.append(model.model_validate(form(one)))
        except ValidationError as error:
            found += of_validation(rule, where, error, model)
        except ValueError as error:
            found.append(Problem(rule, where, str(error)))
    return made, found


def _clause(raw: Any) -> dict[str, Any]:  # noqa: ANN401 - a document
    others = [name for name in raw if name != "fact"] if isinstance(raw, dict) else []
    if len(others) != 1 or "fact" not in raw:
        raise ValueError(_CLAUSE)
    return {"fact": raw["fact"], "operator": others[0], "operand": raw[others[0]]}


def _step(raw: Any) -> dict[str, Any]:  # noqa: ANN401 - a document
    if not isinstance(raw, dict) or len(raw) != 1:
        raise ValueError(_STEP)
    ((key, params),) = raw.items()
    if not isinstance(params, dict | None):
        raise ValueError(_STEP)
    return {"action": key, "params": params or {}}


def _short(rule: Rule) -> dict[str, Any]:
    raw = rule.model_dump(mode="json", exclude_defaults=True)
    for side in ("all", "any"):
        if side in raw:
            raw[side] = [{"fact": c["fact"], c["operator"]: c["operand"]} for c in raw[side]]
    raw["actions"] = [{step["action"]: step["params"]} for step in raw["actions"]]
    return raw
