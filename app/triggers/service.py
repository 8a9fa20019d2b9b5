"""Use cases of rules: import and publish, go back, export. The caller owns the transaction."""

from __future__ import annotations

import sqlalchemy as sa
import yaml

from app.triggers import checks, examples, short, store
from app.triggers.engine import Derive, nothing_derived
from app.triggers.problems import Problem, RulesInvalid
from app.triggers.rules import RuleSet
from app.triggers.strict_yaml import Unreadable, load


def parse(text: str, *, tag_prefix: str = "db_", derive: Derive = nothing_derived) -> RuleSet:
    """Rules from YAML, checked, their examples judged.

    Raises:
        RulesInvalid: with every problem of every rule.
    """
    try:
        document = load(text)
    except Unreadable as error:
        raise RulesInvalid([Problem("", "", str(error))]) from error
    rule_set, found = short.read(document)
    found += checks.check(rule_set, tag_prefix)
    broken = {problem.rule for problem in found}
    sound = rule_set.model_copy(update={"rules": tuple(r for r in rule_set.rules if r.id not in broken)})
    found += examples.check(sound, tag_prefix, derive)
    if found:
        raise RulesInvalid(found)
    return rule_set


def import_yaml(
    cx: sa.Connection, text: str, by: str, *, tag_prefix: str = "db_", derive: Derive = nothing_derived
) -> int:
    """Check, store as a new immutable version, make it live; answers its number.

    The same rules as those that are live make no new version.

    Raises:
        RulesInvalid: nothing was stored; with every problem of every rule.
    """
    rules = parse(text, tag_prefix=tag_prefix, derive=derive)
    store.lock(cx)
    live = store.active_version(cx)
    if live and store.load(cx, live) == (rules, tag_prefix) and store.source(cx, live) == text:
        return live
    version = store.add(cx, rules, text, by, tag_prefix)
    store.activate(cx, version, by)
    return version


def roll_back(cx: sa.Connection, version: int, by: str) -> None:
    """Make an older version live again, as it was. Raises NotFound."""
    store.lock(cx)
    store.load(cx, version)
    store.activate(cx, version, by)


def export_yaml(cx: sa.Connection, version: int = 0) -> str:
    """A version's rules as text that imports again to the same; the live one by default."""
    number = version or store.active_version(cx)
    return to_yaml(store.load(cx, number)[0] if number else RuleSet())


def to_yaml(rule_set: RuleSet) -> str:
    """The rules as text that `parse` reads back."""
    return yaml.dump(
        short.write(rule_set), Dumper=_NoAliases, sort_keys=False, allow_unicode=True, width=110
    )  # fmt: skip


class _NoAliases(yaml.SafeDumper):
    """A value that occurs twice is written twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True
