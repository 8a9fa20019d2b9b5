"""One signal, as read from its row, and the subjects signals are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Signal:
    """One reason seen once. source: a subscription's id, or `ticket:<connection>:<id>`.

    facts of billing: plan, seats, used, minor + currency (the value of one period), months (its length), status; and
        `on` (the day it is about), `step` (renewal: days before it), `was` (growth, downgrade: what it was before;
        `days` within which), `owed` (failed_payment: minor units), `renews_on`. What is not known is missing.
    facts of a ticket: `quotes` [{"on": day, "text": redacted}], `words` (the admin's list that matched), `note` (the
        rule's own sentence), `domain` + `verified` of the requester's address.
    happened_at: the vendor's time, of the newest telling; a ticket's points decay from its day on.
    """

    name: str
    kind: str
    source: str
    period: str
    happened_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    rule: str = ""
    payer: tuple[str, str] = ("", "")
    ticket: tuple[str, str] = ("", "")
    person_id: str = ""


def of_row(row: Any) -> Signal:  # noqa: ANN401 - a row of lead_signal
    """A signal from its row."""
    return Signal(
        row.name, row.kind, row.source, row.period, row.happened_at, row.facts, row.subject, row.rule,
        (row.payer_connection_id, row.payer_id), (row.connection_id, row.ticket_id), row.person_id,
    )  # fmt: skip


def payer_subject(connection_id: str, payer_id: str) -> str:
    """The subject of a payer; `scan` makes the same text in SQL."""
    return f"payer:{connection_id}:{payer_id}"


def quarter(moment: datetime) -> str:
    """`2026-Q4`: the period of what has no date of its own; an episode keeps the quarter it began in."""
    return f"{moment.year}-Q{(moment.month + 2) // 3}"
