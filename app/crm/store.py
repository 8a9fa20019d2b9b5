"""All SQL of the mirror. Older never overwrites; what is gone stays as a row, so that ids keep their meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.crm.models import crm_account, crm_contact, crm_cursor, crm_user
from app.crm.names import fold_name
from integrations.kernel.crm import AccountRecord, ContactRecord, CrmUser, DirectoryPage, DirectorySource

_KEY = ("connection_id", "id")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# Places: of the reading, and that it came to its end once; and beside them what they were read from.
DIRECTORY, WHOLE, ORG, FIELDS = "directory", "whole", "org", "fields"


class _Dated(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def as_of(self) -> datetime: ...


_R = TypeVar("_R", bound=_Dated)


def apply(cx: sa.Connection, connection_id: str, page: DirectoryPage) -> int:
    """Put a page into the mirror; answers how many companies and contacts are other than before."""
    changed = _put(cx, crm_account, [_account(connection_id, one) for one in _newest(page.accounts)])
    changed += _put(cx, crm_contact, [_contact(connection_id, one) for one in _newest(page.contacts)])
    _users(cx, connection_id, page.users)
    return changed


def _newest(told: Sequence[_R]) -> list[_R]:
    """One telling of each, the last of the newest; in id order, so that two mirrors never wait crosswise."""
    newest = {one.id: one for one in sorted(told, key=lambda one: one.as_of)}
    return [newest[key] for key in sorted(newest)]


def _put(cx: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    if not rows:
        return 0
    statement = insert(table)
    new, old = statement.excluded, table.c
    values = [c.name for c in table.c if c.name not in (*_KEY, "as_of")]
    differs = sa.tuple_(*(new[n] for n in values)).is_distinct_from(sa.tuple_(*(old[n] for n in values)))
    statement = statement.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={name: new[name] for name in (*values, "as_of")},
        where=sa.or_(old.as_of < new.as_of, sa.and_(old.as_of == new.as_of, differs)),
    )
    return len(cx.execute(statement.returning(old.id), list(rows)).all())


def _account(connection_id: str, one: AccountRecord) -> dict[str, Any]:
    name = one.name.replace("\x00", "")
    return {
        "connection_id": connection_id, "id": one.id, "as_of": one.as_of, "name": name, "folded_name": fold_name(name),
        "owner_id": one.owner_id, "parent_id": one.parent_id, "external_id": one.external_id,
        "territory": one.territory, "domains": sorted(set(one.domains)), "gone": one.gone,
    }  # fmt: skip


def _contact(connection_id: str, one: ContactRecord) -> dict[str, Any]:
    return {
        "connection_id": connection_id, "id": one.id, "as_of": one.as_of, "account_id": one.account_id,
        "domain": one.domain, "gone": one.gone,
    }  # fmt: skip


def _users(cx: sa.Connection, connection_id: str, users: Sequence[CrmUser]) -> None:
    rows = [
        {"connection_id": connection_id, "id": one.id, "name": one.name.replace("\x00", ""), "active": one.active}
        for _, one in sorted({one.id: one for one in users}.items())
    ]
    if rows:
        statement = insert(crm_user)
        changes = {"name": statement.excluded.name, "active": statement.excluded.active}
        cx.execute(statement.on_conflict_do_update(index_elements=list(_KEY), set_=changes), rows)


def cursor(cx: sa.Connection, connection_id: str, name: str) -> tuple[str, datetime | None]:
    """Where a reading is, and when it was there; ("", None) before the first."""
    c = crm_cursor.c
    row = cx.execute(sa.select(c.cursor, c.ran_at).where(c.connection_id == connection_id, c.name == name)).first()
    return (row.cursor, row.ran_at) if row else ("", None)


def save_cursor(cx: sa.Connection, connection_id: str, name: str, value: str) -> None:
    """Remember a place; ran_at: the moment of the transaction, by the database's clock."""
    statement = insert(crm_cursor).values(connection_id=connection_id, name=name, cursor=value)
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "name"], set_={"cursor": value, "ran_at": sa.func.now()}
        )
    )


def read_from(cx: sa.Connection, connection_id: str, source: DirectorySource) -> bool:
    """Reading goes on from here with this source; answers whether it begins anew, because it is another one or the first.

    Another org's places are none in this one, and its companies are gone, whatever they say of their age: an org that was
    copied from another has records of the same ids."""
    before = source_of(cx, connection_id)
    if before == source:
        return False
    mine = crm_cursor.c.connection_id == connection_id
    if before.org not in ("", source.org):
        cx.execute(sa.delete(crm_cursor).where(mine))
        for table in (crm_account, crm_contact):
            cx.execute(sa.update(table).where(table.c.connection_id == connection_id).values(gone=True, as_of=_NEVER))
        cx.execute(sa.update(crm_user).where(crm_user.c.connection_id == connection_id).values(active=False))
    else:
        cx.execute(sa.delete(crm_cursor).where(mine, crm_cursor.c.name.in_((DIRECTORY, WHOLE))))
    save_cursor(cx, connection_id, ORG, source.org)
    save_cursor(cx, connection_id, FIELDS, source.fields)
    return True


def is_from(cx: sa.Connection, connection_id: str, source: DirectorySource) -> bool:
    """Is it still what is read from? Until the transaction ends."""
    return source_of(cx, connection_id) == source


def source_of(cx: sa.Connection, connection_id: str) -> DirectorySource:
    """What is read from, locked; nothing named before the first reading."""
    c = crm_cursor.c
    query = sa.select(c.name, c.cursor).where(c.connection_id == connection_id, c.name.in_((ORG, FIELDS)))
    told = {row.name: row.cursor for row in cx.execute(query.order_by(c.name).with_for_update())}
    return DirectorySource(told.get(ORG, ""), told.get(FIELDS, ""))
