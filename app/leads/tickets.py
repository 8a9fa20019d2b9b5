"""Signals and holds out of tickets, as rules want them and as the policy's tags say. In the transaction that judged them.

Nothing is understood here: a list of the admin's words is there or not, a tag is there or not, a ticket is solved or not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app import holds, identity
from app.customers import store as customers
from app.customers.folding import is_free_mail
from app.customers.store import Person
from app.identity import IdentitySettings, Match, Requester
from app.leads.models import lead_signal
from app.leads.policy import KIND_OF, LeadPolicy
from app.leads.redact import holds as has_word
from app.leads.redact import own, quotes
from app.leads.signal import payer_subject, quarter
from app.tickets.patterns import compiled
from integrations.kernel.clock import parse_iso

SOURCE = "ticket"
SOLVED = frozenset({"solved", "closed", "deleted"})
QUOTES = 5
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a rule wants of leads. kind, payload: of the effect. facts: those the rule saw. at: the event's time."""

    kind: str
    payload: Mapping[str, Any]
    rule: str
    connection_id: str
    ticket_id: str
    facts: Mapping[str, Any]
    at: datetime

    @property
    def ticket(self) -> Key:
        return self.connection_id, self.ticket_id


@dataclass(frozen=True, slots=True)
class Who:
    """A ticket's requester and who pays for them."""

    person: Person | None = None
    match: Match = field(default_factory=Match)

    @property
    def payers(self) -> tuple[Key, ...]:
        """Payers of theirs, or where there is none those of their company: enough to wait for, not to pay back."""
        return tuple(one.key for one in self.match.payers) or self.match.company


def carry_out(cx: sa.Connection, wishes: Sequence[Wish], policy: LeadPolicy, ladder: IdentitySettings) -> None:
    """Write the signals and open the holds that rules want; the same wish twice is one."""
    mine = [one for one in wishes if _asked(one, policy)]
    if not mine:
        return
    found = who(cx, {one.ticket: str(one.facts.get("requester.id") or "") for one in mine}, ladder)
    for one in mine:
        if one.kind == "leads.hold":
            holds.open(cx, *_holds(one, found[one.ticket]))
        else:
            _signals(cx, one, found[one.ticket], policy)


def who(cx: sa.Connection, tickets: Mapping[Key, str], ladder: IdentitySettings) -> dict[Key, Who]:
    """By ticket (connection, id) -> requester's id: the person and the payers, in a fixed number of statements."""
    requesters = {t: Requester(t[0], person_id) for t, person_id in tickets.items() if person_id}
    matches = identity.match(cx, sorted(set(requesters.values())), ladder, remember=False)
    people: dict[Key, Person] = {}
    for connection_id in sorted({r.connection_id for r in requesters.values()}):
        ids = sorted({r.person_id for r in requesters.values() if r.connection_id == connection_id})
        people |= {(connection_id, i): p for i, p in customers.people(cx, connection_id, ids).items()}
    return {
        t: Who(people.get((r.connection_id, r.person_id)), matches[r]) if (r := requesters.get(t)) else Who()
        for t in tickets
    }


def _asked(wish: Wish, policy: LeadPolicy) -> bool:
    """Is a word of a list it names there, or does it name none? What a mail quotes are not the customer's words."""
    lists = wish.payload["words"]
    texts = [own(text) for text in _texts(wish.facts)] if lists else []
    return not lists or any(
        has_word(compiled(line), text) for name in lists for line in policy.words.get(name, ()) for text in texts
    )


def _texts(facts: Mapping[str, Any]) -> list[str]:
    """What the customer just wrote: the new comment, or the ticket's first words; never what staff wrote."""
    if facts.get("event.comment_by_staff"):
        return []
    comment = facts.get("event.comment")
    told = [comment] if comment else [facts.get("ticket.subject"), facts.get("ticket.description")]
    return [text for text in told if isinstance(text, str)]


def _signals(cx: sa.Connection, wish: Wish, found: Who, policy: LeadPolicy) -> None:
    """One row a list whose words are there, or one of the rule itself; lines told before stay beside the new ones."""
    texts, names = _texts(wish.facts), [found.person.name] if found.person else []
    lists = wish.payload["words"]
    for name in lists or [""]:
        patterns = [compiled(line) for line in policy.words.get(name, ())]
        lines = quotes(texts, patterns, names) if patterns or not name else ()
        if name and not lines:
            continue
        signal = f"{name}_words" if name else "rule"
        if policy.wants(signal):
            source = f"ticket:{wish.connection_id}:{wish.ticket_id}" + ("" if name else f":{wish.rule}")
            kind = wish.payload["lead"] or KIND_OF[signal]
            _put(cx, wish, found, {"name": signal, "kind": kind, "source": source}, lines)


def _put(cx: sa.Connection, wish: Wish, found: Who, key: Mapping[str, str], lines: Sequence[str]) -> None:
    s = lead_signal.c
    row = {**key, "subject": subject(wish, found), "period": quarter(_began(wish))}
    _same_episode(cx, wish, row)
    mine = sa.and_(*(s[name] == value for name, value in row.items()))
    before = cx.execute(sa.select(s.facts, s.happened_at).where(mine).with_for_update()).first()
    told = {(q["on"], q["text"]) for q in (before.facts.get("quotes", ()) if before else ())}
    at = _said(wish) if wish.payload["words"] else wish.at
    told |= {(_said(wish).astimezone(UTC).date().isoformat(), line) for line in lines}
    facts: dict[str, Any] = {"quotes": [{"on": on, "text": text} for on, text in sorted(told)[-QUOTES:]]}
    facts |= {"note": wish.payload["note"]} if wish.payload["note"] else {}
    payer = _payer(found) or holds.NOBODY
    happened = max(at, before.happened_at) if before else at
    values = {
        "facts": facts, "digest": hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32],
        "rule": wish.rule, "happened_at": happened, "payer_connection_id": payer[0], "payer_id": payer[1],
        "connection_id": wish.connection_id, "ticket_id": wish.ticket_id, "ended_at": None,
        "person_id": found.person.id if found.person else "",
    }  # fmt: skip
    statement = insert(lead_signal).values(**row, **values)
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["subject", "kind", "name", "source", "period"],
            set_={**values, "seen_at": sa.func.now()},
            where=s.digest != statement.excluded.digest,
        )
    )


def _same_episode(cx: sa.Connection, wish: Wish, row: Mapping[str, str]) -> None:
    """One ticket is one episode, also when more is known by now of whom it is about: its row goes over to them."""
    s = lead_signal.c
    rest = [s[name] == value for name, value in row.items() if name != "subject"]
    of_ticket = (
        s.connection_id == wish.connection_id,
        s.ticket_id == wish.ticket_id,
        s.ticket_id != sa.text("''"),
        *rest,
    )
    found = cx.execute(sa.select(s.id, s.subject).where(*of_ticket).order_by(s.id).with_for_update()).all()
    if found and row["subject"] not in {one.subject for one in found}:
        changed = sa.update(lead_signal).where(s.id == found[-1].id)
        cx.execute(changed.values(subject=row["subject"], judged_digest=""))


def _said(wish: Wish) -> datetime:
    """When the words were written that are looked at: a ticket that is only judged again says nothing new."""
    return wish.at if wish.facts.get("event.comment") else min(_began(wish), wish.at)


def _began(wish: Wish) -> datetime:
    """When the ticket was made: however long it goes on, it is one episode."""
    try:
        return parse_iso(str(wish.facts.get("ticket.created_at") or "")).astimezone(UTC)
    except ValueError:
        return wish.at.astimezone(UTC)


def subject(wish: Wish, found: Who) -> str:
    """Whom a ticket's signal is about: the one payer there is, else the company as well as it is known, else the person.

    A domain that nobody verified is anybody's: it names no company, as it names none to holds."""
    if payer := _payer(found):
        return payer_subject(*payer)
    if found.person is None:
        return f"person:{wish.connection_id}:ticket-{wish.ticket_id}"
    if found.person.organization_id:
        return f"organization:{wish.connection_id}:{found.person.organization_id}"
    domain = found.person.email_domain
    if domain in _verified(found.person) and not is_free_mail(domain):
        return f"domain:{domain}"
    return f"person:{wish.connection_id}:{found.person.id}"


def _payer(found: Who) -> Key | None:
    """The one payer a signal may be about; that of their company only where no unverified domain may have named it."""
    if found.person is not None and not found.match.payers:
        told = {a.domain for a in found.person.addresses if not is_free_mail(a.domain)}
        company = found.person.company
        if told - _verified(found.person) - set(company.domains if company else ()):
            return None
    return found.payers[0] if len(found.payers) == 1 else None


def _verified(person: Person) -> set[str]:
    """Domains of the addresses that the helpdesk has verified."""
    return {a.domain for a in person.addresses if a.verified}


def _holds(wish: Wish, found: Who) -> Iterable[holds.Hold]:
    until = f"until the ticket is solved, at most {wish.payload['days']} days"
    at = (_said(wish) if wish.payload["words"] else wish.at) + timedelta(days=wish.payload["days"])
    if at <= wish.at:
        return ()  # those words have held as long as they may
    return held(wish.ticket, f"rule:{wish.rule}", wish.payload["why"], until, found, at)


def held(
    ticket: Key, reason: str, why: str, until_what: str, found: Who, until_at: datetime | None = None
) -> Iterable[holds.Hold]:
    """One hold a payer of the requester, or one of the person where nobody pays. reason: what tells its holds apart."""
    person = (ticket[0], found.person.id) if found.person else holds.NOBODY
    for payer in found.payers or (holds.NOBODY,):
        source_id = ":".join((*ticket, reason, *(payer if payer[1] else ("nobody",))))
        yield holds.Hold(SOURCE, source_id, why, until_what, payer, person, ticket, until_at)
