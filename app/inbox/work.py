"""One batch of parsed deliveries inside its transaction: mirrors first, then judgement, then what is wanted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from app import billing, identity, refunds
from app.config import Settings
from app.customers import store as customers
from app.inbox import facts, fan_out, judge, people, recheck, sales, store
from app.inbox.parse import FAN_OUT, VIEWED, Parsed
from app.inbox.read import Reads
from app.tickets import store as tickets
from app.tickets.store import Applied
from app.triggers.engine import CompiledRules
from integrations import registry
from integrations.kernel.events import Event
from integrations.kernel.records import OrganizationRecord, TicketRecord
from integrations.kernel.vendor import Port

Verdicts = dict[int, tuple[str, str | None]]


def work(
    cx: sa.Connection,
    parsed: Sequence[Parsed],
    reads: Mapping[str, Reads],
    own_users: Mapping[str, str],
    rules: CompiledRules,
    settings: Settings,
) -> Verdicts:
    """Apply, judge and plan; answers the verdict of every delivery."""
    verdicts: Verdicts = {one.delivery.id: _first_verdict(one) for one in parsed}
    billing_of: dict[str, list[Parsed]] = defaultdict(list)
    helpdesk_of: dict[str, list[Parsed]] = defaultdict(list)
    for one in parsed:
        if verdicts[one.delivery.id][0] == "done":
            (billing_of if _is_billing(one) else helpdesk_of)[one.delivery.connection_id].append(one)
    for connection_id, mine in sorted(billing_of.items()):  # first: they wait for judges, whom they must not be
        _billing(cx, connection_id, mine, settings)
    if any(people.concerns(event) for mine in helpdesk_of.values() for one in mine for event in one.events):
        store.wait_for_judges(cx)
    store.begin_to_judge(cx)
    _apply_people(cx, reads)
    for connection_id, mine in sorted(helpdesk_of.items()):
        read, own_user = reads.get(connection_id, Reads()), own_users.get(connection_id, "")
        verdicts |= _helpdesk(cx, connection_id, mine, read, own_user, rules, settings)
    return verdicts


def _is_billing(one: Parsed) -> bool:
    card = registry.by_slug(one.vendor)
    return card is not None and Port.BILLING in card.ports


def _first_verdict(one: Parsed) -> tuple[str, str | None]:
    if one.error:
        return "quarantined", one.error
    if not one.events:
        return "ignored", f"no meaning known for {one.delivery.kind}"
    return "done", None


def _apply_people(cx: sa.Connection, reads: Mapping[str, Reads]) -> None:
    """People and companies that came with the tickets read, before anything is judged."""
    for connection_id, read in sorted(reads.items()):
        for answer in read.answers:
            customers.apply_organizations(cx, connection_id, answer.organizations)
            customers.apply_people(cx, connection_id, answer.people)


def _billing(cx: sa.Connection, connection_id: str, mine: Sequence[Parsed], settings: Settings) -> None:
    """Billing events: mirror, profiles, and the open tickets of whoever's facts changed."""
    events = [event for one in mine for event in one.events]
    ladder = facts.ladder(settings)
    identity.index_payers(cx, connection_id, [(e.record, e.occurred_at) for e in events], settings=ladder)
    changed = billing.on_events(cx, connection_id, events, settings.seats_used_key)
    refunds.on_events(cx, connection_id, events)
    sales.payers_changed(cx, connection_id, changed)
    causes = {p: next((e for e in reversed(events) if billing.payer_of(e) == p), events[-1]) for p in sorted(changed)}
    fan_out.start(cx, connection_id, causes, ladder)


def _helpdesk(
    cx: sa.Connection,
    connection_id: str,
    mine: Sequence[Parsed],
    read: Reads,
    own_user: str,
    rules: CompiledRules,
    settings: Settings,
) -> Verdicts:
    """Helpdesk events: mirrors, then rules for every ticket event that somebody else caused."""
    verdicts: Verdicts = {}
    events = [(one, event) for one in mine for event in one.events]
    people.work(cx, connection_id, [event for _, event in events], read.people)
    _organizations(cx, connection_id, [event for _, event in events])
    applied = _tickets(cx, connection_id, [event for _, event in events], read)
    to_judge: list[tuple[Parsed, Event]] = []
    own: set[int] = set()
    for one, event in events:
        if one.delivery.kind == FAN_OUT:
            fan_out.go_on(cx, connection_id, event)
        elif event.subject.type != "ticket" or event.kind == VIEWED:
            continue
        elif own_user and event.actor == own_user:
            verdicts[one.delivery.id] = ("own", None)  # the loop guard: mirror yes, rules no
            own.add(one.delivery.id)
        else:
            if event.record is not None and event.record.as_of < applied[event.subject.id].as_of:
                verdicts[one.delivery.id] = ("stale", "older than what was known; the mirror was left as it is")
            to_judge.append((one, event))
    sales.tickets_changed(cx, connection_id, [e.subject.id for _, e in events if e.subject.type == "ticket"], settings)
    judge.judge(cx, connection_id, to_judge, rules, settings)
    recheck.ask(cx, connection_id, applied, events, own)
    return verdicts


def _organizations(cx: sa.Connection, connection_id: str, events: Sequence[Event]) -> None:
    organizations = [e.record for e in events if isinstance(e.record, OrganizationRecord)]
    customers.apply_organizations(cx, connection_id, organizations)


def _tickets(cx: sa.Connection, connection_id: str, events: Sequence[Event], read: Reads) -> Mapping[str, Applied]:
    """Put what was read and what the events told into the mirror; answers what that did, by ticket."""
    told = [e.record for e in events if isinstance(e.record, TicketRecord)]
    # Of one moment the read comes last: it is the vendor's word of now, a delivery may be whole and late.
    records = told + [t for answer in read.answers for t in answer.tickets]
    applied = tickets.apply(cx, connection_id, records)
    tickets.mark_gone(cx, connection_id, [ticket_id for answer in read.answers for ticket_id in answer.gone])
    for e in events:
        if e.kind in ("ticket.deleted", "ticket.purged"):
            tickets.mark_gone(cx, connection_id, [e.subject.id], e.occurred_at)
    return applied
