"""Store verified deliveries once, committed before the door answers. Those that come while a statement is on its way go
together in the next one: a burst costs fewer statements and fewer writes to disk, and a delivery alone waits for nobody.

This path takes a bare psycopg connection: it is the one place where the cost of SQLAlchemy would show.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from integrations.kernel.errors import Overloaded
from integrations.kernel.events import Envelope

TOGETHER = 32  # deliveries in one statement

# A copy of a known event only counts itself: `copies` rises, the body is not stored again.
_STORE = """
    WITH given (connection_id, event_key, kind, lane, money, headers, body) AS (VALUES {rows}), known AS (
        INSERT INTO delivery_key AS d (connection_id, event_key, kind, lane, money)
        SELECT connection_id, event_key, kind, lane, money FROM given
        ON CONFLICT (connection_id, event_key) DO UPDATE SET copies = d.copies + 1
        RETURNING id, connection_id, event_key, copies
    ), kept AS (
        INSERT INTO delivery_body (delivery_id, headers, body)
        SELECT k.id, g.headers, g.body FROM known k JOIN given g USING (connection_id, event_key) WHERE k.copies = 1
    )
    SELECT connection_id, event_key, id, copies FROM known
    """
_ROW = "(%s::text, %s::text, %s::text, %s::text, %s::boolean, %s::jsonb, %s::bytea)"

# What is kept of the request's headers: enough to see a delivery's way, never a signature or a credential.
KEPT_HEADERS = ("content-type", "user-agent", "x-zendesk-webhook-id", "x-zendesk-webhook-invocation-id")

Values = tuple[str, str, str, str, bool, str, bytes]


class _Waiting:
    """One delivery on its way into the database. `gate` opens when it is done, or when it is its turn to lead."""

    __slots__ = ("answer", "gate", "key", "problem", "values")

    def __init__(self, values: Values) -> None:
        self.values = values
        self.key = values[:2]
        self.gate = threading.Lock()
        self.gate.acquire()
        self.answer: tuple[int, bool] | None = None
        self.problem: BaseException | None = None


class Receiver:
    """One process's way into the inbox. `pool`: opened when the first delivery comes."""

    def __init__(self, pool: Callable[[], ConnectionPool]) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._led = False

    def store(
        self, connection_id: str, envelope: Envelope, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bool]:
        """Answer (delivery id, was it new). On return the bytes are on disk.

        Raises:
            Overloaded: the database cannot be written now; nothing was stored.
        """
        kept = json.dumps({name: headers[name] for name in KEPT_HEADERS if name in headers})
        lane = envelope.lane or f"alone:{envelope.event_key}"
        mine = _Waiting(
            (connection_id, envelope.event_key, envelope.kind[:128], lane, envelope.money, kept, body)
        )  # fmt: skip
        if not self._may_lead(mine):
            mine.gate.acquire()
        if mine.answer is None and mine.problem is None:
            self._lead(mine)
        if mine.problem is not None:
            raise Overloaded(cause=type(mine.problem).__name__) from mine.problem
        assert mine.answer is not None  # noqa: S101 - an upsert with RETURNING always answers
        return mine.answer

    def _may_lead(self, mine: _Waiting) -> bool:
        with self._lock:
            self._waiting.append(mine)
            first, self._led = not self._led, True
        return first

    def _lead(self, mine: _Waiting) -> None:
        """Write all that wait, `mine` among them as the oldest; then the oldest of those who came meanwhile leads."""
        with self._lock:
            batch: dict[tuple[str, str], _Waiting] = {}
            for one in self._waiting[:TOGETHER]:  # a copy of what is in the batch comes in the next one
                batch.setdefault(one.key, one)
            self._waiting = [one for one in self._waiting if batch.get(one.key) is not one]
        try:
            self._write([batch[key] for key in sorted(batch)])
        except BaseException as problem:  # whatever it is, nobody may wait for ever
            for one in batch.values():
                one.problem = problem
            raise
        finally:
            with self._lock:
                heir = self._waiting[0] if self._waiting else None
                self._led = heir is not None
            for one in [*batch.values(), *([heir] if heir else [])]:
                if one is not mine:
                    one.gate.release()

    def _write(self, batch: Sequence[_Waiting]) -> None:
        """One statement, in the order of the keys, so that two processes never wait for each other in a circle."""
        try:
            with self._pool().connection() as cx:
                values = [value for one in batch for value in one.values]
                rows = cx.execute(_statement(len(batch)), values, prepare=True).fetchall()
        except (psycopg.OperationalError, PoolTimeout) as error:
            for one in batch:
                one.problem = error
        except psycopg.Error as error:
            self._apart(batch, error)
        else:
            found = {(row[0], row[1]): (int(row[2]), int(row[3]) == 1) for row in rows}
            for one in batch:
                one.answer = found[one.key]

    def _apart(self, batch: Sequence[_Waiting], error: psycopg.Error) -> None:
        """The database refused what is in the statement: each by itself, so that only the culprit is refused."""
        if len(batch) == 1:
            batch[0].problem = error
        else:
            for one in batch:
                self._write([one])


@cache
def _statement(count: int) -> bytes:
    return _STORE.format(rows=", ".join([_ROW] * count)).encode()
