"""Use cases of identity. The caller owns the transaction; `match` takes a whole batch in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from app.customers import store as customers
from app.customers.folding import domain_of, fold, is_free_mail, skeleton
from app.customers.store import Person
from app.identity import store
from app.identity.policy import STRENGTHS, IdentitySettings, Match, PayerKey, PayerMatch, Requester, best
from integrations.kernel.billing import Payer
from integrations.kernel.errors import NotFound
from integrations.kernel.ids import new_id


def index_payers(
    cx: sa.Connection, connection_id: str, records: Iterable[object], *, settings: IdentitySettings
) -> None:
    """Keep the index of payers' addresses and keys; records that are no payers are passed over."""
    payers = {r.id: r for r in records if isinstance(r, Payer)}
    rows = []
    for payer in payers.values():
        folded = fold(payer.email or "", plus_addresses=settings.plus_addresses)
        domain = domain_of(folded)
        company = "" if is_free_mail(domain) else domain
        rows.append(
            {
                "connection_id": connection_id, "payer_id": payer.id, "folded": folded or f"{payer.id}@",
                "domain": company, "skeleton": skeleton(company),
            }
        )  # fmt: skip
    store.put_addresses(cx, rows)
    keys = [
        {"connection_id": connection_id, "payer_id": p.id, "key": key, "value": p.metadata[key]}
        for p in payers.values()
        for key in settings.link_keys
        if p.metadata.get(key)
    ]
    store.put_keys(cx, [(connection_id, p) for p in payers], keys)


def match(cx: sa.Connection, requesters: Sequence[Requester], settings: IdentitySettings) -> dict[Requester, Match]:
    """The payers of many requesters. Links the ladder finds are stored the first time they are used."""
    result: dict[Requester, Match] = {}
    by_connection: dict[str, list[str]] = defaultdict(list)
    for requester in requesters:
        by_connection[requester.connection_id].append(requester.person_id)
    for connection_id, ids in sorted(by_connection.items()):
        people = customers.people(cx, connection_id, ids)
        found = _match_people(cx, connection_id, people, settings)
        result |= {Requester(connection_id, i): found.get(i, Match()) for i in ids}
        _remember(cx, connection_id, found)
    return result


def _match_people(
    cx: sa.Connection, connection_id: str, people: Mapping[str, Person], settings: IdentitySettings
) -> dict[str, Match]:
    organizations = store.company_ids(
        cx, connection_id, sorted({p.organization_id for p in people.values() if p.organization_id})
    )
    linked = store.linked(cx, connection_id, sorted(people))
    externals = {p.external_id for p in people.values() if p.external_id}
    externals |= {external for external, _ in organizations.values() if external}
    keyed = store.by_value(cx, externals, settings.link_keys)
    named = store.by_payer_id(cx, externals)
    addresses = {i: _addresses(p, settings) for i, p in people.items()}
    equal = store.by_address(cx, "folded", {a for mine in addresses.values() for a in mine})
    domains = {i: _domains(people[i], addresses[i], organizations) for i in people}
    at_domain = store.by_address(cx, "domain", {d for mine in domains.values() for d in mine})
    alike = store.by_address(cx, "skeleton", {skeleton(d) for mine in domains.values() for d in mine})
    result = {}
    for person_id, person in people.items():
        rungs: dict[int, list[PayerKey]] = {r: list(k) for r, k in linked.get(person_id, {}).items()}
        for external in _externals(person, organizations):
            rungs.setdefault(1, []).extend([*keyed.get(external, ()), *named.get(external, ())])
        for address, verified in addresses[person_id].items():
            rungs.setdefault(2 if verified else 4, []).extend(key for key, _ in equal.get(address, ()))
        company = {key for d in domains[person_id] for key, _ in at_domain.get(d, ())}
        payers = best(rungs)
        company |= {(p.connection_id, p.payer_id) for p in payers}
        result[person_id] = Match(payers, tuple(sorted(company)), _warnings(domains[person_id], alike))
    return result


def _addresses(person: Person, settings: IdentitySettings) -> dict[str, bool]:
    """Folded address -> verified, as the settings have it."""
    found: dict[str, bool] = {}
    for address in person.addresses:
        folded = fold(address.folded, plus_addresses=settings.plus_addresses)
        found[folded] = found.get(folded, False) or address.verified
    return found


def _domains(
    person: Person, addresses: Mapping[str, bool], organizations: Mapping[str, tuple[str | None, list[str]]]
) -> set[str]:
    """Domains that stand for the person's company; free-mail never does."""
    found = {domain_of(address) for address in addresses}
    found |= set(organizations.get(person.organization_id or "", (None, []))[1])
    return {d for d in found if d and not is_free_mail(d)}


def _externals(person: Person, organizations: Mapping[str, tuple[str | None, list[str]]]) -> list[str]:
    company = organizations.get(person.organization_id or "", (None, []))[0]
    return [external for external in (person.external_id, company) if external]


def _warnings(domains: set[str], alike: Mapping[str, Sequence[tuple[PayerKey, str]]]) -> tuple[str, ...]:
    """Payers' domains that look like one of these and are not: shown to people, never matched."""
    return tuple(
        sorted(
            {
                f"{mine} looks like {theirs}, which is another domain"
                for mine in domains
                for _, theirs in alike.get(skeleton(mine), ())
                if theirs not in domains
            }
        )
    )


def _remember(cx: sa.Connection, connection_id: str, found: Mapping[str, Match]) -> None:
    rows = [
        _row(Requester(connection_id, person_id), payer, "ladder")
        for person_id, one in sorted(found.items())
        for payer in one.payers
    ]
    store.remember(cx, rows)


def _row(requester: Requester, payer: PayerMatch, by: str) -> dict[str, object]:
    return {
        "id": new_id("lnk"), "connection_id": requester.connection_id, "person_id": requester.person_id,
        "payer_connection_id": payer.connection_id, "payer_id": payer.payer_id, "rung": payer.rung,
        "strength": payer.strength.value, "made_by": by,
    }  # fmt: skip


def link(cx: sa.Connection, requester: Requester, payer: PayerKey, by: str, *, rung: int = 1) -> str:
    """A person says who pays for whom (rung 1), or two typed facts do (rung 3); answers the link's id."""
    row = _row(requester, PayerMatch(*payer, rung, STRENGTHS[rung]), by)
    store.remember(cx, [row])
    return str(row["id"])


def unlink(cx: sa.Connection, link_id: str, by: str) -> None:
    """End a link; it stays in the record. Raises NotFound."""
    if not store.end(cx, link_id, by):
        raise NotFound(link_id=link_id)


def requesters_of(cx: sa.Connection, payer: PayerKey) -> set[Requester]:
    """Everybody whose tickets a payer's facts are on, by link, id, address or company domain."""
    found = store.people_of(cx, payer) | store.people_of_domain(cx, payer)
    return {Requester(*one) for one in found}
