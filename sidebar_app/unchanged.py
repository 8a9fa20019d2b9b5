"""Polls that find nothing new, for the price of one statement: what the last answer was read from is asked for again.

A panel is made of what its statements answered and of who looks. While the same statements answer the same, the page is
what the browser has; PostgreSQL compares, and nothing is built. What depends on the time alone ("3 days ago") is behind
by LIFE_S at most.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import psycopg
import sqlalchemy as sa

LIFE_S: Final = 60.0
MOST: Final = 500  # pages remembered by a process, some kB each
_NAME = re.compile(r"%\((\w+)\)s|%%")
_DIGEST = "(SELECT md5(coalesce(string_agg(q::text, '|'), '')) FROM ({}) q)"

Statement = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """text: with the places $1, $2, ... of the values, as PostgreSQL itself writes them; "" asks nothing."""

    text: str
    values: Sequence[Any]


@dataclass(frozen=True)
class Seen:
    """An answer that was given. inputs: what it was made of beside the database. digest: of what was read, "" unknown."""

    inputs: object
    statements: Sequence[Statement]
    tag: str
    digest: str
    until: float

    @cached_property
    def question(self) -> Question:
        return together(self.statements)


@contextmanager
def recorded(cx: sa.Connection) -> Iterator[list[Statement]]:
    """Every statement of this block, as it goes to the driver."""
    found: list[Statement] = []

    def note(_c: object, _cursor: object, text: str, values: Any, _x: object, _many: bool) -> None:  # noqa: ANN401
        found.append((text, values))

    sa.event.listen(cx, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(cx, "before_cursor_execute", note)


def together(statements: Sequence[Statement]) -> Question:
    """One statement that asks for the digest of what these answer."""
    parts: list[str] = []
    values: list[Any] = []
    for text, given in statements:
        places = {name: f"${len(values) + place}" for place, name in enumerate(given, start=1)}
        values += given.values()
        parts.append(_DIGEST.format(_NAME.sub(lambda found: places[found[1]] if found[1] else "%", text)))  # noqa: B023
    return Question(f"SELECT concat({', '.join(parts)})" if parts else "", values)


def digest(cx: sa.Connection, question: Question) -> str:
    """Of all that these statements answer now.

    The driver is asked directly, with numbered places: it keeps no parsed form of a statement as long as this, and would
    look for names in it at each poll, which took a tenth of the poll's time.
    """
    if not question.text:
        return ""
    driver: Any = cx.connection.driver_connection
    with psycopg.RawCursor(driver) as cursor:
        found = cursor.execute(question.text, question.values).fetchone()
    return str(found[0]) if found else ""


class Unchanged:
    """What this process answered last, by page."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Hashable, Seen] = OrderedDict()
        self._lock = threading.Lock()

    def now(self, cx: sa.Connection, page: Hashable) -> str:
        """The digest of what the page was read from; "" for a page that was not shown lately."""
        seen = self._seen.get(page)
        return digest(cx, seen.question) if seen is not None else ""

    def tag(self, page: Hashable, inputs: object, now: str) -> str:
        """The tag of the last answer while it would be given again; else ""."""
        seen = self._seen.get(page)
        same = seen is not None and seen.digest == now != "" and seen.inputs == inputs
        return seen.tag if seen is not None and same and time.monotonic() < seen.until else ""

    def keep(self, page: Hashable, inputs: object, statements: Sequence[Statement], now: str, tag: str) -> None:
        """Remember an answer. now: the digest that was taken before it was made, so that no change falls between."""
        if not all(text.lstrip().startswith("SELECT") for text, _ in statements):
            return
        with self._lock:
            self._seen[page] = Seen(inputs, tuple(statements), tag, now, time.monotonic() + LIFE_S)
            self._seen.move_to_end(page)
            while len(self._seen) > MOST:
                self._seen.popitem(last=False)
