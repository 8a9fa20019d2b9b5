"""What the pages show of leads. No query's cost grows with history: each goes by an index and looks at so many rows.

A filter that no index serves is tried on a window of rows in the page's own order; where the window ends, the next page
begins, whether it was full or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from app.crm.models import crm_account, crm_user
from app.leads.models import OPEN, STATES, lead, lead_signal, lead_step

PAGE: Final = 50
WINDOW: Final = 2000  # rows a page with filters looks at
COUNTED: Final = 10_000  # of a state; more is told as "more than"
NAMED: Final = 200  # companies or owners that a part of a name may stand for
STEPS: Final = 500
SORTS: Final[Mapping[str, tuple[sa.Column[Any], bool]]] = {  # name: (column, downwards)
    "newest": (lead.c.state_at, True),
    "oldest": (lead.c.state_at, False),
    "score": (lead.c.score, True),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; an empty one lets everything through. account, owner, text: parts of names and texts."""

    state: str = ""  # one of STATES, or "" for those that are open
    kind: str = ""
    rule: str = ""
    owner: str = ""
    account: str = ""
    text: str = ""

    @property
    def states(self) -> tuple[str, ...]:
        return (self.state,) if self.state else OPEN

    @property
    def is_plain(self) -> bool:
        """Does nothing but the state narrow it?"""
        return not (self.kind or self.rule or self.owner or self.account or self.text)


@dataclass(frozen=True, slots=True)
class Page:
    """rows: at most PAGE. after: (sort value, id) the next page goes on from, None at the end."""

    rows: Sequence[sa.RowMapping]
    after: tuple[Any, str] | None


def page(cx: sa.Connection, filters: Filters, sort: str = "newest", after: tuple[Any, str] | None = None) -> Page:
    """One page of leads, going on behind `after`."""
    column, down = SORTS[sort]
    rows = cx.execute(_window(cx, filters, column, down, after)).all()
    limit = PAGE if filters.is_plain else WINDOW
    hits = [row.id for row in rows if row.hit]
    full = len(hits) > PAGE
    last = next(r for r in reversed(rows) if r.id == hits[PAGE - 1]) if full else (rows[-1] if rows else None)
    more = last is not None and (full or len(rows) > limit)
    return Page(_by_id(cx, hits[:PAGE]), (last.key, last.id) if more and last is not None else None)


def _window(
    cx: sa.Connection, filters: Filters, column: sa.Column[Any], down: bool, after: tuple[Any, str] | None
) -> sa.Select[Any]:
    """(id, key, hit) of the rows a page looks at, in its order: those of each state by its index, then merged."""
    limit = (PAGE if filters.is_plain else WINDOW) + 1
    parts, hit = [], _hit(cx, filters).label("hit")
    for state in filters.states:
        query = sa.select(lead.c.id, column.label("key"), hit).where(lead.c.state == state)
        if after is not None:
            key, here = sa.tuple_(column, lead.c.id), sa.tuple_(sa.literal(after[0]), sa.literal(after[1]))
            query = query.where(key < here if down else key > here)
        parts.append(query.order_by(*_ordered(down, column, lead.c.id)).limit(limit).subquery())
    merged = sa.union_all(*(sa.select(one) for one in parts)).subquery()
    return sa.select(merged).order_by(*_ordered(down, merged.c.key, merged.c.id)).limit(limit)


def _ordered(down: bool, *columns: sa.ColumnElement[Any]) -> list[sa.ColumnElement[Any]]:
    return [one.desc() if down else one.asc() for one in columns]


def _hit(cx: sa.Connection, filters: Filters) -> sa.ColumnElement[bool]:
    """Does a row pass? Names are looked up first: there are few companies and owners beside leads."""
    wanted: list[sa.ColumnElement[bool]] = []
    if filters.kind:
        wanted.append(lead.c.kind == filters.kind)
    if filters.rule:
        wanted.append(lead.c.rules.contains([filters.rule]))
    if filters.owner:
        wanted.append(_named(cx, crm_user, filters.owner, lead.c.owner_id))
    if filters.account:
        wanted.append(_named(cx, crm_account, filters.account, lead.c.account_id))
    if filters.text:
        told = (lead.c.id, lead.c.company, lead.c.subject, lead.c.ticket_id, lead.c.object_id, lead.c.why, lead.c.card)
        joined = sa.func.concat_ws(" ", *(sa.cast(one, sa.Text) for one in told))
        wanted.append(joined.icontains(filters.text, autoescape=True))
    return sa.and_(sa.true(), *wanted)


def _named(cx: sa.Connection, table: sa.Table, part: str, column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """(connection, id) of a lead is one whose name holds this part, or which has it as its id."""
    query = sa.select(table.c.connection_id, table.c.id).where(
        sa.or_(table.c.name.icontains(part, autoescape=True), table.c.id == part)
    )
    found = [(r.connection_id, r.id) for r in cx.execute(query.limit(NAMED))]
    return sa.tuple_(lead.c.crm_id, column).in_(found) if found else sa.false()


def _by_id(cx: sa.Connection, ids: Sequence[str]) -> Sequence[sa.RowMapping]:
    rows = {r["id"]: r for r in cx.execute(_named_lead().where(lead.c.id.in_(ids))).mappings()}
    return [rows[one] for one in ids if one in rows]


def _named_lead() -> sa.Select[Any]:
    """A lead with the names of its company and its owner at the CRM."""
    at = sa.and_(crm_account.c.connection_id == lead.c.crm_id, crm_account.c.id == lead.c.account_id)
    by = sa.and_(crm_user.c.connection_id == lead.c.crm_id, crm_user.c.id == lead.c.owner_id)
    names = (crm_account.c.name.label("account_name"), crm_user.c.name.label("owner_name"))
    return sa.select(lead, *names).select_from(lead.outerjoin(crm_account, at).outerjoin(crm_user, by))


def counts(cx: sa.Connection, filters: Filters) -> dict[str, tuple[int, bool]]:
    """state -> (how many pass, whether there are more than were looked at)."""
    limit = COUNTED if filters.is_plain else WINDOW
    hit = _hit(cx, filters)
    parts = []
    for state in STATES:
        seen = sa.select(hit.label("hit")).where(lead.c.state == state)
        if not filters.is_plain:
            seen = seen.order_by(lead.c.state_at.desc(), lead.c.id.desc())
        rows = seen.limit(limit + 1).subquery()
        number, looked = sa.func.count().filter(rows.c.hit), sa.func.count()
        parts.append(
            sa.select(sa.literal(state).label("state"), number.label("number"), looked.label("looked")).select_from(
                rows
            )
        )
    found = cx.execute(sa.union_all(*parts))
    return {row.state: (min(row.number, limit), row.looked > limit) for row in found}


def one(cx: sa.Connection, lead_id: str) -> sa.RowMapping | None:
    """A lead with the names of its company and owner."""
    if "\x00" in lead_id:  # no text of PostgreSQL's
        return None
    return cx.execute(_named_lead().where(lead.c.id == lead_id)).mappings().first()


def signals_of(cx: sa.Connection, lead_id: str) -> Sequence[sa.RowMapping]:
    """What it was made of, the oldest first."""
    query = sa.select(lead_signal).where(lead_signal.c.lead_id == lead_id)
    return cx.execute(query.order_by(lead_signal.c.happened_at, lead_signal.c.id).limit(STEPS)).mappings().all()


def steps_of(cx: sa.Connection, lead_id: str) -> Sequence[sa.RowMapping]:
    """What happened to it, the oldest first; of very many, the newest."""
    query = sa.select(lead_step).where(lead_step.c.lead_id == lead_id)
    newest = cx.execute(query.order_by(lead_step.c.id.desc()).limit(STEPS)).mappings().all()
    return newest[::-1]


def accounts(cx: sa.Connection, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], sa.RowMapping]:
    """Companies at the CRM, by (connection, id)."""
    if not pairs:
        return {}
    query = sa.select(crm_account).where(sa.tuple_(crm_account.c.connection_id, crm_account.c.id).in_(pairs))
    return {(r["connection_id"], r["id"]): r for r in cx.execute(query).mappings()}
