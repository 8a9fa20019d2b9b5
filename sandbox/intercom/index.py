"""The search index of the simulated Intercom: behind by minutes, and a date is a day to it.

Source: Intercom's OpenAPI document 2.15, "Search contacts" and "Search conversations", read 2026-11: two levels, fifteen
filters a group, days of the workspace's time zone, new objects after minutes. For conversations days are taken over (R).
"""

from __future__ import annotations

import base64
import binascii
import copy
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sandbox.base import Context
from sandbox.intercom.errors import invalid
from sandbox.intercom.shapes import Object

LAG_S = 180.0
ZONE, ZONE_NAME = timezone(timedelta(hours=-8)), "America/Los_Angeles"  # without its summer time
LEVELS, FILTERS = 2, 15
DATES = frozenset({"created_at", "updated_at", "waiting_since", "snoozed_until", "signed_up_at", "last_seen_at"})
FIELDS = {
    "conversations": DATES | {
        "id", "state", "open", "read", "priority", "admin_assignee_id", "team_assignee_id", "contact_ids", "tag_ids",
        "source.type", "source.subject", "source.author.email",
    },
    "contacts": DATES | {"id", "role", "name", "email", "email_domain", "external_id", "phone"},
}  # fmt: skip
PAGES = {"conversations": (20, 150), "contacts": (50, 150)}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda have, want: have == want, "!=": lambda have, want: have != want,
    "<": lambda have, want: have is not None and have < want, ">": lambda have, want: have is not None and have > want,
    "<=": lambda have, want: have is not None and have <= want,
    ">=": lambda have, want: have is not None and have >= want,
    "IN": lambda have, want: have in want, "NIN": lambda have, want: have not in want,
    "~": lambda have, want: str(want) in str(have), "!~": lambda have, want: str(want) not in str(have),
    "^": lambda have, want: str(have).startswith(str(want)), "$": lambda have, want: str(have).endswith(str(want)),
}  # fmt: skip


class Index:
    """What a search sees: copies, taken in some time after each change. lag_s: as the vendor's clock goes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.lag_s = LAG_S
        self._seen: dict[str, dict[str, Object]] = {"conversations": {}, "contacts": {}}
        self._coming: deque[tuple[float, str, str, Object | None]] = deque()

    def put(self, kind: str, item: Object) -> None:
        self._later(kind, item["id"], copy.deepcopy(item))

    def drop(self, kind: str, object_id: str) -> None:
        self._later(kind, object_id, None)

    def _later(self, kind: str, object_id: str, item: Object | None) -> None:
        self._coming.append((time.monotonic(), kind, object_id, item))

    def _take_in(self, kind: str) -> dict[str, Object]:
        """In the order of the changes; a lag that is made shorter counts for what waits already, too."""
        changed_before = time.monotonic() - self.lag_s / self._context.time_factor
        while self._coming and self._coming[0][0] <= changed_before:
            _, of, object_id, item = self._coming.popleft()
            if item is None:
                self._seen[of].pop(object_id, None)
            else:
                self._seen[of][object_id] = item
        return self._seen[kind]

    def search(self, kind: str, asked: Any, name: str) -> Object:  # noqa: ANN401 - a JSON body
        """A page, in no order that means anything. Raises Refusal."""
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), dict):
            raise invalid("query is required")
        if set(asked) - {"query", "pagination", "sort"}:
            raise invalid("unknown parameter")
        matches = compiled(kind, asked["query"], 1)
        with self._context.lock:
            found = [item for _, item in sorted(self._take_in(kind).items()) if matches(item)]
            return _page(kind, found, asked.get("pagination") or {}, name)


def compiled(kind: str, query: Mapping[str, Any], level: int) -> Callable[[Mapping[str, Any]], bool]:
    """The query as a function. Raises Refusal for one that Intercom would not take."""
    if "field" in query:
        return _filter(kind, query)
    parts, operator = query.get("value"), query.get("operator")
    if operator not in ("AND", "OR") or not isinstance(parts, list) or not parts:
        raise invalid("a group needs AND or OR and a list")
    if len(parts) > FILTERS or level > LEVELS:
        raise invalid(f"at most {FILTERS} filters a group and {LEVELS} levels", "invalid_query")
    inner = [compiled(kind, part, level + 1) for part in parts if isinstance(part, dict)]
    if len(inner) != len(parts):
        raise invalid("a filter must be an object")
    whole = all if operator == "AND" else any
    return lambda item: whole(one(item) for one in inner)


def _filter(kind: str, query: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    field, operator, value = query["field"], query.get("operator"), query.get("value")
    if field not in FIELDS[kind] and not str(field).startswith("custom_attributes."):
        raise invalid(f"{field} is not searchable", "invalid_field")
    if operator not in OPERATORS:
        raise invalid(f"{operator} is not an operator", "invalid_operator")
    test = OPERATORS[operator]
    if field in DATES:
        if operator not in ("=", "<", ">"):
            raise invalid(f"{operator} is not supported on dates", "invalid_operator")
        if isinstance(value, bool) or not str(value).isdigit():
            raise invalid(f"{field} takes a date", "invalid_value")
        wanted = _day(int(value))
        return lambda item: item.get(field) is not None and test(_day(item[field]), wanted)
    return lambda item: test(_value(item, str(field)), value)


def _day(seconds: int) -> int:
    """Days since 1970 where the workspace is."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(ZONE).toordinal()


def _value(item: Mapping[str, Any], field: str) -> Any:  # noqa: ANN401 - a JSON value
    if field == "contact_ids":
        return item["contacts"]["contacts"][0]["id"]
    found: Any = item
    for name in field.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _page(kind: str, found: list[Object], paging: Mapping[str, Any], name: str) -> Object:
    usual, most = PAGES[kind]
    size = paging.get("per_page", usual)
    if not isinstance(size, int) or not 0 < size <= most:
        raise invalid(f"per_page is 1 to {most}")
    start = _offset(paging.get("starting_after"))
    pages: Object = {
        "type": "pages", "page": start // size + 1, "per_page": size, "total_pages": -(-len(found) // size),
    }  # fmt: skip
    if start + size < len(found):
        after = base64.urlsafe_b64encode(f"at-{start + size}".encode()).decode()
        pages["next"] = {"per_page": size, "starting_after": after}
    kinds = {"conversations": "conversation.list", "contacts": "list"}
    return {"type": kinds[kind], name: found[start : start + size], "total_count": len(found), "pages": pages}


def _offset(cursor: Any) -> int:  # noqa: ANN401 - of a JSON body
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(str(cursor)).decode().removeprefix("at-"))
    except (ValueError, binascii.Error) as error:
        raise invalid("starting_after is not one of ours") from error
