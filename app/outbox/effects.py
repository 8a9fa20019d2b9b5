"""One wanted change as data: what an action plans and the outbox performs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# kind -> the names its payload must hold
KINDS: Mapping[str, frozenset[str]] = {
    "tickets.add_tags": frozenset({"tags"}),
    "tickets.remove_tags": frozenset({"tags"}),
    "tickets.set": frozenset({"field", "value"}),
    "tickets.note": frozenset({"key", "body"}),
    "leads.signal": frozenset({"words", "lead", "note"}),
    "leads.hold": frozenset({"why", "words", "days"}),
}
TICKETS = "tickets."  # of these the outbox makes writes; the others are carried out where they were judged


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of one ticket.

    kind and payload: `tickets.add_tags {"tags": [...]}`, `tickets.remove_tags {"tags": [...]}`,
        `tickets.set {"field": name of TicketValues or custom_fields.<id>, "value": v}`,
        `tickets.note {"key": ..., "body": plain text}`; and what is no write of the ticket:
        `leads.signal {"words": lists of the policy on leads, "lead": kind or "", "note": text}`,
        `leads.hold {"why": text, "words": [...], "days": n}`.
    key: computed from what is being done, so that a repetition of the same event arrives at the same key.
    rule: the rule that wants it, for the ledger and the why card.
    """

    kind: str
    connection_id: str
    ticket_id: str
    payload: Mapping[str, Any]
    key: str
    rule: str

    def __post_init__(self) -> None:
        needed = KINDS.get(self.kind)
        if needed is None:
            raise ValueError(f"{self.kind} is not an effect; there are {', '.join(sorted(KINDS))}")
        if self.payload.keys() != needed:
            raise ValueError(f"{self.kind} takes {', '.join(sorted(needed))}; got {', '.join(sorted(self.payload))}")

    @property
    def is_of_ticket(self) -> bool:
        """Is it a write of the ticket, which the outbox performs?"""
        return self.kind.startswith(TICKETS)

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `from_json` reads it back."""
        return {
            "kind": self.kind, "connection_id": self.connection_id, "ticket_id": self.ticket_id,
            "payload": dict(self.payload), "key": self.key, "rule": self.rule,
        }  # fmt: skip


def from_json(data: Mapping[str, Any]) -> Effect:
    """The reverse of `to_json`.

    Raises:
        ValueError: not an effect, or a name is missing or too much.
    """
    try:
        return Effect(**data)
    except TypeError as error:
        raise ValueError(f"not an effect: {error}") from error
