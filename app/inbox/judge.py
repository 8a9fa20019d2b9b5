"""Rules over the events of a batch, what they want put into the outbox, and the trace that explains it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from app import billing, outbox
from app.config import Settings
from app.history import store as history
from app.inbox import facts as facts_of
from app.inbox import sales
from app.inbox.parse import Parsed
from app.outbox.effects import Effect
from app.outbox.service import Plan
from app.outbox.store import busy_tickets
from app.outbox.wanted import from_effects
from app.telemetry import metrics
from app.telemetry.logs import get_logger
from app.tickets import store as tickets
from app.triggers.engine import CompiledRules, EventFacts, evaluate
from integrations.kernel.events import Event

log = get_logger(__name__)


def judge(
    cx: sa.Connection, connection_id: str, events: Sequence[tuple[Parsed, Event]], rules: CompiledRules,
    settings: Settings,
) -> None:  # fmt: skip
    """Evaluate every active rule, in order, for each event; merge what is wanted of a ticket; write it down."""
    if not events:
        return
    mirror = tickets.read(cx, connection_id, sorted({event.subject.id for _, event in events}))
    living = {key: ticket for key, ticket in mirror.items() if not ticket.gone and ticket.status != "closed"}
    facts = facts_of.gather(cx, connection_id, living, settings)
    effects: dict[str, list[Effect]] = defaultdict(list)
    judgements, judged = [], []
    for parsed, event in events:
        ticket_id = event.subject.id
        if ticket_id not in living:
            continue
        facts_now = {**facts[ticket_id], **facts_of.event_facts(event)}
        seen = EventFacts(
            event.kind, event.occurred_at, facts_now, event.changes, connection_id, ticket_id, event.event_key
        )
        outcome = evaluate(rules, seen, billing.relative_facts)
        effects[ticket_id] += outcome.effects
        judged.append((event, facts_now, outcome.effects))
        judgements.append(
            history.Judgement.of(parsed.delivery.id, connection_id, event, facts_now, outcome, rules.version)
        )
    history.record(cx, judgements)
    sales.rules_want(cx, connection_id, judged, settings)
    held = busy_tickets(cx, connection_id, sorted(effects), settings.writes_per_ticket)
    plans = [
        Plan(ticket_id, from_effects(wanted), living[ticket_id].values, tuple(sorted({e.rule for e in wanted})))
        for ticket_id, wanted in sorted(effects.items())
        if wanted
    ]
    changed = outbox.enqueue(cx, connection_id, plans, gather_s=settings.outbox_gather_s, held=held)
    if late := sorted(changed & held.keys()):
        metrics.EFFECTS.labels("held").inc(len(late))
        log.warning("tickets_held", connection_id=connection_id, tickets=late[:20], count=len(late))
