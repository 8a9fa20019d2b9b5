"""Search of tickets and people: a part of the query language, an index that lags, and the limit of 1,000 results.

Source: vendor sheet 1.7.
"""

from __future__ import annotations

import shlex
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from flask import request

from sandbox.base import Refusal
from sandbox.zendesk import pages, params
from sandbox.zendesk.errors import bad_request
from sandbox.zendesk.routing import Api
from sandbox.zendesk.shapes import Row
from sandbox.zendesk.state import State

RESULTS = 1000
TICKET_WORDS = ("status", "priority", "group", "assignee", "requester", "organization", "external_id")


def routes(api: Api) -> None:
    """Put it on the app."""
    api.route("GET", "/search", Search(api.state).results)


class Search:
    """Finds tickets as they were when they were last indexed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._index: dict[int, deque[tuple[float, Row]]] = {}
        state.touchers.append(self._touched)

    def _touched(self, ticket: Row) -> None:
        versions = self._index.setdefault(ticket["id"], deque())
        versions.append((time.monotonic(), dict(ticket)))
        self._settle(versions)

    def _settle(self, versions: deque[tuple[float, Row]]) -> Row | None:
        """The version that the index knows by now; older ones are dropped."""
        seen = time.monotonic() - self._state.switches.index_lag_s / self._state.context.time_factor
        while len(versions) > 1 and versions[1][0] <= seen:
            versions.popleft()
        return versions[0][1] if versions[0][0] <= seen else None

    def results(self) -> Row:
        params.known("query", "page", "per_page", "sort_by", "sort_order", "include")
        query = request.args.get("query", "").strip()
        if not query:
            raise bad_request("query is required", "MissingParameter")
        size, wanted = min(params.number("per_page", 100, 1), 100), params.number("page", 1, 1)
        if size * wanted > RESULTS:
            words = "Invalid search: Requested response size was greater than Search Response Limits"
            raise Refusal(422, {"error": "invalid", "description": words})
        rows = self._find(query)
        if request.args.get("sort_by") in ("created_at", "updated_at"):
            rows.sort(key=lambda r: str(r[request.args["sort_by"]]), reverse=request.args.get("sort_order") != "asc")
        start, more = (wanted - 1) * size, wanted * size < min(len(rows), RESULTS)
        return {
            "results": rows[start : start + size], "facets": None, "count": len(rows),
            "next_page": pages.link(page=wanted + 1, per_page=size) if more else None,
            "previous_page": pages.link(page=wanted - 1, per_page=size) if wanted > 1 else None,
        }  # fmt: skip

    def _find(self, query: str) -> list[Row]:
        try:
            words = shlex.split(query)
        except ValueError as error:
            raise bad_request("query: a quotation mark is not closed") from error
        kind = next((w.partition(":")[2] for w in words if w.startswith("type:")), "")
        words = [w for w in words if not w.startswith("type:")]
        if kind not in ("", "ticket", "user"):
            raise bad_request(f"query: type:{kind} is not indexed here")
        found: list[Row] = []
        if kind != "user":
            indexed = (self._settle(v) for v in self._index.values())
            tickets = (t for t in indexed if t is not None and t["status"] != "deleted")
            found += _matching(tickets, words, self._ticket, "ticket")
        if kind != "ticket":
            found += _matching(self._state.users.values(), words, self._user, "user")
        return found

    def _ticket(self, t: Row, name: str, value: str) -> bool:
        if name == "tags":
            return value in t["tags"]
        if name in ("requester", "assignee") and not value.isdigit():
            user = self._state.users.get(t[f"{name}_id"])
            return value.lower() in (str(user["email"]).lower(), user["name"].lower()) if user else value == "none"
        if name in TICKET_WORDS:
            return str(t.get(name, t.get(f"{name}_id"))) == value
        if name:
            raise bad_request(f"query: {name} is not indexed here")
        return value.lower() in f"{t['subject']} {t['description']}".lower()

    def _user(self, u: Row, name: str, value: str) -> bool:
        if name in ("email", "name", "role", "external_id"):
            return str(u[name]).lower() == value.lower()
        if name:
            return False
        return value.lower() in f"{u['name']} {u['email']}".lower()


def _matching(rows: Iterable[Row], words: list[str], fits: Callable[[Row, str, str], bool], kind: str) -> list[Row]:
    """Rows for which every word holds: `name:value`, `-name:value`, `created>2026-01-01`, or plain text."""
    return [{**row, "result_type": kind} for row in rows if all(_holds(row, word, fits) for word in words)]


def _holds(row: Row, word: str, fits: Callable[[Row, str, str], bool]) -> bool:
    for name, sign in ((n, s) for n in ("created", "updated") for s in ("<", ">")):
        if word.startswith(f"{name}{sign}"):
            moment, bound = str(row[f"{name}_at"]), word[len(name) + 1 :]
            return moment < bound if sign == "<" else moment > bound
    negated, plain = word.startswith("-") and ":" in word, word.removeprefix("-") if ":" in word else word
    name, colon, value = plain.partition(":")
    holds: Any = fits(row, name, value) if colon else fits(row, "", plain)
    return bool(holds) != negated
