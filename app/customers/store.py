"""All SQL of people and companies; every function takes many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.customers.folding import domain_of, fold
from app.customers.models import organization, person, person_email
from integrations.kernel.records import OrganizationRecord, PersonRecord


@dataclass(frozen=True, slots=True)
class Address:
    """One e-mail address of a person, folded."""

    folded: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the mirror holds it. email: the primary address as written, or ""."""

    id: str
    name: str
    role: str
    external_id: str | None
    organization_id: str | None
    locale: str | None
    active: bool
    email: str
    email_domain: str
    addresses: tuple[Address, ...]


def apply_people(cx: sa.Connection, connection_id: str, records: Iterable[PersonRecord]) -> None:
    """Put people into the mirror; an older record never overwrites, and its addresses go with it."""
    newest: dict[str, PersonRecord] = {}
    for record in sorted(records, key=lambda r: r.as_of):
        newest[record.id] = record
    if not newest:
        return
    rows = [
        {
            "connection_id": connection_id, "id": r.id, "as_of": r.as_of, "name": r.name, "role": r.role,
            "external_id": r.external_id, "organization_id": r.organization_id, "locale": r.locale,
            "time_zone": r.time_zone, "active": r.active, "fields": dict(r.fields),
        }
        for _, r in sorted(newest.items())
    ]  # fmt: skip
    statement = insert(person).values(rows)
    changes = {c.name: statement.excluded[c.name] for c in person.columns if c.name not in ("connection_id", "id")}
    statement = statement.on_conflict_do_update(
        index_elements=["connection_id", "id"], set_=changes, where=person.c.as_of <= statement.excluded.as_of
    )
    written = set(cx.execute(statement.returning(person.c.id)).scalars())
    _write_emails(cx, connection_id, [newest[i] for i in sorted(written)])


def _write_emails(cx: sa.Connection, connection_id: str, records: Sequence[PersonRecord]) -> None:
    ids = [r.id for r in records]
    if not ids:
        return
    cx.execute(
        sa.delete(person_email).where(person_email.c.connection_id == connection_id, person_email.c.person_id.in_(ids))
    )
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for record in records:
        for email in record.emails:
            if folded := fold(email.address):
                rows[record.id, folded] = {
                    "connection_id": connection_id, "person_id": record.id, "address": email.address,
                    "folded": folded, "domain": domain_of(folded), "verified": email.verified,
                    "is_primary": email.primary,
                }  # fmt: skip
    if rows:
        cx.execute(insert(person_email), list(rows.values()))


def apply_organizations(cx: sa.Connection, connection_id: str, records: Iterable[OrganizationRecord]) -> None:
    """Put companies into the mirror; an older record never overwrites."""
    newest: dict[str, OrganizationRecord] = {}
    for record in sorted(records, key=lambda r: r.as_of):
        newest[record.id] = record
    if not newest:
        return
    rows = [
        {
            "connection_id": connection_id, "id": r.id, "as_of": r.as_of, "name": r.name,
            "external_id": r.external_id, "domains": list(r.domains), "fields": dict(r.fields),
        }
        for _, r in sorted(newest.items())
    ]  # fmt: skip
    statement = insert(organization).values(rows)
    changes = {
        c.name: statement.excluded[c.name] for c in organization.columns if c.name not in ("connection_id", "id")
    }
    cx.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "id"], set_=changes, where=organization.c.as_of <= statement.excluded.as_of
        )
    )


def people(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> dict[str, Person]:
    """People by id, with all their addresses; an unknown one is missing."""
    if not ids:
        return {}
    emails: dict[str, list[sa.Row[tuple[object, ...]]]] = defaultdict(list)
    query = sa.select(person_email).where(
        person_email.c.connection_id == connection_id, person_email.c.person_id.in_(ids)
    )
    for row in cx.execute(query.order_by(person_email.c.is_primary.desc(), person_email.c.folded)):
        emails[row.person_id].append(row)
    found = cx.execute(sa.select(person).where(person.c.connection_id == connection_id, person.c.id.in_(ids)))
    return {
        row.id: Person(
            row.id, row.name, row.role, row.external_id, row.organization_id, row.locale, row.active,
            str(emails[row.id][0].address) if emails[row.id] else "",
            str(emails[row.id][0].domain) if emails[row.id] else "",
            tuple(Address(str(e.folded), bool(e.verified)) for e in emails[row.id]),
        )
        for row in found
    }  # fmt: skip
