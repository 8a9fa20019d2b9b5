"""SQL that reads people and companies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.customers.models import organization, organization_domain, person, person_email


@dataclass(frozen=True, slots=True)
class Address:
    """One e-mail address of a person: folded, and without what follows a plus sign."""

    folded: str
    base: str
    domain: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Organization:
    """A company as the mirror holds it. domains: folded."""

    id: str
    name: str
    external_id: str | None
    fields: Mapping[str, Any]
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the mirror holds it. email: the primary address as written, or "". gone: deleted or merged.

    company: None too while the mirror does not know it.
    """

    id: str
    name: str
    role: str
    external_id: str | None
    organization_id: str | None
    locale: str | None
    time_zone: str | None
    active: bool
    gone: bool
    merged_into: str | None
    fields: Mapping[str, Any] = field(default_factory=dict)
    email: str = ""
    email_domain: str = ""
    addresses: tuple[Address, ...] = ()
    company: Organization | None = None

    @property
    def is_there(self) -> bool:
        """Is it a person the helpdesk still knows as itself?"""
        return self.active and not self.gone


# Statements are made once: making one costs as much as asking it.
_CONNECTION = sa.bindparam("connection", type_=sa.Text)
_IDS = sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Text)))


def people(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> dict[str, Person]:
    """People by id, with their company and all their addresses, the primary one first; an unknown one is missing."""
    if not ids:
        return {}
    rows: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in cx.execute(_PEOPLE, {"connection": connection_id, "ids": list(ids)}):
        rows[row.id].append(row)
    return {one: _person(some) for one, some in rows.items()}


_DOMAINS = (
    sa.select(sa.func.array_agg(sa.distinct(organization_domain.c.domain)))
    .where(organization_domain.c.connection_id == organization.c.connection_id)
    .where(organization_domain.c.organization_id == organization.c.id)
    .scalar_subquery()
)
_PEOPLE = (
    sa.select(
        person,
        *(person_email.c[name] for name in ("address", "folded", "base", "domain", "verified")),
        *(organization.c[name].label(f"company_{name}") for name in ("id", "name", "external_id", "fields")),
        _DOMAINS.label("company_domains"),
    )
    .outerjoin(
        person_email,
        sa.and_(person_email.c.connection_id == person.c.connection_id, person_email.c.person_id == person.c.id),
    )
    .outerjoin(
        organization,
        sa.and_(organization.c.connection_id == person.c.connection_id, organization.c.id == person.c.organization_id),
    )
    .where(person.c.connection_id == _CONNECTION, person.c.id == _IDS)
    .order_by(person_email.c.is_primary.desc(), person_email.c.folded)
)


def _person(rows: Sequence[sa.Row[Any]]) -> Person:
    """From a row for each address, the primary one first; one row without any for who has none."""
    row = rows[0]
    return Person(
        row.id, row.name, row.role, row.external_id, row.organization_id, row.locale, row.time_zone, row.active,
        row.gone, row.merged_into, row.fields, row.address or "", row.domain or "",
        tuple(Address(e.folded, e.base, e.domain, e.verified) for e in rows if e.folded is not None), _company(row),
    )  # fmt: skip


def _company(row: sa.Row[Any]) -> Organization | None:
    if row.company_id is None:
        return None
    domains = tuple(row.company_domains or ())
    return Organization(row.company_id, row.company_name, row.company_external_id, row.company_fields, domains)


def organizations(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> dict[str, Organization]:
    """Companies by id with their domains; an unknown one is missing."""
    if not ids:
        return {}
    rows = cx.execute(_ORGANIZATIONS, {"connection": connection_id, "ids": list(ids)})
    return {
        row.id: Organization(row.id, row.name, row.external_id, row.fields, tuple(row.domains or ())) for row in rows
    }


_ORGANIZATIONS = sa.select(
    *(organization.c[name] for name in ("id", "name", "external_id", "fields")), _DOMAINS.label("domains")
).where(organization.c.connection_id == _CONNECTION, organization.c.id == _IDS)


def by_folded_email(cx: sa.Connection, connection_id: str, addresses: Sequence[str]) -> dict[str, list[str]]:
    """Ids of the people who have one of these folded addresses, by address; those gone left out."""
    found: dict[str, list[str]] = defaultdict(list)
    if addresses:
        wanted = sa.any_(sa.literal(list(addresses), sa.ARRAY(sa.Text)))
        query = (
            sa.select(person_email.c.folded, person.c.id)
            .join(
                person,
                sa.and_(
                    person.c.connection_id == person_email.c.connection_id, person.c.id == person_email.c.person_id
                ),
            )
            .where(person_email.c.connection_id == connection_id, person_email.c.folded == wanted)
            .where(person.c.active, ~person.c.gone)
        )
        for row in cx.execute(query.order_by(person.c.id)):
            found[row.folded].append(row.id)
    return found
