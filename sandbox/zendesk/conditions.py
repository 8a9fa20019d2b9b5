"""Conditions of triggers: which there are, whether one is well made, and whether it holds for a save of a ticket. Pure.

Source: vendor sheet 1.4, the table of fields and operators (2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.zendesk.shapes import FIELDS, Row
from sandbox.zendesk.store import Save

IS = ("is", "is_not")
ORDER = ("less_than", "greater_than")
CHANGE = ("changed", "not_changed", "value", "value_previous", "not_value", "not_value_previous")
VALUELESS = frozenset({"changed", "not_changed"})
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("", "low", "normal", "high", "urgent")
VIA = {"web": 0, "email": 4, "api": 5, "rule": 8}
OPERATORS: dict[str, tuple[str, ...]] = {
    "status": (*IS, *ORDER, *CHANGE), "priority": (*IS, *ORDER, *CHANGE), "type": (*IS, *CHANGE),
    **dict.fromkeys(("group_id", "assignee_id", "requester_id", "organization_id"), (*IS, *CHANGE)),
    "current_tags": ("includes", "not_includes"),
    **{f"custom_fields_{field}": IS for field in FIELDS},
    "via_id": IS, "current_via_id": IS, "update_type": ("",), "comment_is_public": ("",),
    "subject_includes_word": ("includes", "not_includes", *IS),
    "comment_includes_word": ("includes", "not_includes", *IS),
}  # fmt: skip
VALUES: dict[str, tuple[str, ...]] = {
    "status": STATUSES, "priority": PRIORITIES, "type": ("question", "incident", "problem", "task"),
    "update_type": ("Create", "Change"),
    "comment_is_public": ("true", "false", "not_relevant", "requester_can_see_comment"),
}  # fmt: skip


def problem(condition: Any) -> str:  # noqa: ANN401 - JSON
    """Why this is no condition of this account; "" when it is one."""
    if not isinstance(condition, dict) or not set(condition) <= {"field", "operator", "value"}:
        return "a condition has field, operator and value"
    name, operator = condition.get("field"), condition.get("operator") or ""
    if name not in OPERATORS:
        return f"{name} is not a field of a condition"
    allowed = OPERATORS[name]
    if operator not in allowed and not (allowed == ("",) and operator in ("", "is")):
        return f"{name} has no operator {operator}"
    value = condition.get("value")
    if operator in VALUELESS:
        return ""
    if value is None:
        return f"{name} needs a value"
    return "" if name not in VALUES or str(value) in VALUES[name] else f"{name} has no value {value}"


def hold(conditions: Mapping[str, Any], save: Save) -> bool:
    """All of `all`, and one of `any` if there are any."""
    every, some = conditions.get("all") or (), conditions.get("any") or ()
    return all(holds(c, save) for c in every) and (not some or any(holds(c, save) for c in some))


def holds(condition: Mapping[str, Any], save: Save) -> bool:
    """One condition after a save."""
    name, operator, value = condition["field"], condition.get("operator") or "is", str(condition.get("value") or "")
    if name in _OWN:
        return _OWN[name](save, operator, value)
    if name.startswith("custom_fields_"):
        field = int(name.removeprefix("custom_fields_"))
        found = next((f["value"] for f in save.ticket["custom_fields"] if f["id"] == field), None)
        return (_text(found) == value) == (operator == "is")
    now = _text(save.ticket[name])
    then = None if save.before is None else _text(save.before[name])
    value = str(save.actor_id) if value == "current_user" else value
    return _ordered(name, operator, now, value) if operator in ORDER else _COMPARE[operator](now, then, value)


# now and then are texts; then is None for a new ticket, where everything counts as changed to what it is.
_COMPARE: dict[str, Callable[[str, str | None, str], bool]] = {
    "is": lambda now, then, value: now == value,
    "is_not": lambda now, then, value: now != value,
    "changed": lambda now, then, value: now != then,
    "not_changed": lambda now, then, value: now == then,
    "value": lambda now, then, value: now != then and now == value,
    "not_value": lambda now, then, value: not (now != then and now == value),
    "value_previous": lambda now, then, value: now != then and then == value,
    "not_value_previous": lambda now, then, value: not (now != then and then == value),
}


def _ordered(name: str, operator: str, now: str, value: str) -> bool:
    order = VALUES[name]
    here, there = (order.index(one) if one in order else -1 for one in (now, value))
    return here < there if operator == "less_than" else here > there


def _text(value: Any) -> str:  # noqa: ANN401 - a ticket's value
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _tags(save: Save, operator: str, value: str) -> bool:
    found = set(value.split()) & set(save.ticket["tags"])
    return bool(found) == (operator == "includes")


def _words(text: str, operator: str, value: str) -> bool:
    """includes: one of the words; is: the whole string."""
    text = text.lower()
    if operator in IS:
        return (value.lower() in text) == (operator == "is")
    return any(word in text.split() for word in value.lower().split()) == (operator == "includes")


def _public(save: Save, operator: str, value: str) -> bool:
    if save.comment is None:
        return False
    return value == "not_relevant" or bool(save.comment["public"]) == (value != "false")


def _channel(row: Row | None, via: str) -> str:
    return str(VIA.get(row["via"]["channel"] if row else via, -1))


_OWN: dict[str, Callable[[Save, str, str], bool]] = {
    "current_tags": _tags,
    "update_type": lambda save, operator, value: (save.before is None) == (value == "Create"),
    "comment_is_public": _public,
    "via_id": lambda save, operator, value: (_channel(save.ticket, "") == value) == (operator == "is"),
    "current_via_id": lambda save, operator, value: (_channel(None, save.via) == value) == (operator == "is"),
    "subject_includes_word": lambda save, operator, value: _words(save.ticket["subject"] or "", operator, value),
    "comment_includes_word": lambda save, operator, value: _words(
        save.comment["plain_body"] if save.comment else "", operator, value
    ),
}
