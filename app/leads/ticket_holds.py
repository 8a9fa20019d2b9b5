"""Tickets that hold leads back by the policy: unsolved ones with a tag the admin named, and unsolved urgent ones.

Judged from the mirror whenever tickets were mirrored, and once more by a sweep; a ticket that is solved or gone releases
whatever it held, a rule's hold too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from app import holds
from app.identity import IdentitySettings
from app.leads.policy import LeadPolicy
from app.leads.tickets import SOLVED, SOURCE, Key, held, who
from app.tickets import store as tickets
from app.tickets.models import OPEN, ticket
from app.tickets.store import Ticket

CHUNK = 500
RULE = "rule:"
_UNTIL_TAG = "until the ticket is solved or the tag is taken off"
_UNTIL_URGENT = "until the ticket is solved or urgent no more"


def follow(cx: sa.Connection, found: Mapping[Key, Ticket], policy: LeadPolicy, ladder: IdentitySettings) -> None:
    """Open and release the holds of these tickets, as the mirror has them now."""
    known = holds.of_tickets(cx, found)
    wanted = {key: _reasons(one, policy) for key, one in found.items()}
    for key, source_ids in known.items():
        _release(cx, found[key], key, source_ids, wanted[key])
    fresh = {
        key: {r: words for r, words in reasons.items() if not _has(known.get(key, ()), key, r)}
        for key, reasons in wanted.items()
    }
    fresh = {key: reasons for key, reasons in fresh.items() if reasons}
    if not fresh:
        return
    people = who(cx, {key: str(found[key].values.get("requester_id") or "") for key in fresh}, ladder)
    for key, reasons in fresh.items():
        for reason, (why, until) in reasons.items():
            holds.open(cx, *held(key, reason, why, until, people[key]))


def _reasons(one: Ticket, policy: LeadPolicy) -> dict[str, tuple[str, str]]:
    """reason -> (why, until what)."""
    if not _is_unsolved(one):
        return {}
    tags = {str(tag) for tag in one.values.get("tags") or ()}
    found = {f"tag:{tag}": (f"a ticket has the tag {tag}", _UNTIL_TAG) for tag in policy.hold_tags if tag in tags}
    if policy.hold_urgent and one.values.get("priority") == "urgent":
        found["urgent"] = ("an urgent ticket is not solved", _UNTIL_URGENT)
    return found


def _is_unsolved(one: Ticket) -> bool:
    return not one.gone and one.values.get("status") not in SOLVED


def _prefix(key: Key, reason: str) -> str:
    return ":".join((*key, reason, ""))


def _has(source_ids: Iterable[str], key: Key, reason: str) -> bool:
    return any(one.startswith(_prefix(key, reason)) for one in source_ids)


def _release(cx: sa.Connection, one: Ticket, key: Key, source_ids: list[str], wanted: Mapping[str, object]) -> None:
    if not _is_unsolved(one):
        holds.release(cx, SOURCE, source_ids, "the ticket is solved" if not one.gone else "the ticket is gone")
        return
    rule = ":".join((*key, RULE))
    stay = [s for s in source_ids if s.startswith(rule) or any(_has([s], key, reason) for reason in wanted)]
    holds.release(cx, SOURCE, set(source_ids) - set(stay), "what held it is gone from the ticket")


def sweep(cx: sa.Connection, policy: LeadPolicy, ladder: IdentitySettings) -> int:
    """All tickets once more, by the mirror: what a lost delivery left open or unseen. Answers how many were looked at."""
    holds.release_overdue(cx)
    keys = sorted(_concerned(cx, policy))
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        for connection_id in sorted({c for c, _ in part}):
            ids = [i for c, i in part if c == connection_id]
            found = tickets.read(cx, connection_id, ids)
            follow(cx, {(connection_id, i): one for i, one in found.items()}, policy, ladder)
    return len(keys)


def _concerned(cx: sa.Connection, policy: LeadPolicy) -> set[Key]:
    """Tickets that hold, and unsolved ones that should."""
    mine = sa.text("SELECT DISTINCT connection_id, ticket_id FROM hold WHERE source = :s AND released_at IS NULL")
    found = {(r.connection_id, r.ticket_id) for r in cx.execute(mine, {"s": SOURCE}) if r.ticket_id}
    clauses = []
    if policy.hold_urgent:
        clauses.append(ticket.c["values"]["priority"].astext == "urgent")
    if policy.hold_tags:
        clauses.append(ticket.c["values"]["tags"].has_any(sa.cast(list(policy.hold_tags), sa.ARRAY(sa.Text))))
    if clauses:
        query = sa.select(ticket.c.connection_id, ticket.c.id).where(OPEN, sa.or_(*clauses))
        found |= {(r.connection_id, r.id) for r in cx.execute(query)}
    return found
