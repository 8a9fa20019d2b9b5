"""Tickets that hold leads back by the policy: unsolved ones with a tag the admin named, and unsolved urgent ones.

Judged from the mirror whenever tickets were mirrored, and once more by a sweep; a ticket that is solved or gone releases
whatever it held, a rule's hold too. Holds are of whom the ticket is about now: another requester, or another payer of
theirs, and they go over, a rule's with the days it has left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa

from app import holds
from app.holds import Hold
from app.identity import IdentitySettings
from app.leads.policy import LeadPolicy
from app.leads.tickets import SOLVED, SOURCE, Key, Who, held, who
from app.tickets import store as tickets
from app.tickets.models import OPEN, ticket
from app.tickets.store import Ticket

CHUNK = 500
RULE = "rule:"
_UNTIL_TAG = "until the ticket is solved or the tag is taken off"
_UNTIL_URGENT = "until the ticket is solved or urgent no more"
Reasons = Mapping[str, tuple[str, str, datetime | None]]  # reason -> why, until what, at the latest until when


def follow(cx: sa.Connection, found: Mapping[Key, Ticket], policy: LeadPolicy, ladder: IdentitySettings) -> None:
    """Open and release the holds of these tickets, as the mirror has them now."""
    _settle(cx, found, holds.of_tickets(cx, found), policy, ladder)


def _settle(
    cx: sa.Connection, found: Mapping[Key, Ticket], known: Mapping[Key, Collection[Hold]], policy: LeadPolicy,
    ladder: IdentitySettings,
) -> None:  # fmt: skip
    wanted = {key: _reasons(key, one, policy, known.get(key, ())) for key, one in found.items()}
    people = who(cx, {key: _requester(found[key]) for key, reasons in wanted.items() if reasons}, ladder)
    over: dict[str, set[str]] = defaultdict(set)
    fresh: list[list[Hold]] = []
    for key, one in found.items():
        mine = {_whom(hold): hold for hold in known.get(key, ())}
        right = _right(key, one, wanted[key], people[key], mine.values()) if wanted[key] else {}
        for whom, hold in mine.items():
            if whom not in right:
                over[_why_over(key, one, hold, wanted[key])].add(hold.source_id)
        fresh.append([hold for whom, hold in right.items() if whom not in mine])
    for why, source_ids in sorted(over.items()):
        holds.release(cx, SOURCE, source_ids, why)
    for some in fresh:
        holds.open(cx, *some)


def _reasons(key: Key, one: Ticket, policy: LeadPolicy, known: Collection[Hold]) -> Reasons:
    """Why it holds now: by the policy, and as rules said before."""
    if not _is_unsolved(one):
        return {}
    tags = {str(tag) for tag in one.values.get("tags") or ()}
    found: dict[str, tuple[str, str, datetime | None]] = {
        f"tag:{tag}": (f"a ticket has the tag {tag}", _UNTIL_TAG, None) for tag in policy.hold_tags if tag in tags
    }
    if policy.hold_urgent and one.values.get("priority") == "urgent":
        found["urgent"] = ("an urgent ticket is not solved", _UNTIL_URGENT, None)
    for hold in known:
        if (reason := _reason(key, hold)).startswith(RULE):
            found.setdefault(reason, (hold.why, hold.until_what, hold.until_at))
    return found


def _is_unsolved(one: Ticket) -> bool:
    return not one.gone and one.values.get("status") not in SOLVED


def _requester(one: Ticket) -> str:
    return str(one.values.get("requester_id") or "")


def _whom(hold: Hold) -> tuple[str, Key, Key]:
    """What makes it another hold: its reason, and whom it is about."""
    return hold.source_id, hold.payer, hold.person


def _reason(key: Key, hold: Hold) -> str:
    """As `held` was given it."""
    payer = ":".join(hold.payer) if hold.payer[1] else "nobody"
    return hold.source_id.removeprefix(f"{':'.join(key)}:").removesuffix(f":{payer}")


def _right(
    key: Key, one: Ticket, wanted: Reasons, about: Who, known: Collection[Hold]
) -> dict[tuple[str, Key, Key], Hold]:
    """The holds it should have. While nobody knows whose ticket it is, those it has are right, unless another's."""
    requester, unknown = _requester(one), about.person is None and not about.payers
    right: list[Hold] = []
    for reason, (why, until_what, until_at) in wanted.items():
        kept = [
            hold for hold in known
            if unknown and _reason(key, hold) == reason and (not requester or hold.person[1] in ("", requester))
        ]  # fmt: skip
        right += kept or held(key, reason, why, until_what, about, until_at)
    return {_whom(hold): hold for hold in right}


def _why_over(key: Key, one: Ticket, hold: Hold, wanted: Reasons) -> str:
    if not _is_unsolved(one):
        return "the ticket is gone" if one.gone else "the ticket is solved"
    if _reason(key, hold) in wanted:
        return "the ticket is about somebody else now"
    return "what held it is gone from the ticket"


def sweep(cx: sa.Connection, policy: LeadPolicy, ladder: IdentitySettings) -> int:
    """All tickets once more, by the mirror: what a lost delivery left open or unseen. Answers how many were looked at."""
    holds.release_overdue(cx)
    keys = sorted(_concerned(cx, policy))
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        for connection_id in sorted({c for c, _ in part}):
            mine = [key for key in part if key[0] == connection_id]
            # Holds first: a ticket that changes meanwhile has newer ones, and those are left alone.
            known = holds.of_tickets(cx, mine)
            found = tickets.read(cx, connection_id, [i for _, i in mine])
            _settle(cx, {(connection_id, i): one for i, one in found.items()}, known, policy, ladder)
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
