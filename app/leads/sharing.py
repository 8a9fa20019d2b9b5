"""Records that stand for more than one lead: a duplicate rule of the CRM put two kinds of one unknown company into one.

All leads of such a record make the same draft of it, so that none wipes what another said: what each of them tells, in the
order they were made; ON HOLD as long as one of them waits. A record that somebody else made stays theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.leads.models import lead
from app.leads.states import AT_CRM, State

Row = Mapping[Any, Any]
c = lead.c
_TOLD = frozenset({*(one.value for one in AT_CRM), State.DEAD.value})


@dataclass(frozen=True, slots=True)
class Shared:
    """told: the leads that speak in it, oldest first; what was answered speaks no more. ours: one of them made it."""

    told: tuple[Row, ...]
    ours: bool


def shared(cx: sa.Connection, crm_id: str, rows: Sequence[Row]) -> dict[str, Shared]:
    """By record, of those that stand for several leads."""
    ids = sorted({row["object_id"] for row in rows if row["object_id"]})
    if not ids:
        return {}
    mine = sa.and_(c.crm_id == crm_id, c.object_id == sa.any_(sa.cast(ids, sa.ARRAY(sa.Text))), c.object_id != "")
    several = sa.select(c.object_id).where(mine).group_by(c.object_id).having(sa.func.count() > 1)
    query = sa.select(lead).where(c.crm_id == crm_id, c.object_id.in_(several)).order_by(c.id)
    found: dict[str, list[Row]] = defaultdict(list)
    for row in cx.execute(query).mappings():
        found[row["object_id"]].append(row)
    return {
        object_id: Shared(tuple(one for one in every if one["state"] in _TOLD), not all(one["theirs"] for one in every))
        for object_id, every in found.items()
    }


def mates(cx: sa.Connection, crm_id: str, object_ids: Sequence[str]) -> list[str]:
    """Ids of the leads of these records."""
    mine = sa.and_(c.crm_id == crm_id, c.object_id.in_(sorted(object_ids)), c.object_id != "")
    return list(cx.execute(sa.select(c.id).where(mine).order_by(c.id)).scalars())
