"""All SQL of rule sets, and the compiled versions this process holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.triggers.compiled import CompiledRules, compile_rules
from app.triggers.models import rule_set, rule_set_active
from app.triggers.rules import RuleSet
from integrations.kernel.errors import NotFound

MOST_HELD = 32  # compiled versions of one database; explain reads old ones
# By dialect: it is one a database, where a database may be reached by several engines of one pool.
_held: WeakKeyDictionary[sa.Dialect, dict[int, CompiledRules]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable version, without its rules."""

    version: int
    created_at: datetime
    created_by: str
    active: bool


def active_version(cx: sa.Connection) -> int:
    """The live version; 0 when no rules were ever imported."""
    return int(cx.execute(sa.select(rule_set_active.c.version)).scalar() or 0)


def active(cx: sa.Connection) -> CompiledRules:
    """The live rules, compiled; no rules when none were ever imported."""
    return compiled(cx, active_version(cx))


def compiled(cx: sa.Connection, version: int) -> CompiledRules:
    """A version's rules, compiled once a process: versions never change.

    Raises:
        NotFound: there is no such version.
    """
    if version == 0:
        return compile_rules(0, RuleSet())
    held = _held.setdefault(cx.dialect, {})
    if version not in held:
        rules, prefix = load(cx, version)
        while len(held) >= MOST_HELD:
            held.pop(next(iter(held)))
        held[version] = compile_rules(version, rules, prefix)
    return held[version]


def load(cx: sa.Connection, version: int) -> tuple[RuleSet, str]:
    """The rules of a version, and the prefix of its tags. Raises NotFound."""
    row = cx.execute(sa.select(rule_set.c.rules, rule_set.c.tag_prefix).where(rule_set.c.version == version)).first()
    if row is None:
        raise NotFound(f"there is no version {version} of the rules")
    return RuleSet.model_validate(row.rules), str(row.tag_prefix)


def source(cx: sa.Connection, version: int) -> str:
    """The text a version was imported from; empty when there is no such version."""
    return str(cx.execute(sa.select(rule_set.c.source).where(rule_set.c.version == version)).scalar() or "")


def versions(cx: sa.Connection, limit: int = 100) -> list[Version]:
    """Newest first."""
    live = active_version(cx)
    query = sa.select(rule_set.c.version, rule_set.c.created_at, rule_set.c.created_by)
    rows = cx.execute(query.order_by(rule_set.c.version.desc()).limit(limit))
    return [Version(row.version, row.created_at, row.created_by, row.version == live) for row in rows]


def lock(cx: sa.Connection) -> None:
    """One import at a time; the lock ends with the transaction."""
    cx.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('rule_set'))"))


def add(cx: sa.Connection, rules: RuleSet, source: str, by: str, tag_prefix: str) -> int:
    """Store a new version; answers its number. The caller holds the lock."""
    newest = cx.execute(sa.select(sa.func.coalesce(sa.func.max(rule_set.c.version), 0))).scalar_one()
    row = {"version": int(newest) + 1, "created_by": by, "rules": rules.to_json(), "source": source}
    cx.execute(insert(rule_set).values(**row, tag_prefix=tag_prefix))
    return int(newest) + 1


def activate(cx: sa.Connection, version: int, by: str) -> None:
    """Make a version the live one."""
    live = {"version": version, "activated_by": by, "activated_at": sa.func.now()}
    row = insert(rule_set_active).values(singleton=True, **live)
    cx.execute(row.on_conflict_do_update(index_elements=["singleton"], set_=live))
