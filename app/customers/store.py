"""All SQL that writes people and companies; what reads them, by name too. What says nothing new costs one read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.customers import records
from app.customers.models import organization, organization_domain, person, person_email
from app.customers.store_read import Address as Address
from app.customers.store_read import Organization as Organization
from app.customers.store_read import Person as Person
from app.customers.store_read import by_folded_email as by_folded_email
from app.customers.store_read import organizations as organizations
from app.customers.store_read import people as people
from integrations.kernel.records import OrganizationRecord, PersonRecord

_Record = TypeVar("_Record", PersonRecord, OrganizationRecord)


def apply_people(cx: sa.Connection, connection_id: str, told: Iterable[PersonRecord]) -> set[str]:
    """Put people into the mirror; an older record never overwrites. Answers who changed."""
    new = _news(cx, person, connection_id, told)
    if not new:
        return set()
    statement = insert(person)
    excluded = statement.excluded
    changes = {c: excluded[c] for c in records.person_row("", new[0]) if c not in ("connection_id", "id")}
    statement = statement.on_conflict_do_update(
        index_elements=["connection_id", "id"],
        set_={**changes, "gone": person.c.merged_into.is_not(None)},
        where=person.c.as_of <= excluded.as_of,
    )
    rows = [records.person_row(connection_id, one) for one in new]
    written = set(cx.execute(statement.returning(person.c.id), rows).scalars())
    _addresses(cx, connection_id, [one for one in new if one.id in written])
    return written


def _addresses(cx: sa.Connection, connection_id: str, told: Sequence[PersonRecord]) -> None:
    """All addresses of who was read whole; of the others those told, beside what a whole reading told."""
    whole = {one.id for one in told if one.all_emails}
    rows = [row for one in told for row in records.email_rows(connection_id, one)]
    _replace(
        cx, person_email, person_email.c.person_id, connection_id, whole, [r for r in rows if r["person_id"] in whole]
    )
    rest = [row for row in rows if row["person_id"] not in whole]
    kept = [(row["person_id"], row["folded"]) for row in rest]
    former = sa.delete(person_email).where(
        person_email.c.connection_id == connection_id,
        person_email.c.person_id == _any({one.id for one in told} - whole),
        sa.or_(person_email.c.is_primary, ~person_email.c.exact),
        sa.tuple_(person_email.c.person_id, person_email.c.folded).not_in(kept),
    )
    cx.execute(former)
    if rest:
        statement = insert(person_email)
        new, old = statement.excluded, person_email.c
        cx.execute(
            statement.on_conflict_do_update(
                index_elements=["connection_id", "person_id", "folded"],
                set_={
                    "address": new.address,
                    "is_primary": new.is_primary,
                    "verified": sa.case((old.exact, old.verified), else_=new.verified),
                },
            ),
            rest,
        )


def apply_organizations(cx: sa.Connection, connection_id: str, told: Iterable[OrganizationRecord]) -> set[str]:
    """Put companies into the mirror; an older record never overwrites. Answers which changed."""
    new = _news(cx, organization, connection_id, told)
    if not new:
        return set()
    statement = insert(organization)
    excluded = statement.excluded
    changes = {c: excluded[c] for c in records.organization_row("", new[0]) if c not in ("connection_id", "id")}
    statement = statement.on_conflict_do_update(
        index_elements=["connection_id", "id"], set_=changes, where=organization.c.as_of <= excluded.as_of
    )
    rows = [records.organization_row(connection_id, one) for one in new]
    written = set(cx.execute(statement.returning(organization.c.id), rows).scalars())
    domains = [row for one in new if one.id in written for row in records.domain_rows(connection_id, one)]
    _replace(cx, organization_domain, organization_domain.c.organization_id, connection_id, written, domains)
    return written


def _news(cx: sa.Connection, table: sa.Table, connection_id: str, told: Iterable[_Record]) -> list[_Record]:
    """Of these, the newest of each id that is not older than, nor the same as, what is held; in id order."""
    newest = {record.id: record for record in sorted(told, key=lambda r: r.as_of)}
    if not newest:
        return []
    query = sa.select(table.c.id, table.c.as_of, table.c.digest).where(
        table.c.connection_id == connection_id, table.c.id == _any(newest)
    )
    for row in cx.execute(query):
        record = newest[row.id]
        same = row.digest == records.digest(record)
        if record.as_of < row.as_of or (record.as_of == row.as_of and same):
            del newest[row.id]
    return [newest[key] for key in sorted(newest)]


def _replace(
    cx: sa.Connection, table: sa.Table, owner: sa.Column[str], connection_id: str, ids: set[str],
    rows: Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    if ids:
        cx.execute(sa.delete(table).where(table.c.connection_id == connection_id, owner == _any(ids)))
    if rows:
        cx.execute(insert(table), list(rows))


def mark_people_gone(cx: sa.Connection, connection_id: str, ids: Sequence[str], as_of: datetime) -> None:
    """These people were deleted at the helpdesk; what was told of them before that no longer counts."""
    _end(cx, connection_id, ids, as_of, None)


def merge_people(cx: sa.Connection, connection_id: str, merged: Mapping[str, str], as_of: datetime) -> None:
    """These people (old id -> the one that stays) are one now; whoever was merged into an old one follows."""
    for survivor in sorted(set(merged.values())):
        old = sorted(one for one, kept in merged.items() if kept == survivor and one != survivor)
        _end(cx, connection_id, old, as_of, survivor)
        followers = sa.update(person).where(person.c.connection_id == connection_id, person.c.merged_into == _any(old))
        cx.execute(followers.values(merged_into=survivor))


def _end(cx: sa.Connection, connection_id: str, ids: Sequence[str], as_of: datetime, survivor: str | None) -> None:
    rows = [
        {
            **records.person_row(connection_id, PersonRecord(one, as_of)), "gone": True, "merged_into": survivor,
            "digest": "",
        }
        for one in sorted(set(ids))
    ]  # fmt: skip
    if not rows:
        return
    statement = insert(person)
    changes = {
        "gone": True,
        "merged_into": sa.func.coalesce(statement.excluded.merged_into, person.c.merged_into),
        "as_of": sa.func.greatest(person.c.as_of, statement.excluded.as_of),
    }
    cx.execute(statement.on_conflict_do_update(index_elements=["connection_id", "id"], set_=changes), rows)


def _any(values: Iterable[str]) -> sa.ColumnElement[bool]:
    return sa.any_(sa.literal(list(values), sa.ARRAY(sa.Text)))
