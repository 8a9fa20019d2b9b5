"""A person says which company at the CRM a lead is about: once, remembered for its subject, in the audit record.

The link is the strongest step of the account match. The lead, and every other lead of the subject that waits for the same
answer, is new again: the next run finds the link and goes on as with any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app import audit
from app.crm.models import crm_account
from app.leads import store
from app.leads.companies import take_back
from app.leads.match import Found, Strength, company_of
from app.leads.models import account_link, lead
from integrations.kernel.errors import InputError, NotFound, StateError

STRENGTH = "linked"
FOUND = 10


class NoSuchAccount(InputError):
    code, status, public = "lead.no_account", 422, "The CRM has no such company any more. Choose another one."


class Answered(StateError):
    code, public = "lead.answered", "Somebody said already which company this is, or it waits for no answer any more."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A company it may be. reason: why, in words; empty for one that a person looked for."""

    crm_id: str
    account_id: str
    name: str = ""
    reason: str = ""
    domains: tuple[str, ...] = ()


def candidates(cx: sa.Connection, rows: Sequence[Mapping[Any, Any]]) -> dict[str, list[Candidate]]:
    """By lead, in the order the match found them; those that are gone from the CRM are left out."""
    told = {row["id"]: [_candidate(row, one) for one in (row["match"] or {}).get("candidates", ())] for row in rows}
    keys = {(one.crm_id, one.account_id) for found in told.values() for one in found}
    known = {(r.connection_id, r.id): r for r in cx.execute(_accounts(crm_account.c, keys))} if keys else {}
    return {
        lead_id: [
            Candidate(one.crm_id, one.account_id, r.name or one.name, one.reason, tuple(r.domains))
            for one in found
            if (r := known.get((one.crm_id, one.account_id))) is not None
        ]
        for lead_id, found in told.items()
    }


def _candidate(row: Mapping[Any, Any], one: Mapping[str, str]) -> Candidate:
    account_id = str(one.get("account_id") or one.get("id") or "")
    return Candidate(str(one.get("crm_id") or row["crm_id"]), account_id, one.get("name", ""), one.get("reason", ""))


def _accounts(a: Any, keys: set[tuple[str, str]]) -> sa.Select[Any]:  # noqa: ANN401 - columns of a table
    return sa.select(crm_account).where(sa.tuple_(a.connection_id, a.id).in_(keys), ~a.gone)


def find(cx: sa.Connection, part: str) -> list[Candidate]:
    """Companies whose name holds this, or that have it as their id or domain."""
    a = crm_account.c
    fits = sa.or_(a.name.icontains(part, autoescape=True), a.id == part, a.domains.contains([part.casefold()]))
    query = sa.select(crm_account).where(fits, ~a.gone).order_by(a.name, a.id).limit(FOUND)
    return [Candidate(r.connection_id, r.id, r.name, "", tuple(r.domains)) for r in cx.execute(query)]


def link(cx: sa.Connection, lead_id: str, crm_id: str, account_id: str, by: str) -> int:
    """Say that a lead in review is about this company; answers how many leads go on.

    Raises:
        NotFound, NoSuchAccount: what is not there. Answered: it is not in review any more.
    """
    subject = cx.execute(sa.select(lead.c.subject).where(lead.c.id == lead_id)).scalar()
    if subject is None:
        raise NotFound("There is no lead of this id.")
    # And for whoever answers for another lead of the subject: the second finds it answered.
    store.wait_for_gatherers(cx)
    if cx.execute(sa.select(lead.c.state).where(lead.c.id == lead_id)).scalar() != "review":
        raise Answered
    if cx.execute(_accounts(crm_account.c, {(crm_id, account_id)})).first() is None:
        raise NoSuchAccount
    _end(cx, subject, crm_id, by)
    _remember(cx, subject, crm_id, account_id, by)
    moved = _again(cx, subject)
    store.tell(cx, [(one, "linked", f"It is about the company {account_id} at {crm_id}.") for one in moved], by)
    told = {"crm_id": crm_id, "account_id": account_id, "subject": subject, "leads": len(moved)}
    audit.record(cx, by, "leads.account_linked", lead_id, told)
    return len(moved)


def _remember(cx: sa.Connection, subject: str, crm_id: str, account_id: str, by: str) -> None:
    values = {"subject": subject, "crm_id": crm_id, "account_id": account_id, "strength": STRENGTH, "made_by": by}
    cx.execute(sa.insert(account_link).values(**values, reason="A person said so in the review queue."))


def live_link(cx: sa.Connection, subject: str) -> sa.RowMapping | None:
    """What is remembered of a subject."""
    query = sa.select(account_link).where(account_link.c.subject == subject, account_link.c.ended_at.is_(None))
    return cx.execute(query.order_by(account_link.c.id.desc())).mappings().first()


def forget(cx: sa.Connection, lead_id: str, by: str) -> None:
    """The link of this lead's subject was wrong: what was not sent, and what is seen later, is matched without it. Raises
    NotFound."""
    subject = cx.execute(sa.select(lead.c.subject).where(lead.c.id == lead_id)).scalar()
    if subject is None:
        raise NotFound("There is no lead of this id.")
    store.wait_for_gatherers(cx)
    ended = _end(cx, subject, None, by)
    if not ended:
        raise NotFound("Nothing is remembered of this company any more.")
    companies = [company_of(subject, link.crm_id, Found(Strength.LINKED, "", link.account_id)) for link in ended]
    back = [one for company in companies for one in take_back(cx, subject, company)]
    told = dict.fromkeys(back, "It was not sent: it is matched anew, without the link.")
    told.setdefault(lead_id, "What is seen from now on is matched without it; what was sent stays where it is.")
    store.tell(cx, [(one, "link ended", why) for one, why in told.items()], by)
    audit.record(cx, by, "leads.account_link_ended", lead_id, {"subject": subject, "leads": len(back)})


def _again(cx: sa.Connection, subject: str) -> Sequence[str]:
    statement = sa.update(lead).where(lead.c.subject == subject, lead.c.state == "review")
    new = statement.values(state="new", state_at=sa.func.now(), why="")
    return cx.execute(new.returning(lead.c.id)).scalars().all()


def _end(cx: sa.Connection, subject: str, crm_id: str | None, by: str) -> Sequence[sa.Row[Any]]:
    mine = sa.update(account_link).where(account_link.c.subject == subject, account_link.c.ended_at.is_(None))
    if crm_id is not None:
        mine = mine.where(account_link.c.crm_id == crm_id)
    ended = mine.values(ended_at=sa.func.now(), ended_by=by)
    return cx.execute(ended.returning(account_link.c.crm_id, account_link.c.account_id)).all()
