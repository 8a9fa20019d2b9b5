"""A person wants a lead sent now, or again after what was refused is repaired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app import audit
from app.leads import store
from app.leads.models import lead_signal
from app.leads.states import State
from integrations.kernel.errors import NotFound, StateError


class NotSendable(StateError):
    code, public = (
        "lead.not_sendable",
        "This lead is in a state in which it is not sent. `flask leads explain` says why.",
    )


def again(cx: sa.Connection, lead_id: str, by: str) -> None:
    """Due at once. What is held, in review or dropped stays so: a hold is no matter of patience.

    Raises:
        NotFound: no such lead. NotSendable: it waits for something else than its time, or another one took its place.
    """
    store.wait_for_gatherers(cx)
    row = store.by_ids(cx, [lead_id], lock=True).get(lead_id)
    if row is None:
        raise NotFound(f"There is no lead {lead_id}.")
    if row["state"] == State.DEAD.value:
        _alone(cx, row)
        why = "A person wants it sent again."
        store.move(cx, lead_id, row["state"], State.DUE, why, actor=by, due_at=sa.func.now(), tries=0)
        # What was seen of it meanwhile changed no card.
        mine = sa.update(lead_signal).where(lead_signal.c.lead_id == lead_id)
        cx.execute(mine.values(judged_digest=""))
    elif row["state"] in (State.DUE.value, State.UNKNOWN.value, State.PUSHED.value):
        store.change(cx, lead_id, due_at=sa.func.now())
        store.tell(cx, [(lead_id, "wanted now", "")], by)
    else:
        raise NotSendable(f"{lead_id} is {row['state']}: {row['why']}".rstrip(": "))
    audit.record(cx, by, "leads.push_wanted", lead_id, {"state": row["state"]})


def _alone(cx: sa.Connection, row: Mapping[Any, Any]) -> None:
    """One open lead a company and kind: while it was refused, another may have been made and sent."""
    for other in store.open_of(cx, [row["company"]]):
        if other["kind"] == row["kind"]:
            raise NotSendable(
                f"{row['id']} is not sent again: the company has {other['id']} of the same kind, for later news."
            )
