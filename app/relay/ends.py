"""What became of a write, and what follows from it: pure tables, then one transaction that writes the ends down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from app.outbox import store as outbox
from app.outbox.service import Again, give_back
from app.outbox.store import Row
from app.outbox.wanted import Wanted
from app.tickets import store as tickets
from integrations.kernel.errors import (
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    Retry,
    VendorError,
)
from integrations.kernel.ports import WriteResult, WriteState
from integrations.transport.backoff import delay_s

REAUTHORISE_S = 300.0  # how long writes rest when a person must renew the connection
CONFLICT_S = 1.0


@dataclass(slots=True)
class Ends:
    """Collected in a sending thread, written in one transaction: done, dropped (gone), dead, again."""

    done: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    dead: list[tuple[Row, str]] = field(default_factory=list)
    already: list[Row] = field(default_factory=list)
    again: list[Again] = field(default_factory=list)


def sort_results(rows: Sequence[Row], results: Sequence[WriteResult], tries: int) -> Ends:
    """One end a row. A row without a result is unknown: the vendor may have acted."""
    by_ticket = {result.ticket_id: result for result in results}
    ends = Ends()
    for row in rows:
        result = by_ticket.get(row.ticket_id)
        if result is None:
            _again(ends, row, tries, "no result for this ticket", unsure=True)
        elif result.state is WriteState.DONE:
            ends.done.append(row)
        elif result.state is WriteState.GONE:
            ends.gone.append(row)
        elif result.state is WriteState.CONFLICT:
            _again(ends, row, tries, result.detail, due_in_s=CONFLICT_S)
        elif row.alone:
            ends.dead.append((row, result.detail))
        else:  # refused inside a batch: once more by itself, which also tells the reason
            ends.again.append(Again(row, 0.0, result.detail, alone=True))
    return ends


def sort_error(rows: Sequence[Row], error: VendorError, tries: int) -> Ends:
    """The whole call failed: what each row does next follows from the error's verdict."""
    ends = Ends()
    for row in rows:
        if isinstance(error, RateLimited):
            ends.again.append(Again(row, error.retry_after_s, error.code, counted=False))
        elif isinstance(error, NeedsReauthorisation):
            ends.again.append(Again(row, REAUTHORISE_S, error.code, counted=False))
        elif isinstance(error, OutcomeUnknown):
            _again(ends, row, tries, error.code, unsure=True)
        elif error.retry is Retry.LATER:
            _again(ends, row, tries, error.code)
        elif row.alone:
            ends.dead.append((row, str(error)))
        else:
            ends.again.append(Again(row, 0.0, error.code, alone=True))
    return ends


def _again(
    ends: Ends, row: Row, tries: int, reason: str, *, unsure: bool = False, due_in_s: float | None = None
) -> None:
    if row.tries >= tries:
        ends.dead.append((row, f"gave up after {row.tries} tries: {reason}"))
    else:
        ends.again.append(Again(row, delay_s(row.tries) if due_in_s is None else due_in_s, reason, unsure=unsure))


def write_down(cx: sa.Connection, ends: Ends, gather_s: float) -> Mapping[str, int]:
    """Settle in the outbox and fold what was done into the mirror; answers counts by state."""
    mine = outbox.settle(
        cx,
        [(row, "done", "") for row in ends.done]
        + [(row, "dropped", "the ticket is gone") for row in ends.gone]
        + [(row, "dropped", "already so") for row in ends.already]
        + [(row, "dead", reason) for row, reason in ends.dead],
    )
    for connection_id in sorted({r.connection_id for r in [*ends.done, *ends.gone]}):
        done = [r for r in ends.done if r.connection_id == connection_id and r.id in mine]
        tickets.fold(cx, connection_id, [_landed(r) for r in done])
        tickets.mark_gone(cx, connection_id, [r.ticket_id for r in ends.gone if r.connection_id == connection_id])
        rest = [replace_notes(r) for r in done if len(r.wanted.notes) > 1]
        outbox.put(cx, rest, gather_s=gather_s)
    give_back(cx, ends.again)
    return {
        "done": len(ends.done), "gone": len(ends.gone), "already": len(ends.already), "dead": len(ends.dead),
        "again": len(ends.again),
    }  # fmt: skip


def _landed(row: Row) -> tuple[str, Wanted]:
    return row.ticket_id, replace(row.wanted, notes=())


def replace_notes(row: Row) -> dict[str, object]:
    """The notes that did not go along: one comment fits into a write."""
    return {
        "connection_id": row.connection_id,
        "ticket_id": row.ticket_id,
        "change": Wanted(notes=row.wanted.notes[1:]).to_json(),
        "rules": list(row.rules),
        "unsure": False,
        "alone": False,
    }
