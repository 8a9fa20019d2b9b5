"""All SQL of people and roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.access.models import access_login, access_person, access_rule


def put_person(cx: sa.Connection, values: Mapping[str, Any]) -> None:
    cx.execute(sa.insert(access_person).values(**values))


def change_person(cx: sa.Connection, person_id: str, values: Mapping[str, Any]) -> bool:
    statement = sa.update(access_person).where(access_person.c.id == person_id).values(**values)
    return cx.execute(statement).rowcount == 1


def person(cx: sa.Connection, person_id: str) -> sa.RowMapping | None:
    return cx.execute(sa.select(access_person).where(access_person.c.id == person_id)).mappings().first()


def people(cx: sa.Connection) -> Sequence[sa.RowMapping]:
    """Everybody with their logins as `connection:id`."""
    logins = sa.func.array_remove(
        sa.func.array_agg(access_login.c.connection_id + ":" + access_login.c.external_id), None
    ).label("logins")
    query = (
        sa.select(access_person, logins)
        .outerjoin(access_login, access_login.c.person_id == access_person.c.id)
        .group_by(access_person.c.id)
        .order_by(access_person.c.name)
    )
    return cx.execute(query).mappings().all()


def put_login(cx: sa.Connection, connection_id: str, external_id: str, person_id: str) -> None:
    statement = insert(access_login).values(connection_id=connection_id, external_id=external_id, person_id=person_id)
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "external_id"], set_={"person_id": statement.excluded.person_id}
        )
    )


def delete_login(cx: sa.Connection, connection_id: str, external_id: str, person_id: str) -> bool:
    statement = sa.delete(access_login).where(
        access_login.c.connection_id == connection_id,
        access_login.c.external_id == external_id,
        access_login.c.person_id == person_id,
    )
    return cx.execute(statement).rowcount == 1


def by_login(cx: sa.Connection, connection_id: str, external_id: str) -> sa.RowMapping | None:
    return cx.execute(_BY_LOGIN, {"connection": connection_id, "external": external_id}).mappings().first()


_BY_LOGIN = (
    sa.select(access_person)
    .join(access_login, access_login.c.person_id == access_person.c.id)
    .where(
        access_login.c.connection_id == sa.bindparam("connection", type_=sa.Text),
        access_login.c.external_id == sa.bindparam("external", type_=sa.Text),
    )
)


def known(
    cx: sa.Connection, connection_id: str, external_id: str
) -> tuple[sa.Row[Any] | None, list[tuple[str, str, str]]]:
    """The person of a login, and the connection's rules (kind, value, role): both in one statement."""
    rows = cx.execute(_KNOWN, {"connection": connection_id, "external": external_id}).all()
    rules = [(r.kind, r.value, r.role) for r in rows if r.kind != "person"]
    return next((r for r in rows if r.kind == "person"), None), rules


_KNOWN = sa.text(
    """
    SELECT 'person' AS kind, p.id AS value, p.role, p.name FROM access_login l
    JOIN access_person p ON p.id = l.person_id
    WHERE l.connection_id = :connection AND l.external_id = :external
    UNION ALL
    SELECT kind, value, role, '' FROM access_rule WHERE connection_id = :connection
    """
)


def put_rule(cx: sa.Connection, connection_id: str, kind: str, value: str, role: str) -> None:
    statement = insert(access_rule).values(connection_id=connection_id, kind=kind, value=value, role=role)
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "kind", "value"], set_={"role": statement.excluded.role}
        )
    )
