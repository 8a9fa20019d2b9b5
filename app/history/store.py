"""All SQL of judgements and their fact sets: a whole batch in two statements."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.history.models import fact_set, judgement
from app.history.partitions import drop_partitions, ensure_partitions
from integrations.kernel.clock import utc_now
from integrations.kernel.events import Change, Event

__all__ = ["Judgement", "Kept", "drop_partitions", "effects", "ensure_partitions", "latest", "record"]

EVENT = "event."  # facts of the event alone; all others repeat from event to event and are kept once a day


class Traced(Protocol):
    """What the rules answered: `{"engine": version, "fired": [rule, ...], "effects": [...]}`."""

    def trace(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judgement to be kept. facts: those the rules saw, relative ones left out. tick: time caused it, not an event."""

    connection_id: str
    ticket_id: str
    delivery_id: int
    event_kind: str
    event_key: str
    occurred_at: datetime
    facts: Mapping[str, Any]
    changes: Mapping[str, Change]
    rule_set_version: int
    trace: Mapping[str, Any]
    tick: bool = False

    @classmethod
    def of(
        cls, delivery_id: int, connection_id: str, event: Event, facts: Mapping[str, Any], outcome: Traced,
        rule_set_version: int, *, tick: bool = False,
    ) -> Judgement:  # fmt: skip
        """From an event of a ticket and what the rules made of it."""
        return cls(
            connection_id, event.subject.id, delivery_id, event.kind, event.event_key, event.occurred_at, facts,
            event.changes, rule_set_version, outcome.trace(), tick,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """A judgement as it was kept. facts: None when its fact set was dropped since."""

    id: int
    connection_id: str
    ticket_id: str
    delivery_id: int
    event_kind: str
    event_key: str
    occurred_at: datetime
    judged_at: datetime
    facts: Mapping[str, Any] | None
    changes: Mapping[str, Change]
    rule_set_version: int
    engine_version: int
    fired: tuple[str, ...]
    effects: tuple[Mapping[str, Any], ...]
    tick: bool


def record(cx: sa.Connection, judgements: Sequence[Judgement], *, today: date | None = None) -> None:
    """Keep judgements and, once each a day, the fact sets they were made on."""
    if not judgements:
        return
    day = today or utc_now().astimezone(UTC).date()
    sets: dict[bytes, str] = {}
    rows = [_row(one, day, sets) for one in judgements]
    # In the order of their hashes, so that two batches with the same sets wait for each other and never in a circle.
    query = insert(fact_set).values(
        day=day, hash=sa.bindparam("hash_"), body=sa.cast(sa.bindparam("body_", type_=sa.Text), fact_set.c.body.type)
    )
    cx.execute(query.on_conflict_do_nothing(), [{"hash_": key, "body_": sets[key]} for key in sorted(sets)])
    cx.execute(insert(judgement), rows)


def _row(one: Judgement, day: date, sets: dict[bytes, str]) -> dict[str, Any]:
    base = {name: value for name, value in one.facts.items() if not name.startswith(EVENT)}
    own = {
        "facts": {name: value for name, value in one.facts.items() if name.startswith(EVENT)},
        "changes": {name: [change.previous, change.current] for name, change in one.changes.items()},
    }
    return {
        "connection_id": one.connection_id, "ticket_id": one.ticket_id, "delivery_id": one.delivery_id,
        "event_kind": one.event_kind, "event_key": one.event_key, "occurred_at": one.occurred_at, "fact_day": day,
        "fact_hash": _keep(base, sets), "event_hash": _keep(own, sets), "rule_set_version": one.rule_set_version,
        "engine_version": one.trace["engine"], "fired": list(one.trace["fired"]),
        "effects": [_without_text(effect) for effect in one.trace["effects"]], "tick": one.tick,
    }  # fmt: skip


def _keep(body: Mapping[str, Any], sets: dict[bytes, str]) -> bytes:
    """Put a set among those to be written; answers its hash, the same for the same facts in any order."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    if "\\u0000" in text or "\\ud" in text or "NaN" in text or "Infinity" in text:
        text = json.dumps(_storable(body), sort_keys=True, separators=(",", ":"))
    key = hashlib.sha256(text.encode()).digest()[:16]
    sets[key] = text
    return key


def _storable(value: Any) -> Any:  # noqa: ANN401 - any fact
    """Without what PostgreSQL does not take into JSON: NUL, lone surrogates, numbers that are none."""
    if isinstance(value, Mapping):
        return {_storable(str(name)): _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def _without_text(effect: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of an effect: a note's key and a custom field's name; their text is recomputed from the facts."""
    payload = {name: value for name, value in effect["payload"].items() if name != "body"}
    if str(payload.get("field", "")).startswith("custom_fields."):
        del payload["value"]
    return {"kind": effect["kind"], "payload": payload, "rule": effect["rule"]}


def latest(cx: sa.Connection, connection_id: str, ticket_id: str, limit: int = 1) -> list[Kept]:
    """The newest judgements of a ticket, newest first, with the facts they were made on."""
    base, own = fact_set.alias("base"), fact_set.alias("own")
    query = (
        sa.select(judgement, base.c.body.label("base_body"), own.c.body.label("own_body"))
        .outerjoin(base, sa.and_(base.c.day == judgement.c.fact_day, base.c.hash == judgement.c.fact_hash))
        .outerjoin(own, sa.and_(own.c.day == judgement.c.fact_day, own.c.hash == judgement.c.event_hash))
        .where(judgement.c.connection_id == connection_id, judgement.c.ticket_id == ticket_id)
        .order_by(judgement.c.id.desc())
        .limit(limit)
    )
    return [_kept(row) for row in cx.execute(query)]


def effects(cx: sa.Connection, connection_id: str, ticket_id: str, limit: int) -> Sequence[Any]:
    """Of the newest judgements of a ticket, newest first: occurred_at, rule_set_version, effects."""
    told = {"connection": connection_id, "ticket": ticket_id, "most": limit}
    return cx.execute(_EFFECTS, told).all()


_EFFECTS = (
    sa.select(judgement.c.occurred_at, judgement.c.rule_set_version, judgement.c.effects)
    .where(
        judgement.c.connection_id == sa.bindparam("connection", type_=sa.Text),
        judgement.c.ticket_id == sa.bindparam("ticket", type_=sa.Text),
    )
    .order_by(judgement.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def _kept(row: Any) -> Kept:  # noqa: ANN401 - a row
    whole = row.base_body is not None and row.own_body is not None
    changes = row.own_body["changes"] if whole else {}
    return Kept(
        row.id, row.connection_id, row.ticket_id, row.delivery_id, row.event_kind, row.event_key, row.occurred_at,
        row.judged_at, {**row.base_body, **row.own_body["facts"]} if whole else None,
        {name: Change(*sides) for name, sides in changes.items()}, row.rule_set_version, row.engine_version,
        tuple(row.fired), tuple(row.effects), row.tick,
    )  # fmt: skip
