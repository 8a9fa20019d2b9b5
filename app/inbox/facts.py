"""The facts of many tickets at once: ticket, requester, company, billing. A fixed number of statements a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app import billing, identity
from app.config import Settings
from app.customers import store as customers
from app.identity import IdentitySettings, Match, Requester
from app.tickets.store import Ticket
from integrations.kernel.events import Event

Facts = dict[str, Any]

_TICKET = (
    "subject", "description", "status", "priority", "type", "tags", "channel", "assignee_id", "group_id",
    "organization_id", "brand_id", "form_id", "external_id", "is_public", "created_at",
)  # fmt: skip


def gather(
    cx: sa.Connection, connection_id: str, tickets: Mapping[str, Ticket], settings: Settings
) -> dict[str, Facts]:
    """Facts by ticket id. Base values and dates only: what depends on "now" is derived when a rule asks."""
    people = customers.people(cx, connection_id, sorted({t.requester_id for t in tickets.values() if t.requester_id}))
    requesters = {t.id: Requester(connection_id, t.requester_id) for t in tickets.values() if t.requester_id}
    matches = identity.match(cx, sorted(set(requesters.values())), ladder(settings))
    profiles = billing.profiles(cx, _payers(matches.values()))
    result: dict[str, Facts] = {}
    for ticket in tickets.values():
        facts = _ticket_facts(ticket)
        person = people.get(ticket.requester_id or "")
        if person is not None:
            facts |= _person_facts(person)
        match = matches.get(requesters[ticket.id]) if ticket.id in requesters else None
        facts |= _billing_facts(match, profiles)
        result[ticket.id] = facts
    return result


def ladder(settings: Settings) -> IdentitySettings:
    """How the admin set the identity ladder."""
    return IdentitySettings(
        plus_addresses=settings.plus_addresses, link_keys=settings.payer_link_keys,
        organization_keys=settings.organization_link_keys, organization_fields=settings.organization_fields,
    )  # fmt: skip


def event_facts(event: Event) -> Facts:
    """What just happened, as facts of this event only."""
    own = {f"event.{name}": value for name, value in event.note.items() if name in _EVENT}
    return {"event.actor": event.actor or None, **own}


_EVENT = ("comment", "comment_public", "comment_by_staff", "tags_added", "tags_removed", "caught_up")


def _payers(matches: Iterable[Match]) -> list[tuple[str, str]]:
    keys = {(p.connection_id, p.payer_id) for m in matches for p in m.payers}
    return sorted(keys | {key for m in matches for key in m.company})


def _ticket_facts(ticket: Ticket) -> Facts:
    facts: Facts = {f"ticket.{name}": ticket.values[name] for name in _TICKET if name in ticket.values}
    facts["ticket.id"] = ticket.id
    for field_id, value in (ticket.values.get("custom_fields") or {}).items():
        facts[f"ticket.custom_fields.{field_id}"] = value
    return facts


def _person_facts(person: Any) -> Facts:  # noqa: ANN401 - app.customers.store.Person
    return {
        "requester.id": person.id,
        "requester.name": person.name,
        "requester.email": person.email,
        "requester.email_domain": person.email_domain,
        "requester.locale": person.locale,
        "requester.role": person.role,
        "requester.external_id": person.external_id,
    }


def _billing_facts(match: Match | None, profiles: Mapping[tuple[str, str], Any]) -> Facts:
    """Facts of the payers on the best rung; the company's roll-up beside them. No payer: everything says "none"."""
    payers: Sequence[Any] = []
    company: Sequence[Any] = []
    if match is not None:
        payers = [profiles[k] for p in match.payers if (k := (p.connection_id, p.payer_id)) in profiles]
        company = [profiles[key] for key in match.company if key in profiles]
    facts = billing.base_facts(payers, company)
    facts["requester.match_strength"] = match.payers[0].strength if match is not None and match.payers else "none"
    facts["requester.look_alike"] = bool(match is not None and match.warnings)
    return facts
