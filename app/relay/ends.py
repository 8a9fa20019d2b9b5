"""What became of a write, and what follows from it: pure tables, then one transaction that writes the ends down."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa

from app.outbox import store as outbox
from app.outbox.service import Again, give_back
from app.outbox.store import Row
from app.outbox.wanted import Wanted
from app.tickets import store as tickets
from integrations.kernel.errors import (
    AppError,
    OutcomeUnknown,
    RateLimited,
    Retry,
    VendorError,
    VendorRejected,
)
from integrations.kernel.ports import WriteResult, WriteState
from integrations.transport.backoff import delay_s

REAUTHORISE_S = 300.0  # how long writes rest when a person must renew or enable the connection
LONGEST_PAUSE_S = 300.0
LONGEST_WAIT_S = 86_400.0
CONFLICT_S = 1.0
_WAIT = frozenset({Retry.LATER, Retry.OPERATOR})


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
        else:
            _refused(ends, row, result.detail)
    return ends


def sort_error(rows: Sequence[Row], error: Exception, tries: int, now: datetime) -> Ends:
    """The whole call failed: what each row does next follows from the error's verdict.

    Where nothing reached the vendor (it is away, full, or a person must renew the connection) that is no try of the
    change; it waits, a day at most. An error of our own code may be one row's alone: each is tried by itself.
    """
    ends = Ends()
    for row in rows:
        waited_s = (now - row.created_at).total_seconds()
        if isinstance(error, RateLimited):
            ends.again.append(Again(row, error.retry_after_s, error.code, counted=False))
        elif isinstance(error, AppError) and (error.retry in _WAIT or not isinstance(error, VendorError)):
            if waited_s > LONGEST_WAIT_S:
                ends.dead.append((row, f"waited more than 24 hours: {error.code}"))
            else:
                ends.again.append(Again(row, _pause_s(error, waited_s), error.code, counted=False))
        elif isinstance(error, OutcomeUnknown):
            _again(ends, row, tries, error.code, unsure=True)
        elif isinstance(error, VendorError):
            _refused(ends, row, str(error), is_gone=isinstance(error, VendorRejected) and error.http_status == 404)
        elif row.alone:
            _again(ends, row, tries, f"{type(error).__name__}: {error}", unsure=True)
        else:
            ends.again.append(Again(row, 0.0, type(error).__name__, unsure=True, alone=True))
    return ends


def _pause_s(error: AppError, waited_s: float) -> float:
    """Longer the longer a vendor is away, at random, so that what waited does not come back all at once."""
    if error.retry is Retry.LATER:
        return random.uniform(1.0, min(LONGEST_PAUSE_S, max(2.0, waited_s)))
    return REAUTHORISE_S


def _refused(ends: Ends, row: Row, reason: str, *, is_gone: bool = False) -> None:
    """Refused inside a batch: once more by itself, which also tells the reason."""
    if not row.alone:
        ends.again.append(Again(row, 0.0, reason, alone=True))
    elif is_gone:
        ends.gone.append(row)
    else:
        ends.dead.append((row, reason))


def lapsed(rows: Sequence[Row], tries: int) -> Ends:
    """Their worker died while it was sending: what it sent may have landed, so look first and drop nothing."""
    ends = Ends()
    for row in rows:
        _again(ends, row, tries, "the worker that was sending it went away", unsure=True, due_in_s=0.0)
    return ends


def _again(
    ends: Ends, row: Row, tries: int, reason: str, *, unsure: bool = False, due_in_s: float | None = None
) -> None:
    if row.tries >= tries:
        ends.dead.append((row, f"gave up after {row.tries} tries: {reason}"))
    else:
        ends.again.append(Again(row, delay_s(row.tries) if due_in_s is None else due_in_s, reason, unsure=unsure))


def write_down(cx: sa.Connection, ends: Ends) -> Mapping[str, int]:
    """Settle in the outbox and fold what was done into the mirror; answers counts by state, of what was still ours."""
    for connection_id, mine in _by_connection([*ends.done, *ends.gone]):
        tickets.lock(cx, connection_id, [row.ticket_id for row in mine])  # before the outbox, as the inbox does
    settled = outbox.settle(
        cx,
        [(row, "done", "") for row in ends.done]
        + [(row, "dropped", "the ticket is gone") for row in ends.gone]
        + [(row, "dropped", "already so") for row in ends.already]
        + [(row, "dead", reason) for row, reason in ends.dead],
    )
    done, gone = ([r for r in rows if r.id in settled] for rows in (ends.done, ends.gone))
    for connection_id, mine in _by_connection(done):
        tickets.fold(cx, connection_id, [(r.ticket_id, replace(r.wanted, notes=())) for r in mine])
    for connection_id, mine in _by_connection(gone):
        tickets.mark_gone(cx, connection_id, [r.ticket_id for r in mine])
    outbox.put(cx, [_other_notes(r) for r in done if len(r.wanted.notes) > 1])
    give_back(cx, ends.again)
    already = sum(r.id in settled for r in ends.already)
    dead = sum(r.id in settled for r, _ in ends.dead)
    return {"done": len(done), "gone": len(gone), "already": already, "dead": dead, "again": len(ends.again)}


def _by_connection(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    names = sorted({row.connection_id for row in rows})
    return [(name, [row for row in rows if row.connection_id == name]) for name in names]


def _other_notes(row: Row) -> dict[str, object]:
    """The notes that did not go along: one comment fits into a write."""
    return {
        "connection_id": row.connection_id, "ticket_id": row.ticket_id, "rules": list(row.rules), "unsure": False,
        "change": Wanted(notes=row.wanted.notes[1:]).to_json(), "reason": None, "due_in_s": 0.0,
    }  # fmt: skip
