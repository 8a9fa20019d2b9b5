"""A subject turns out to be a company at the CRM, or its company was merged into another there: its open leads become that
company's, and meet those it has already. Of a company that is gone without another, those that were not sent are the
subject's again.

Of two that are about the same, the one with the record at the CRM stays; the other is dropped with its reason, and its
signals go over; they bring back one that was dropped itself. One that was not sent waits for the end of the company's rest
after a verdict, as any other would. What is with the CRM at this moment is left alone: the next run finds it settled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.crm.models import crm_account
from app.leads import store
from app.leads.match import Found
from app.leads.models import lead, lead_signal
from app.leads.states import OPEN, UNSENT, State

Row = Mapping[Any, Any]
_BUSY = (State.SENDING.value, State.UNKNOWN.value)
_OPEN = [one.value for one in OPEN]
_UNSENT = [one.value for one in UNSENT]


def adopt(cx: sa.Connection, found: Mapping[str, tuple[str, Found]], rests: Callable[[Row], bool]) -> None:
    """Args: found: subject -> (company, match); where the CRM knows none, the company is the subject. rests: was it answered
    for lately? The caller holds the locks of both."""
    known_there = [subject for subject, (company, _) in found.items() if company != subject]
    before = store.of_companies(cx, known_there, lock=True) if known_there else []
    moving: list[Row] = [row for row in before if row["state"] in _OPEN]
    moving += [row for row in _gone(cx, found) if _leaves(row, found[row["subject"]][0])] if found else []
    if not moving:
        return
    theirs = store.of_companies(cx, {company for company, _ in found.values()}, lock=True)
    known: dict[tuple[str, str, str], Row] = {(row["company"], row["kind"], row["id"]): row for row in theirs}
    for row in moving:
        company, match = found[row["company"]] if row["company"] in found else found[row["subject"]]
        mine = [one for (c, kind, _), one in known.items() if c == company and kind == row["kind"]]
        if _join(cx, row, mine, company, match, rests):
            known[company, row["kind"], row["id"]] = row


def _leaves(row: Row, company: str) -> bool:
    """Does a lead of a company that is gone go to this one? What was sent keeps its record, unless that went to another."""
    return bool(row["company"] != company) and (company != row["subject"] or row["state"] in _UNSENT)


def _gone(cx: sa.Connection, subjects: Collection[str]) -> Sequence[Row]:
    """Open leads of these subjects whose company is gone from the CRM."""
    a, at = crm_account.c, (crm_account.c.connection_id == lead.c.crm_id, crm_account.c.id == lead.c.account_id)
    query = sa.select(lead).join(crm_account, sa.and_(*at)).where(a.gone, lead.c.subject.in_(sorted(subjects)))
    query = query.where(lead.c.state.in_(_OPEN)).order_by(lead.c.id).with_for_update(of=lead)
    return cx.execute(query).mappings().all()


def _join(
    cx: sa.Connection, row: Row, mine: Sequence[Row], company: str, match: Found, rests: Callable[[Row], bool]
) -> bool:
    """True when the lead is the company's from now on."""
    open_one = next((one for one in mine if one["state"] in _OPEN), None)
    same = next((one for one in mine if one["period"] == row["period"]), None)
    if row["state"] in _BUSY or (open_one is not None and open_one["state"] in _BUSY):
        return False
    unsent = row["state"] in _UNSENT
    resting = max((one for one in mine if rests(one)), key=lambda one: one["verdict_at"], default=None)
    rival = open_one or same or (resting if unsent else None)
    if rival is None:
        _becomes(cx, row, company, match)
        return True
    if unsent:
        _drop(cx, row, rival)
        return False
    if open_one is not None and same in (None, open_one) and open_one["state"] in _UNSENT:
        _drop(cx, open_one, row, keep_company=False)
        _becomes(cx, row, company, match)
        return True
    return False  # both have a record at the CRM: each keeps its own, later signals go to the company's


def take_back(cx: sa.Connection, subject: str, company: str) -> list[str]:
    """It was wrong that this subject is this company: what was not sent leaves it, to be judged by the next run. Answers the
    leads that are the subject's again. The caller waited for the gatherers.

    What others of the company had seen stays with the company. A lead that has no place to go back to stays too, and
    gives what was seen away.
    """
    unsent = [row for row in store.open_of(cx, [company]) if row["state"] in _UNSENT and row["pushed_at"] is None]
    telling = {one.lead_id for one in store.signals_of(cx, [row["id"] for row in unsent]) if one.subject == subject}
    back, touched = [], [row for row in unsent if row["subject"] == subject or row["id"] in telling]
    own = store.of_companies(cx, [subject], lock=True)
    for row in touched:
        new: dict[str, Any] = {"state": State.NEW.value, "state_at": sa.func.now(), "why": "", "due_at": None}
        if row["subject"] == subject and _has_place(row, own):
            store.change(cx, row["id"], company=subject, account_id="", match={}, **new)
            back.append(str(row["id"]))
        elif row["state"] == State.DUE.value:  # not to be sent with what it tells now
            store.change(cx, row["id"], **new)
    signals = sa.update(lead_signal).where(lead_signal.c.lead_id.in_([row["id"] for row in touched]))
    cx.execute(signals.where(lead_signal.c.ended_at.is_(None)).values(judged_digest=""))
    return back


def _has_place(row: Row, there: Sequence[Row]) -> bool:
    """One open lead a company and kind, one a period."""
    same = (one for one in there if one["kind"] == row["kind"])
    return not any(one["state"] in _OPEN or one["period"] == row["period"] for one in same)


def _becomes(cx: sa.Connection, row: Row, company: str, match: Found) -> None:
    store.change(cx, row["id"], company=company, account_id=match.account_id, match=match.to_json())
    store.tell(cx, [(row["id"], "matched" if match.account_id else "matched again", match.reason)])


def _drop(cx: sa.Connection, loser: Row, winner: Row, *, keep_company: bool = True) -> None:
    why = f"The company has {winner['id']} for the same reason; what was seen goes there."
    values: dict[str, Any] = {} if keep_company else {"company": f"merged:{loser['id']}"}
    # Without an end of its hold: kept, that says it was held too long, and keeps what is seen later from the winner.
    store.move(cx, loser["id"], loser["state"], State.DROPPED, why, due_at=None, expires_at=None, **values)
    told: dict[str, Any] = {"lead_id": winner["id"], "seen_at": sa.func.now()}  # news once the winner's rest is over
    if winner["state"] == State.DROPPED.value:  # judged once more, they make it new: what it was dropped for is over
        told["judged_digest"] = ""
    cx.execute(sa.update(lead_signal).where(lead_signal.c.lead_id == loser["id"]).values(**told))
    ticket = {name: loser[name] for name in ("connection_id", "ticket_id")}
    if loser["ticket_id"] and not winner["ticket_id"]:
        cx.execute(sa.update(lead).where(lead.c.id == winner["id"]).values(**ticket))
    store.tell(cx, [(winner["id"], "merged", f"{loser['id']} was about the same.")])
