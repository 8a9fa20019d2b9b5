"""One wanted refund, as read from its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.refunds.states import State
from integrations.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Intent:
    """connection_id, charge_id, payer_id: where the money is. helpdesk_id, ticket_id: where it was asked for.

    person_id: who asked; agent_id: that login's id at the helpdesk. lines: (invoice line, minor units). bound: what an
    approval is for. attempts: calls begun. refused: the vendor's no that is still to be checked. token: fences writes.
    stalled_at: since when the bank is too late.
    """

    id: str
    request_id: str
    connection_id: str
    charge_id: str
    payer_id: str
    helpdesk_id: str
    ticket_id: str
    person_id: str
    agent_id: str
    amount: Money
    reason: str
    note: str
    invoice_id: str
    lines: tuple[tuple[str, int], ...]
    bound: str
    state: State
    state_at: datetime
    moves: int
    why: str
    approver_id: str
    expires_at: datetime | None
    attempts: int
    tries: int
    first_sent_at: datetime | None
    token: int
    refused: str
    refund_id: str
    created_at: datetime
    stalled_at: datetime | None


def of_row(row: Any) -> Intent:  # noqa: ANN401 - a row of refund_intent
    """An intent from its row."""
    return Intent(
        row.id, row.request_id, row.connection_id, row.charge_id, row.payer_id, row.helpdesk_id, row.ticket_id,
        row.person_id, row.agent_id, Money(row.amount, row.currency), row.reason, row.note, row.invoice_id,
        tuple((str(line), int(minor)) for line, minor in row.lines), row.bound, State(row.state), row.state_at,
        row.moves, row.why, row.approver_id, row.expires_at, row.attempts, row.tries, row.first_sent_at, row.token,
        row.refused, row.refund_id, row.created_at, row.stalled_at,
    )  # fmt: skip
