"""All SQL of links and of the payers' index; lookups take many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.customers.models import organization, person, person_email
from app.identity.models import identity_link, payer_address, payer_key
from app.identity.policy import PayerKey


def put_addresses(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Index payers' addresses; one without an address is taken out with `folded` empty."""
    if not rows:
        return
    gone = [(r["connection_id"], r["payer_id"]) for r in rows if not r["folded"]]
    if gone:
        key = sa.tuple_(payer_address.c.connection_id, payer_address.c.payer_id)
        cx.execute(sa.delete(payer_address).where(key.in_(gone)))
    if kept := [r for r in rows if r["folded"]]:
        statement = insert(payer_address).values(kept)
        new = statement.excluded
        changes = {"folded": new.folded, "domain": new.domain, "skeleton": new.skeleton}
        cx.execute(statement.on_conflict_do_update(index_elements=["connection_id", "payer_id"], set_=changes))


def put_keys(cx: sa.Connection, payers: Sequence[PayerKey], rows: Sequence[Mapping[str, str]]) -> None:
    """Replace what these payers' metadata says of requesters."""
    if payers:
        key = sa.tuple_(payer_key.c.connection_id, payer_key.c.payer_id)
        cx.execute(sa.delete(payer_key).where(key.in_(payers)))
    if rows:
        cx.execute(insert(payer_key), list(rows))


def linked(cx: sa.Connection, connection_id: str, people: Sequence[str]) -> dict[str, dict[int, list[PayerKey]]]:
    """Stored links of people by rung, those of the ladder's own making left out."""
    query = sa.select(identity_link).where(
        identity_link.c.connection_id == connection_id,
        identity_link.c.person_id.in_(people),
        identity_link.c.ended_at.is_(None),
        identity_link.c.made_by != "ladder",
    )
    found: dict[str, dict[int, list[PayerKey]]] = defaultdict(lambda: defaultdict(list))
    for row in cx.execute(query):
        found[row.person_id][row.rung].append((row.payer_connection_id, row.payer_id))
    return found


def by_value(cx: sa.Connection, values: Iterable[str], keys: Sequence[str]) -> dict[str, list[PayerKey]]:
    """Payers whose metadata (under one of the admin's keys) is one of these values."""
    query = sa.select(payer_key).where(payer_key.c.value.in_(sorted(set(values))), payer_key.c.key.in_(keys))
    found: dict[str, list[PayerKey]] = defaultdict(list)
    for row in cx.execute(query):
        found[row.value].append((row.connection_id, row.payer_id))
    return found


def by_payer_id(cx: sa.Connection, ids: Iterable[str]) -> dict[str, list[PayerKey]]:
    """Payers by their own id, as an external id at the helpdesk may name it."""
    wanted = sorted(set(ids))
    query = sa.select(payer_address.c.connection_id, payer_address.c.payer_id).where(
        payer_address.c.payer_id.in_(wanted)
    )
    found: dict[str, list[PayerKey]] = defaultdict(list)
    for row in cx.execute(query):
        found[row.payer_id].append((row.connection_id, row.payer_id))
    return found


def by_address(cx: sa.Connection, column: str, values: Iterable[str]) -> dict[str, list[tuple[PayerKey, str]]]:
    """Payers by `folded`, `domain` or `skeleton` of their address, each with its domain."""
    field = payer_address.c[column]
    found: dict[str, list[tuple[PayerKey, str]]] = defaultdict(list)
    for row in cx.execute(sa.select(payer_address, field.label("wanted")).where(field.in_(sorted(set(values))))):
        found[row.wanted].append(((row.connection_id, row.payer_id), row.domain))
    return found


def remember(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store links; one that is live already stays as it is."""
    if rows:
        cx.execute(insert(identity_link).values(list(rows)).on_conflict_do_nothing())


def end(cx: sa.Connection, link_id: str, by: str) -> bool:
    """End a live link; False when there is none."""
    statement = (
        sa.update(identity_link)
        .where(identity_link.c.id == link_id, identity_link.c.ended_at.is_(None))
        .values(ended_by=by, ended_at=sa.func.now())
    )
    return cx.execute(statement).rowcount == 1


def people_of(cx: sa.Connection, payer: PayerKey) -> set[tuple[str, str]]:
    """(helpdesk connection, person) of everybody a payer may pay for, by link, key or address."""
    live = sa.and_(identity_link.c.ended_at.is_(None), identity_link.c.made_by != "ladder")
    mine = sa.and_(payer_address.c.connection_id == payer[0], payer_address.c.payer_id == payer[1])
    keyed = sa.and_(payer_key.c.connection_id == payer[0], payer_key.c.payer_id == payer[1])
    queries = sa.union(
        sa.select(identity_link.c.connection_id, identity_link.c.person_id).where(
            live, identity_link.c.payer_connection_id == payer[0], identity_link.c.payer_id == payer[1]
        ),
        sa.select(person_email.c.connection_id, person_email.c.person_id)
        .join(payer_address, payer_address.c.folded == person_email.c.folded)
        .where(mine),
        sa.select(person.c.connection_id, person.c.id)
        .join(payer_key, payer_key.c.value == person.c.external_id)
        .where(keyed),
        sa.select(person.c.connection_id, person.c.id).where(person.c.external_id == payer[1]),
    )
    return {(row[0], row[1]) for row in cx.execute(queries)}


def people_of_domain(cx: sa.Connection, payer: PayerKey) -> set[tuple[str, str]]:
    """(helpdesk connection, person) with an address at the payer's domain."""
    query = (
        sa.select(person_email.c.connection_id, person_email.c.person_id)
        .join(payer_address, payer_address.c.domain == person_email.c.domain)
        .where(payer_address.c.connection_id == payer[0], payer_address.c.payer_id == payer[1])
    )
    return {(row[0], row[1]) for row in cx.execute(query)}


def company_ids(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> dict[str, tuple[str | None, list[str]]]:
    """(external id, domains) of companies at a helpdesk."""
    query = sa.select(organization).where(organization.c.connection_id == connection_id, organization.c.id.in_(ids))
    return {row.id: (row.external_id, list(row.domains)) for row in cx.execute(query)}
