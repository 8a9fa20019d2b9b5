"""A subject turns out to be a company at the CRM: its open leads become the company's, and meet those it has already.

Of two that are about the same, the one with the record at the CRM stays; the other is dropped with its reason, and its
signals go over. What is with the CRM at this moment is left alone: the next run finds it settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.leads import store
from app.leads.match import Found
from app.leads.models import lead, lead_signal
from app.leads.states import OPEN, UNSENT, State

Row = Mapping[Any, Any]
_BUSY = (State.SENDING.value, State.UNKNOWN.value)
_OPEN = [one.value for one in OPEN]


def adopt(cx: sa.Connection, found: Mapping[str, tuple[str, Found]]) -> None:
    """Args: found: subject -> (company, match). The caller holds the locks of both."""
    if not found:
        return
    of_subjects = [row for row in store.of_companies(cx, list(found), lock=True) if row["state"] in _OPEN]
    if not of_subjects:
        return
    theirs = store.of_companies(cx, {company for company, _ in found.values()}, lock=True)
    known = {(row["company"], row["kind"], row["id"]): row for row in theirs}
    for row in of_subjects:
        company, match = found[row["company"]]
        mine = [one for (c, kind, _), one in known.items() if c == company and kind == row["kind"]]
        if _join(cx, row, mine, company, match):
            known[company, row["kind"], row["id"]] = row


def _join(cx: sa.Connection, row: Row, mine: Sequence[Row], company: str, match: Found) -> bool:
    """True when the lead is the company's from now on."""
    open_one = next((one for one in mine if one["state"] in _OPEN), None)
    same = next((one for one in mine if one["period"] == row["period"]), None)
    if row["state"] in _BUSY or (open_one is not None and open_one["state"] in _BUSY):
        return False
    rival = open_one or same
    if rival is None:
        _becomes(cx, row, company, match)
        return True
    if row["state"] in [one.value for one in UNSENT]:
        _drop(cx, row, rival)
        return False
    if open_one is not None and same in (None, open_one) and open_one["state"] in [one.value for one in UNSENT]:
        _drop(cx, open_one, row, keep_company=False)
        _becomes(cx, row, company, match)
        return True
    return False  # both have a record at the CRM: each keeps its own, later signals go to the company's


def _becomes(cx: sa.Connection, row: Row, company: str, match: Found) -> None:
    store.change(cx, row["id"], company=company, account_id=match.account_id, match=match.to_json())
    store.tell(cx, [(row["id"], "matched", match.reason)])


def _drop(cx: sa.Connection, loser: Row, winner: Row, *, keep_company: bool = True) -> None:
    why = f"The company has {winner['id']} for the same reason; what was seen goes there."
    values: dict[str, Any] = {} if keep_company else {"company": f"merged:{loser['id']}"}
    store.move(cx, loser["id"], loser["state"], State.DROPPED, why, due_at=None, **values)
    signals = sa.update(lead_signal).where(lead_signal.c.lead_id == loser["id"])
    cx.execute(signals.values(lead_id=winner["id"]))
    ticket = {name: loser[name] for name in ("connection_id", "ticket_id")}
    if loser["ticket_id"] and not winner["ticket_id"]:
        cx.execute(sa.update(lead).where(lead.c.id == winner["id"]).values(**ticket))
    store.tell(cx, [(winner["id"], "merged", f"{loser['id']} was about the same.")])
