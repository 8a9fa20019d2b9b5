"""Use cases of the outbox. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from app.outbox import store
from app.outbox.models import ON_ITS_WAY
from app.outbox.store import Row
from app.outbox.wanted import Wanted

_NOBODY: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class Plan:
    """What rules want of one ticket. values: the mirror's values now. rules: who wants it, for the ledger."""

    ticket_id: str
    wanted: Wanted
    values: Mapping[str, Any]
    rules: tuple[str, ...] = ()


def enqueue(
    cx: sa.Connection, connection_id: str, plans: Sequence[Plan], *, gather_s: float, forced: bool = False,
    held: Mapping[str, float] = _NOBODY,
) -> set[str]:  # fmt: skip
    """Add plans to what is pending; only what would change something stays. Answers the tickets with something to send.

    Judged against mirror + the write on its way + what is pending: an "add" in flight and then "remove" wanted ends
    removed, an "add" still pending and then "remove" wanted cancels out and nothing is sent. `forced` (a person asked
    for it) sends it all the same, notes that were decided on before included: it may have landed the first time, so
    it is looked for. held: ticket -> seconds it must rest, as it was written too often.
    """
    tickets = sorted({plan.ticket_id for plan in plans})
    if not tickets:
        return set()
    rows = store.open_rows(cx, connection_id, tickets)
    pending = {row.ticket_id: row for row in rows if row.state == "pending"}
    flying = {row.ticket_id: row for row in rows if row.state in ON_ITS_WAY}
    notes = [(p.ticket_id, n.key) for p in plans for n in p.wanted.notes]
    fresh = set(notes) if forced else store.new_notes(cx, connection_id, notes)
    puts: list[dict[str, Any]] = []
    rewrites: list[dict[str, Any]] = []
    empty, changed = [], set()
    for plan in plans:
        known = replace(plan.wanted, notes=tuple(n for n in plan.wanted.notes if (plan.ticket_id, n.key) in fresh))
        row = pending.get(plan.ticket_id)
        before = row.wanted if row else Wanted()
        after = before.then(known)
        if not forced and not (row and row.unsure):
            after = after.beyond(_expected(plan, flying.get(plan.ticket_id)))
        if after.is_empty:
            if row:
                empty.append(row.id)
        elif after != before or (forced and row):
            changed.add(plan.ticket_id)
            values = _values(plan, after, row, held.get(plan.ticket_id, 0.0), unsure=forced)
            if row:
                rewrites.append({"id": row.id, **values})
            else:
                due_in_s = max(gather_s, values["hold_s"])
                puts.append(
                    {"connection_id": connection_id, "ticket_id": plan.ticket_id, "due_in_s": due_in_s, **values}
                )
    store.remove_pending(cx, empty)
    store.rewrite(cx, rewrites)
    store.put(cx, puts)
    return changed


def _expected(plan: Plan, flying: Row | None) -> Mapping[str, Any]:
    return flying.wanted.applied_to(plan.values) if flying else plan.values


def _values(plan: Plan, wanted: Wanted, row: Row | None, hold_s: float, *, unsure: bool) -> dict[str, Any]:
    """What a pending row says, whether it is new or there already."""
    return {
        "change": wanted.to_json(),
        "rules": sorted({*plan.rules, *(row.rules if row else ())}),
        "unsure": unsure or bool(row and row.unsure),
        "reason": f"held for {hold_s:.0f} s: the ticket was written too often (WRITES_PER_TICKET)" if hold_s else None,
        "hold_s": hold_s,
    }


@dataclass(frozen=True, slots=True)
class Again:
    """A write that did not end: try it again in `due_in_s`.

    unsure: the vendor may have acted, so nothing is dropped as "already so" and notes are looked for first.
    alone: by itself, not in a batch. counted: a wait for budget is no try.
    """

    row: Row
    due_in_s: float
    reason: str
    unsure: bool = False
    alone: bool = False
    counted: bool = True


def give_back(cx: sa.Connection, again: Sequence[Again]) -> None:
    """Make writes wait again, each merged with what was wanted of its ticket meanwhile."""
    later: dict[tuple[str, str], Row] = {}
    mine: set[tuple[int, int]] = set()
    for connection_id in sorted({a.row.connection_id for a in again}):
        tickets = [a.row.ticket_id for a in again if a.row.connection_id == connection_id]
        for row in store.open_rows(cx, connection_id, tickets):
            if row.state == "pending":
                later[connection_id, row.ticket_id] = row
            else:
                mine.add((row.id, row.token))
    again = [a for a in again if (a.row.id, a.row.token) in mine]  # a write someone else took over is theirs
    tickets_back = {(a.row.connection_id, a.row.ticket_id) for a in again}
    store.remove_pending(cx, [row.id for key, row in later.items() if key in tickets_back])
    updates = []
    for a in again:
        meanwhile = later.get((a.row.connection_id, a.row.ticket_id))
        merged = a.row.wanted.then(meanwhile.wanted) if meanwhile else a.row.wanted
        updates.append(
            {
                "id": a.row.id,
                "token": a.row.token,
                "change": merged.to_json(),
                "rules": sorted({*a.row.rules, *(meanwhile.rules if meanwhile else ())}),
                "unsure": a.unsure or a.row.unsure,
                "alone": a.alone or a.row.alone,
                "tries": a.row.tries - (0 if a.counted else 1),
                "due_in_s": float(a.due_in_s),
                "reason": a.reason[:500],
            }
        )
    store.back_to_pending(cx, updates)
