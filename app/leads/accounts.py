"""SQL of the account match: what is known of subjects, and which accounts of the mirror that fits. No call is made.

A subject is `payer:<connection>:<id>`, `organization:<connection>:<id>`, `person:<connection>:<id>` or `domain:<domain>`.
Of a payer, everything counts that the billing vendor and the people linked to the payer tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.crm import fold_name
from app.customers.folding import is_free_mail
from app.leads.match import Candidate, Found, Rungs, climb

BATCH = 500


@dataclass(slots=True)
class Clues:
    """Of one subject. domains: verified or the company's own; unverified: of addresses that anybody may have written; no
    free-mail among either. names: as told."""

    ids: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    unverified: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


# who: subject -> the people who speak for it. Verified addresses only, and companies as the helpdesk has them. A person's
# other addresses are told apart: good for a suggestion.
_CLUES = sa.text(
    """
    WITH w AS (
        SELECT s AS subject, split_part(s, ':', 1) AS kind, split_part(s, ':', 2) AS connection_id,
               substr(s, length(split_part(s, ':', 1)) + length(split_part(s, ':', 2)) + 3) AS id
        FROM unnest(CAST(:subjects AS text[])) AS s
    ), who AS (
        SELECT subject, connection_id, id AS person_id FROM w WHERE kind = 'person'
        UNION SELECT w.subject, l.connection_id, l.person_id FROM w
        JOIN identity_link l ON l.payer_connection_id = w.connection_id AND l.payer_id = w.id AND l.ended_at IS NULL
        WHERE w.kind = 'payer' AND l.strength IN ('linked', 'verified', 'two_facts')
    ), company AS (
        SELECT subject, connection_id, id FROM w WHERE kind = 'organization'
        UNION SELECT who.subject, p.connection_id, p.organization_id FROM who
        JOIN person p ON p.connection_id = who.connection_id AND p.id = who.person_id
        WHERE p.organization_id IS NOT NULL AND NOT p.gone
    )
    SELECT subject, 'id' AS what, id AS value FROM w WHERE kind = 'payer'
    UNION SELECT w.subject, 'id', k.value FROM w JOIN payer_key k
        ON k.connection_id = w.connection_id AND k.payer_id = w.id WHERE w.kind = 'payer'
    UNION SELECT c.subject, 'id', o.external_id FROM company c JOIN organization o USING (connection_id, id)
        WHERE o.external_id <> ''
    UNION SELECT subject, 'domain', connection_id FROM w WHERE kind = 'domain'
    UNION SELECT w.subject, 'domain', a.domain FROM w JOIN payer_address a
        ON a.connection_id = w.connection_id AND a.payer_id = w.id WHERE w.kind = 'payer' AND a.domain <> '' AND NOT a.gone
    UNION SELECT who.subject, 'domain', e.domain FROM who JOIN person_email e
        ON e.connection_id = who.connection_id AND e.person_id = who.person_id WHERE e.verified
    UNION SELECT w.subject, 'unverified', e.domain FROM w JOIN person_email e
        ON e.connection_id = w.connection_id AND e.person_id = w.id WHERE w.kind = 'person' AND NOT e.verified
    UNION SELECT c.subject, 'domain', d.domain FROM company c JOIN organization_domain d
        ON d.connection_id = c.connection_id AND d.organization_id = c.id
    UNION SELECT c.subject, 'name', o.name FROM company c JOIN organization o USING (connection_id, id) WHERE o.name <> ''
    UNION SELECT w.subject, 'name', b.data ->> 'name' FROM w JOIN billing_object b
        ON b.connection_id = w.connection_id AND b.kind = 'payer' AND b.id = w.id
        WHERE w.kind = 'payer' AND b.data ->> 'name' <> ''
    """
)
_LINKS = sa.text(
    """
    SELECT l.subject, l.account_id, l.reason FROM account_link l
    JOIN crm_account a ON a.connection_id = l.crm_id AND a.id = l.account_id AND NOT a.gone
    WHERE l.crm_id = :crm AND l.ended_at IS NULL AND l.subject = ANY(:subjects)
    """
)
_EXTERNAL = sa.text(
    """
    SELECT external_id AS by, id, name, parent_id, false AS as_contact FROM crm_account
    WHERE external_id = ANY(:values) AND external_id <> '' AND connection_id = :crm AND NOT gone
    """
)
_DOMAIN = sa.text(
    """
    SELECT d AS by, a.id, a.name, a.parent_id, false AS as_contact
    FROM crm_account a CROSS JOIN LATERAL unnest(a.domains) AS d
    WHERE a.domains && CAST(:values AS text[]) AND d = ANY(:values) AND a.connection_id = :crm AND NOT a.gone
    UNION
    SELECT c.domain, a.id, a.name, a.parent_id, true FROM crm_contact c
    JOIN crm_account a ON a.connection_id = c.connection_id AND a.id = c.account_id AND NOT a.gone
    WHERE c.domain = ANY(:values) AND c.domain <> '' AND c.account_id <> '' AND c.connection_id = :crm AND NOT c.gone
    """
)
_NAME = sa.text(
    """
    SELECT folded_name AS by, id, name, parent_id, false AS as_contact FROM crm_account
    WHERE folded_name = ANY(:values) AND folded_name <> '' AND connection_id = :crm AND NOT gone
    """
)


def match(cx: sa.Connection, crm_id: str, subjects: Collection[str]) -> dict[str, Found]:
    """Every subject asked for, in a fixed number of statements a batch."""
    ordered = sorted(set(subjects))
    found: dict[str, Found] = {}
    for start in range(0, len(ordered), BATCH):
        found |= _match(cx, crm_id, ordered[start : start + BATCH])
    return found


def clues(cx: sa.Connection, subjects: Collection[str]) -> dict[str, Clues]:
    """What is known of subjects; free-mail domains say nothing and are left out."""
    found: dict[str, Clues] = defaultdict(Clues)
    for row in cx.execute(_CLUES, {"subjects": sorted(subjects)}):
        mine = found[row.subject]
        if row.what == "id":
            mine.ids.add(row.value)
        elif row.what == "name":
            mine.names.add(row.value)
        elif not is_free_mail(row.value):
            (mine.domains if row.what == "domain" else mine.unverified).add(row.value)
    return found


def _match(cx: sa.Connection, crm_id: str, subjects: list[str]) -> dict[str, Found]:
    known = clues(cx, subjects)
    rows = cx.execute(_LINKS, {"crm": crm_id, "subjects": subjects})
    linked = {row.subject: (row.account_id, row.reason) for row in rows}
    external = _look(cx, _EXTERNAL, crm_id, (one.ids for one in known.values()))
    domains = _look(cx, _DOMAIN, crm_id, (one.domains | one.unverified for one in known.values()))
    folded = {s: {fold_name(name): name for name in one.names} for s, one in known.items()}
    names = _look(cx, _NAME, crm_id, (one.keys() for one in folded.values()))
    result = {}
    for subject in subjects:
        mine = known.get(subject, Clues())
        alike = [_renamed(c, name) for key, name in sorted(folded.get(subject, {}).items()) for c in names.get(key, ())]
        of_domain, maybe = _of(domains, mine.domains), _of(domains, mine.unverified)
        result[subject] = climb(Rungs(linked.get(subject), _of(external, mine.ids), of_domain, alike, maybe))
    return result


def _look(
    cx: sa.Connection, statement: sa.TextClause, crm_id: str, wanted: Iterable[Collection[str]]
) -> dict[str, list[Candidate]]:
    values = sorted({value for some in wanted for value in some if value})
    found: dict[str, list[Candidate]] = defaultdict(list)
    if values:
        for row in cx.execute(statement, {"crm": crm_id, "values": values}):
            found[row.by].append(Candidate(row.id, row.name, row.parent_id, row.by, row.as_contact))
    return found


def _of(found: Mapping[str, list[Candidate]], keys: Iterable[str]) -> list[Candidate]:
    return [one for key in sorted(keys) for one in found.get(key, ())]


def _renamed(one: Candidate, name: str) -> Candidate:
    """Found by a folded name; a person is shown the name as it was told."""
    return Candidate(one.account_id, one.name, one.parent_id, name)


def accounts_of(cx: sa.Connection, crm_id: str, ids: Collection[str]) -> dict[str, Any]:
    """account id -> (name, owner_id, territory) rows of the mirror."""
    query = sa.text(
        "SELECT a.id, a.name, a.owner_id, a.territory, coalesce(u.active, true) AS owner_active FROM crm_account a"
        " LEFT JOIN crm_user u ON u.connection_id = a.connection_id AND u.id = a.owner_id"
        " WHERE a.connection_id = :crm AND a.id = ANY(:ids)"
    )
    return {row.id: row for row in cx.execute(query, {"crm": crm_id, "ids": sorted(ids)})}


def inactive(cx: sa.Connection, crm_id: str, users: Collection[str]) -> set[str]:
    """Of users an admin named, by ids of 15 or 18 characters, those the mirror knows to be active no more."""
    if not users:
        return set()
    query = sa.text(
        "SELECT left(id, 15) FROM crm_user WHERE connection_id = :crm AND NOT active AND left(id, 15) = ANY(:ids)"
    )
    gone = set(cx.execute(query, {"crm": crm_id, "ids": sorted({one[:15] for one in users})}).scalars())
    return {one for one in users if one[:15] in gone}
