"""All rows of the simulated account, who is told of changes, and the order in which tickets changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.kernel.clock import iso
from sandbox.base import Context
from sandbox.zendesk.shapes import HOST, Row

__all__ = ["HOST", "Save", "Store", "Switches"]

Listener = Callable[[Row, str, Row, int, int], None]  # (row, kind, event, who did it, position in the save)


@dataclass(slots=True)
class Switches:
    """What differs from account to account, and what tests turn.

    batch_ignores_tags: batch items leave additional_tags and remove_tags out, as an older copy of the reference says.
    calls_per_minute: the plan's. high_volume: the add-on with the higher endpoint limits. legacy_tokens: API tokens work.
    jobs_end: how batches end. index_lag_s: until search finds a change. breaker: does the vendor's breaker stop sending.
    """

    batch_ignores_tags: bool = False
    calls_per_minute: int = 700
    high_volume: bool = False
    legacy_tokens: bool = True
    jobs_end: str = "completed"
    job_s: float = 0.3
    index_lag_s: float = 120.0
    breaker: bool = True


@dataclass(slots=True)
class Save:
    """One save of a ticket. before: None when it is new. via: the channel of this save."""

    ticket: Row
    before: Row | None
    comment: Row | None
    actor_id: int
    via: str
    events: list[Row] = field(default_factory=list)  # as the audit lists them


class Store:
    """Rows by id. Listeners are told each event, savers each save of a ticket."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.switches = Switches()
        self.tickets: dict[int, Row] = {}
        self.deleted: dict[int, Row] = {}
        self.comments: dict[int, list[Row]] = {}
        self.audits: dict[int, list[Row]] = {}
        self.users: dict[int, Row] = {}
        self.identities: dict[int, list[Row]] = {}
        self.organizations: dict[int, Row] = {}
        self.groups: dict[int, Row] = {}
        self.memberships: dict[int, Row] = {}
        self.listeners: list[Listener] = []
        self.savers: list[Callable[[Save], None]] = []
        self.touchers: list[Callable[[Row], None]] = []
        self.exported: dict[int, int] = {}  # ticket -> number of its latest change, in the order of changes
        self._ids = itertools.count(5_000_000)
        self._changes = itertools.count(1)

    def switch(self, **values: Any) -> Row:  # noqa: ANN401 - as in Switches
        """Turn switches; answers all of them. Raises AttributeError for one that there is not."""
        with self.context.lock:
            for name, value in values.items():
                getattr(self.switches, name)
                setattr(self.switches, name, value)
            return {name: getattr(self.switches, name) for name in Switches.__slots__}

    def moment(self) -> datetime:
        return self.context.now()

    def now(self) -> str:
        """As the API writes it: whole seconds."""
        return iso(self.context.now().replace(microsecond=0))

    def next_id(self) -> int:
        return next(self._ids)

    def touch(self, ticket: Row) -> None:
        """A ticket changed: it is last in the export, and search learns of it in time."""
        ticket["generated_timestamp"] = int(self.context.now().timestamp())
        self.exported.pop(ticket["id"], None)
        self.exported[ticket["id"]] = next(self._changes)
        for toucher in self.touchers:
            toucher(ticket)

    def tell(
        self, row: Row, kind: str, event: Mapping[str, Any], actor_id: int, position: int = 0, save: int = 0
    ) -> None:
        """Tell the listeners; events of one save share a sequence and differ in position."""
        told = dict(event)
        if save:
            told["meta"] = {"sequence": {"id": f"{save:028x}", "position": position}}
        for listener in self.listeners:
            listener(row, kind, told, actor_id, position)
