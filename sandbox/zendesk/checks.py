"""Is this update of a ticket one that Zendesk takes? Raises 422 with the field that is wrong, 409, and nothing else.

Source: vendor sheet 1.6. The real service passes over names it does not know; here they are refused, so that a slip shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.zendesk.errors import conflict, invalid
from sandbox.zendesk.shapes import FIELDS, Row
from sandbox.zendesk.state import State

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")
TYPES = ("problem", "incident", "question", "task")
GUARD = frozenset({"safe_update", "updated_stamp"})
SINGLE = frozenset({
    "id", "status", "priority", "type", "subject", "group_id", "assignee_id", "external_id", "custom_fields", "comment",
    "tags", "requester_id", "organization_id",
}) | GUARD  # fmt: skip
MANY = SINGLE | {"additional_tags", "remove_tags"}
COMMENT = frozenset({"body", "html_body", "public", "author_id"})


def update(state: State, ticket: Row, wanted: Mapping[str, Any], known: frozenset[str] = SINGLE) -> None:
    """All of an update. Raises Refusal."""
    if ticket["status"] == "closed":
        raise invalid("status", "closed prevents ticket update")
    guard(ticket, wanted)
    values(state, wanted, known)


def guard(ticket: Row, wanted: Mapping[str, Any]) -> None:
    """safe_update: only if the ticket is as it was read, to the second. Raises 409, 422."""
    if str(wanted.get("safe_update", "")).lower() != "true":
        return
    if not isinstance(wanted.get("updated_stamp"), str):
        raise invalid("updated_stamp", "is required with safe_update", "BlankValue")
    if wanted["updated_stamp"] != ticket["updated_at"]:
        raise conflict()


def values(state: State, wanted: Mapping[str, Any], known: frozenset[str]) -> None:
    """Names and values, for a new ticket too. Raises 422."""
    if unknown := sorted(set(wanted) - known):
        raise invalid(unknown[0], "is not an attribute of a ticket that can be written here", "UnknownAttribute")
    for name, check in _CHECKS.items():
        if name in wanted:
            check(state, name, wanted[name])


def _one_of(*allowed: object) -> Callable[[State, str, Any], None]:
    def check(state: State, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        if isinstance(value, list | dict) or value not in allowed:
            raise invalid(name, f"{value} is not included in the list")

    return check


def _text(state: State, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    if value is not None and not isinstance(value, str):
        raise invalid(name, "is not text")


def tags(state: State, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    """A list of texts. Raises 422."""
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise invalid(name, "must be a list of tags")


def _known_id(rows: str, *, staff: bool = False, needed: bool = False) -> Callable[[State, str, Any], None]:
    def check(state: State, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        if value is None and not needed:
            return
        row = getattr(state, rows).get(value) if type(value) is int else None
        if row is None or (staff and row["role"] == "end-user"):
            raise invalid(name, f"{value} is invalid or does not exist")

    return check


def _custom_fields(state: State, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    if not isinstance(value, list) or not all(isinstance(one, dict) and set(one) == {"id", "value"} for one in value):
        raise invalid(name, "must be a list of {id, value}")
    for one in value:
        kind = FIELDS.get(one["id"]) if isinstance(one["id"], int) else None
        if kind is None:
            raise invalid(name, f"{one['id']} is not a field of this account", "RecordNotFound")
        wrong = kind == "checkbox" and not isinstance(one["value"], bool | None)
        if wrong or (kind == "text" and not isinstance(one["value"], str | int | float | None)):
            raise invalid(name, f"{one['id']} takes no such value")


def _comment(state: State, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    if not isinstance(value, dict) or (unknown := sorted(set(value) - COMMENT)):
        raise invalid(
            name, f"{unknown[0]} is not an attribute of a comment" if isinstance(value, dict) else "no comment"
        )
    texts = [value[n] for n in ("body", "html_body") if n in value]
    if len(texts) != 1 or not isinstance(texts[0], str) or not texts[0].strip():
        raise invalid(name, "needs either body or html_body", "BlankValue")
    if not isinstance(value.get("public", True), bool):
        raise invalid(name, "public must be true or false")
    if "author_id" in value and value["author_id"] not in state.users:
        raise invalid(name, "author_id does not exist")


_CHECKS: dict[str, Callable[[State, str, Any], None]] = {
    "status": _one_of(*STATUSES),
    "priority": _one_of(None, *PRIORITIES),
    "type": _one_of(None, *TYPES),
    "subject": _text,
    "external_id": _text,
    "group_id": _known_id("groups"),
    "assignee_id": _known_id("users", staff=True),
    "requester_id": _known_id("users", needed=True),
    "organization_id": _known_id("organizations"),
    "tags": tags,
    "additional_tags": tags,
    "remove_tags": tags,
    "custom_fields": _custom_fields,
    "comment": _comment,
}
