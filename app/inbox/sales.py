"""What the inbox has to tell leads and holds: payers that changed, tickets that were mirrored, what rules want of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from app.config import Settings
from app.inbox import facts as facts_of
from app.leads import ticket_holds, tickets
from app.leads.signals import scan_payers
from app.leads.store_policy import active_policy
from app.outbox.effects import Effect
from app.tickets import store as mirror
from integrations.kernel.clock import utc_now
from integrations.kernel.events import Event

Judged = tuple[Event, Mapping[str, object], Sequence[Effect]]  # an event, the facts rules saw, what they want


def payers_changed(cx: sa.Connection, connection_id: str, payers: Iterable[str]) -> None:
    """Signals of payers whose billing just changed, at once."""
    changed = {(connection_id, payer_id) for payer_id in payers}
    if changed:
        scan_payers(cx, changed, active_policy(cx), utc_now())


def rules_want(cx: sa.Connection, connection_id: str, judged: Iterable[Judged], settings: Settings) -> None:
    """Carry out what is no write of a ticket, in the transaction that judged it."""
    wishes = [
        tickets.Wish(e.kind, e.payload, e.rule, connection_id, e.ticket_id, facts, event.occurred_at)
        for event, facts, effects in judged
        for e in effects
        if not e.is_of_ticket
    ]
    if wishes:
        tickets.carry_out(cx, wishes, active_policy(cx), facts_of.ladder(settings))


def tickets_changed(cx: sa.Connection, connection_id: str, ticket_ids: Iterable[str], settings: Settings) -> None:
    """Tickets that hold leads back, by the policy, as the mirror has them now."""
    found = mirror.read(cx, connection_id, sorted(set(ticket_ids)))
    if found:
        here = {(connection_id, ticket_id): one for ticket_id, one in found.items()}
        ticket_holds.follow(cx, here, active_policy(cx), facts_of.ladder(settings))
