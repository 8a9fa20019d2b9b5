"""All SQL of the staff's mirror."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.agents.models import agent, agent_read
from integrations.kernel.records import AgentRecord


@dataclass(frozen=True, slots=True)
class Agent:
    """A member of staff as last read. read_at: by our clock; what is older than the caller accepts must be looked up."""

    id: str
    name: str
    role: str
    custom_role: str | None
    restriction: str | None
    groups: tuple[str, ...]
    organization_id: str | None
    active: bool
    read_at: datetime


def replace_all(cx: sa.Connection, connection_id: str, records: Sequence[AgentRecord], read_at: datetime) -> None:
    """Take a whole reading of the staff. Who is not in it any more is no longer active; a reading older than the one
    we hold changes nothing.
    """
    taken = insert(agent_read).values(connection_id=connection_id, read_at=read_at, wanted=False)
    newer = cx.execute(
        taken.on_conflict_do_update(
            index_elements=["connection_id"],
            set_={"read_at": read_at, "wanted": False},
            where=agent_read.c.read_at < read_at,
        ).returning(agent_read.c.connection_id)
    ).first()
    if newer is None:
        return
    present = [record.id for record in records]
    cx.execute(
        sa.update(agent)
        .where(agent.c.connection_id == connection_id, agent.c.id.not_in(present), agent.c.active)
        .values(active=False, as_of=read_at)
    )
    if records:
        statement = insert(agent)
        changes = {c.name: statement.excluded[c.name] for c in agent.c if c.name not in ("connection_id", "id")}
        rows = [_row(connection_id, record) for record in records]
        cx.execute(statement.on_conflict_do_update(index_elements=["connection_id", "id"], set_=changes), rows)


def _row(connection_id: str, record: AgentRecord) -> dict[str, object]:
    return {
        "connection_id": connection_id, "id": record.id, "as_of": record.as_of, "name": record.name.replace("\x00", ""),
        "email": record.email, "role": record.role, "custom_role": record.custom_role,
        "restriction": record.restriction, "groups": list(record.groups), "organization_id": record.organization_id,
        "active": record.active,
    }  # fmt: skip


def find(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> dict[str, Agent]:
    """Members of staff by id; who was never read is missing."""
    rows = cx.execute(_FIND, {"connection": connection_id, "ids": list(ids)})
    return {
        row.id: Agent(
            row.id, row.name, row.role, row.custom_role, row.restriction, tuple(row.groups), row.organization_id,
            row.active, row.read_at,
        )
        for row in rows
    }  # fmt: skip


def emails(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Addresses of members of staff by id, as last read; who has none, or was never read, is missing."""
    query = sa.select(agent.c.id, agent.c.email).where(
        agent.c.connection_id == connection_id, agent.c.id.in_(list(ids)), agent.c.email.is_not(None)
    )
    return {row.id: row.email for row in cx.execute(query)}


_FIND = (
    sa.select(agent, agent_read.c.read_at)
    .join(agent_read, agent_read.c.connection_id == agent.c.connection_id)
    .where(
        agent.c.connection_id == sa.bindparam("connection", type_=sa.Text),
        agent.c.id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Text))),
    )
)


def want(cx: sa.Connection, connection_id: str, person_ids: Sequence[str]) -> None:
    """Something changed about these people: where one of them is staff, the staff is read before its time."""
    staff = sa.exists().where(agent.c.connection_id == connection_id, agent.c.id.in_(list(person_ids)))
    cx.execute(sa.update(agent_read).where(agent_read.c.connection_id == connection_id, staff).values(wanted=True))


def read_at(cx: sa.Connection) -> dict[str, tuple[datetime, bool]]:
    """When each connection's staff was read, and whether it is wanted again."""
    return {row.connection_id: (row.read_at, row.wanted) for row in cx.execute(sa.select(agent_read))}
