"""All objects of the simulated account, by list and id, and the log of its events."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sandbox.base import Context
from sandbox.stripe.errors import missing
from sandbox.stripe.objects import Object
from sandbox.stripe.periods import DAY

VERSION = "2026-10-28.endive"
EVENTS_KEPT_S = 30 * DAY
KINDS = (
    "customers products prices coupons subscriptions invoices invoice_payments charges refunds disputes credit_notes "
    "payment_methods payment_intents discounts"
).split()
INDEXED = ("customer", "invoice", "charge")  # what an object is of; no act gives it to another later
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Store")


def act(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Something that happens to the account: all of it under the lock, and a copy of its answer for the caller."""

    @functools.wraps(method)
    def wrapped(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.context.lock:
            return copy.deepcopy(method(self, *args, **kwargs))

    return cast("Callable[Concatenate[S, P], R]", wrapped)


class Store:
    """Objects in the order of their making, oldest first. Listeners are told each event."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.lists: dict[str, dict[str, Object]] = {kind: {} for kind in KINDS}
        self._by: dict[tuple[str, str, str], dict[str, Object]] = {}
        self.events: dict[str, Object] = {}
        self.listeners: list[Callable[[Object], None]] = []
        self.request: dict[str, str | None] = {"id": None, "idempotency_key": None}
        self._ids = itertools.count(1)
        self._then: int | None = None

    def now(self) -> int:
        """Unix seconds; while history is written, the moment it happens at."""
        return self._then if self._then is not None else int(self.context.now().timestamp())

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Let acts happen in the past: no events, for nobody listened then."""
        before, self._then = self._then, moment
        try:
            yield
        finally:
            self._then = before

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_S{next(self._ids):08d}"

    def get(self, kind: str, object_id: str) -> Object:
        """One object. Raises Denied resource_missing."""
        if object_id not in self.lists[kind]:
            raise missing(kind.removesuffix("s"), object_id)
        return self.lists[kind][object_id]

    def put(self, kind: str, o: Object) -> Object:
        self.lists[kind][o["id"]] = o
        self._index(kind, o)
        return o

    def _index(self, kind: str, o: Object) -> None:
        for name in INDEXED:
            if o.get(name):
                self._by.setdefault((kind, name, o[name]), {})[o["id"]] = o

    def of(self, kind: str, **wanted: Any) -> list[Object]:  # noqa: ANN401 - values of fields
        """Objects whose fields have these values, oldest first."""
        known = self.lists[kind]
        rows = known
        for name in INDEXED:
            if wanted.get(name):
                rows = self._by.get((kind, name, wanted[name]), {})
                break
        return [
            o for key, o in rows.items()
            if known.get(key) is o and all(o.get(name) == value for name, value in wanted.items())
        ]  # fmt: skip

    def in_order(self) -> None:
        """Put history in the order of time, as lists are told."""
        for kind, rows in self.lists.items():
            self.lists[kind] = dict(sorted(rows.items(), key=_age))
        self._by.clear()
        for kind, rows in self.lists.items():
            for o in rows.values():
                self._index(kind, o)

    def emit(self, kind: str, o: Object, previous: Object | None = None) -> None:
        """Log an event with a copy of the object as it is now, and tell it."""
        if self._then is not None:
            return
        data: Object = {"object": copy.deepcopy(o)}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Object = {
            "id": self.new_id("evt"), "object": "event", "api_version": VERSION, "created": self.now(), "data": data,
            "livemode": False, "pending_webhooks": 0, "request": dict(self.request), "type": kind,
        }  # fmt: skip
        self.events[event["id"]] = event
        for listener in self.listeners:
            listener(event)

    @contextmanager
    def changing(self, o: Object, *kinds: str) -> Iterator[Object]:
        """Change an object in the block; if that changed anything, an event of each kind with what was before."""
        if self._then is not None:  # history tells no events
            yield o
            return
        before = copy.deepcopy(o)
        yield o
        previous = {name: before.get(name) for name in o if o[name] != before.get(name)}
        if previous:
            for kind in kinds:
                self.emit(kind, o, previous if kind.endswith("updated") else None)

    def kept_events(self) -> list[Object]:
        """Events of the last 30 days, oldest first; older ones are forgotten."""
        oldest = self.now() - EVENTS_KEPT_S
        for event_id in list(itertools.takewhile(lambda i: self.events[i]["created"] < oldest, self.events)):
            del self.events[event_id]
        return list(self.events.values())


def _age(row: tuple[str, Object]) -> int:
    made = row[1].get("created") or row[1].get("start") or 0
    return int(made)
