"""SQL of leads: read, lock, move, tell. A move is checked against the table of moves and leaves a step."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.leads.models import lead, lead_signal, lead_step
from app.leads.states import OPEN, State, may

MACHINE = "machine"
c, s = lead.c, lead_signal.c


def fresh_id() -> str:
    """Time-ordered, and hex behind its prefix: that part is the lead's key at the CRM, for ever."""
    return f"led_{time.time_ns() // 1_000_000:012x}{os.urandom(9).hex()}"


def key_of(lead_id: str) -> str:
    """The key of a lead's record at the CRM."""
    return lead_id.removeprefix("led_")


def after(seconds: float) -> sa.ColumnElement[Any]:
    """A moment from now, by the database's clock."""
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, float(seconds))


def begin_to_gather(cx: sa.Connection) -> None:
    """Comes before anything a batch reads. Gatherers do not wait for each other, a person's answer for all of them.

    The order of locks: this one, signals, companies, leads. Who has this one alone (`wait_for_gatherers`) needs none of a
    company, and takes signals and leads as they come.
    """
    cx.execute(sa.text("SELECT pg_advisory_xact_lock_shared(hashtext('deskbridge leads gather'))"))


def wait_for_gatherers(cx: sa.Connection) -> None:
    """Wait until no batch is under way, before anything else is locked; the next one waits for the end of the transaction.

    Else a batch that was matched before a person's answer would be written after it, and the answer be lost.
    """
    cx.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('deskbridge leads gather'))"))


def lock_companies(cx: sa.Connection, companies: Collection[str]) -> None:
    """One gatherer a company at a time; in one order, so that two never wait crosswise."""
    query = sa.text(
        "SELECT pg_advisory_xact_lock(h) FROM (SELECT DISTINCT hashtextextended('lead/' || x, 0) AS h"
        " FROM unnest(CAST(:companies AS text[])) AS x ORDER BY 1) AS o"
    )
    cx.execute(query, {"companies": sorted(companies)})


def of_companies(cx: sa.Connection, companies: Collection[str], *, lock: bool = False) -> list[sa.RowMapping]:
    """Every lead of these companies, whatever its state, oldest first."""
    query = sa.select(lead).where(c.company.in_(sorted(companies))).order_by(c.id)
    return list(cx.execute(query.with_for_update() if lock else query).mappings())


def of_subjects(cx: sa.Connection, subjects: Collection[str]) -> list[sa.RowMapping]:
    """Every lead that was made of these subjects, whatever its state and company, oldest first."""
    return list(cx.execute(sa.select(lead).where(c.subject.in_(sorted(subjects))).order_by(c.id)).mappings())


def by_ids(cx: sa.Connection, ids: Collection[str], *, lock: bool = False) -> dict[str, sa.RowMapping]:
    query = sa.select(lead).where(c.id.in_(sorted(ids))).order_by(c.id)
    return {row["id"]: row for row in cx.execute(query.with_for_update() if lock else query).mappings()}


def put(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New leads, each with what it was made of."""
    if rows:
        cx.execute(sa.insert(lead), [{name: row[name] for name in row if name != "made_of"} for row in rows])
        tell(cx, [(row["id"], "found", row["made_of"]) for row in rows])


def change(cx: sa.Connection, lead_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change columns that are no state."""
    cx.execute(sa.update(lead).where(c.id == lead_id).values(**values))


def move(
    cx: sa.Connection, lead_id: str, old: str, new: State, why: str = "", *, actor: str = MACHINE, **values: Any  # noqa: ANN401
) -> bool:  # fmt: skip
    """Compare and set; False when somebody else was faster. The step says why."""
    if not may(State(old), new):
        raise ValueError(f"{old} -> {new} is not a move of a lead")
    told = {"state": new.value, "state_at": sa.func.now(), "why": why, **values}
    if cx.execute(sa.update(lead).where(c.id == lead_id, c.state == old).values(**told)).rowcount != 1:
        return False
    tell(cx, [(lead_id, new.value, why)], actor)
    return True


def tell(cx: sa.Connection, steps: Sequence[tuple[str, str, str]], actor: str = MACHINE) -> None:
    """(lead, what, detail): steps of their stories."""
    if steps:
        rows = [{"lead_id": one, "what": what, "detail": detail, "actor": actor} for one, what, detail in steps]
        cx.execute(sa.insert(lead_step), rows)


def times(cx: sa.Connection, lead_id: str, what: str) -> int:
    """How often a step stands in a lead's story."""
    query = sa.select(sa.func.count()).where(lead_step.c.lead_id == lead_id, lead_step.c.what == what)
    return int(cx.execute(query).scalar_one())


def signals_of(cx: sa.Connection, lead_ids: Collection[str]) -> list[sa.Row[Any]]:
    """Signals of leads that still hold."""
    query = sa.select(lead_signal).where(s.lead_id.in_(sorted(lead_ids)), s.ended_at.is_(None))
    return list(cx.execute(query.order_by(s.id)))


def open_of(cx: sa.Connection, companies: Collection[str]) -> list[sa.RowMapping]:
    """Open leads of these companies, locked."""
    query = sa.select(lead).where(c.company.in_(sorted(companies)), c.state.in_([one.value for one in OPEN]))
    return list(cx.execute(query.order_by(c.id).with_for_update()).mappings())
