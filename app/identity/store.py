"""All SQL of links and of looking payers up; every function takes many at once, in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.customers.look_alike import skeleton
from app.identity.ladder import Clues, Found, Stored
from app.identity.models import LADDER, identity_link
from app.identity.policy import BY_PEOPLE, CHOSEN, IdentitySettings, PayerKey

_LOOK_UP = """
SELECT 'key' AS how, k.key AS clue, k.value AS value, k.connection_id, k.payer_id
FROM unnest(CAST(:keys AS text[]), CAST(:values AS text[])) AS c(key, value)
JOIN payer_key k ON k.key = c.key AND k.value = c.value
UNION ALL
SELECT 'id', a.payer_id, '', a.connection_id, a.payer_id FROM payer_address a
WHERE a.payer_id = ANY(CAST(:ids AS text[])) AND NOT a.gone
UNION ALL
SELECT 'address', a.{address}, '', a.connection_id, a.payer_id FROM payer_address a
WHERE a.{address} = ANY(CAST(:addresses AS text[])) AND NOT a.gone
UNION ALL
SELECT 'domain', d.domain, '', a.connection_id, a.payer_id FROM unnest(CAST(:domains AS text[])) AS d(domain)
CROSS JOIN LATERAL (
    SELECT p.connection_id, p.payer_id FROM payer_address p WHERE p.domain = d.domain AND NOT p.gone LIMIT :most
) a
UNION ALL
SELECT 'alike', p.skeleton, p.domain, '', '' FROM payer_domain p WHERE p.skeleton = ANY(CAST(:skeletons AS text[]))
UNION ALL
SELECT DISTINCT 'alike', o.skeleton, o.domain, '', '' FROM organization_domain o
WHERE o.connection_id = :connection AND o.skeleton = ANY(CAST(:skeletons AS text[]))
"""
_BY_FOLDED, _BY_BASE = (sa.text(_LOOK_UP.format(address=column)) for column in ("folded", "base"))


def look_up(cx: sa.Connection, connection_id: str, many: Iterable[Clues], settings: IdentitySettings) -> Found:
    """Payers for all these clues together."""
    given = list(many)
    keys = sorted({key for one in given for key in one.keys})
    rows = cx.execute(
        _BY_BASE if settings.plus_addresses else _BY_FOLDED,
        {
            "connection": connection_id,
            "keys": [key for key, _ in keys],
            "values": [value for _, value in keys],
            "ids": sorted({i for one in given for i in one.payer_ids}),
            "addresses": sorted({address for one in given for address in one.addresses}),
            "domains": sorted({domain for one in given for domain in one.domains}),
            "skeletons": sorted({skeleton(domain) for one in given for domain in one.seen}),
            "most": settings.company_most + 1,
        },
    )
    return _sorted(rows, settings.company_most)


def _sorted(rows: Iterable[sa.Row[Any]], most: int) -> Found:
    by_how: dict[str, dict[Any, list[PayerKey]]] = {
        how: defaultdict(list) for how in ("key", "id", "address", "domain")
    }
    alike: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.how == "alike":
            alike[row.clue].add(row.value)
        else:
            clue = (row.clue, row.value) if row.how == "key" else row.clue
            by_how[row.how][clue].append((row.connection_id, row.payer_id))
    companies = {domain: payers for domain, payers in by_how["domain"].items() if len(payers) <= most}
    return Found(by_how["address"], by_how["key"], by_how["id"], companies, alike)


@dataclass(frozen=True, slots=True)
class Links:
    """Stored links of people. ladder: what it has written down and not ended: (person, payer) -> rung and link id.

    choices: the same of what people chose; of somebody who was merged, by whom they count for.
    """

    stored: Mapping[str, Stored]
    ladder: Mapping[tuple[str, PayerKey], tuple[int, str]]
    choices: Mapping[tuple[str, PayerKey], tuple[int, str]]


# Links of people and of those who were merged into them, whom they count for.
_LINKS = sa.text(
    """
    SELECT l.id, l.person_id, l.payer_connection_id, l.payer_id, l.rung, l.made_by, l.ended_by, l.ended_at, l.note,
    w.whose, (
        SELECT a.gone FROM payer_address a
        WHERE a.connection_id = l.payer_connection_id AND a.payer_id = l.payer_id
    ) AS payer_gone
    FROM (
        SELECT id, id AS whose FROM unnest(CAST(:people AS text[])) AS asked(id)
        UNION ALL
        SELECT p.id, p.merged_into FROM person p
        WHERE p.connection_id = :connection AND p.merged_into = ANY(CAST(:people AS text[]))
            AND p.id <> ALL(CAST(:people AS text[]))
    ) AS w
    JOIN identity_link l ON l.connection_id = :connection AND l.person_id = w.id
    WHERE l.ended_at IS NULL OR l.made_by = :ladder
    ORDER BY l.made_at, l.id
    """
)


def links(cx: sa.Connection, connection_id: str, people: Sequence[str]) -> Links:
    """Links of people; those of somebody who was merged into one of them count for the survivor."""
    linked: dict[str, dict[int, list[PayerKey]]] = defaultdict(lambda: defaultdict(list))
    refused: dict[str, set[PayerKey]] = defaultdict(set)
    ladder: dict[tuple[str, PayerKey], tuple[int, str]] = {}
    chosen: dict[str, list[tuple[PayerKey, int]]] = defaultdict(list)
    choices: dict[tuple[str, PayerKey], tuple[int, str]] = {}
    for row in cx.execute(_LINKS, {"connection": connection_id, "people": list(people), "ladder": LADDER}):
        key = (row.payer_connection_id, row.payer_id)
        if row.made_by == LADDER and row.ended_at is None:
            ladder[row.person_id, key] = (row.rung, row.id)
        elif row.made_by == LADDER and row.ended_by != LADDER:
            refused[row.whose].add(key)
        elif row.ended_at is None:
            if row.note.endswith(CHOSEN):
                chosen[row.whose].append((key, row.rung))
            if is_choice(row):
                choices[row.whose, key] = (row.rung, row.id)
            elif row.rung in BY_PEOPLE and not row.payer_gone:
                linked[row.whose][row.rung].append(key)
    stored = {
        one: Stored(linked.get(one, {}), frozenset(refused.get(one, ())), tuple(chosen.get(one, ()))) for one in people
    }
    return Links(stored, ladder, choices)


def is_choice(row: sa.Row[Any]) -> bool:
    """Does this row say no more than which of several is meant?"""
    return bool(row.made_by != LADDER and row.note == CHOSEN)


def put(cx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store links; a pair that has a live one already keeps it."""
    if rows:
        cx.execute(insert(identity_link).on_conflict_do_nothing(), list(rows))


def live(cx: sa.Connection, pair: Mapping[str, str]) -> sa.Row[Any] | None:
    """The live link of a pair, locked until the commit; None when there is none."""
    same = [identity_link.c[name] == value for name, value in pair.items()]
    query = sa.select(identity_link).where(identity_link.c.ended_at.is_(None), *same)
    return cx.execute(query.with_for_update()).one_or_none()


def made(cx: sa.Connection, pair: Mapping[str, str]) -> sa.Row[Any] | None:
    """The live link of a pair as it stands, for who wants to know who made it and when; not locked."""
    same = [identity_link.c[name] == value for name, value in pair.items()]
    return cx.execute(sa.select(identity_link).where(identity_link.c.ended_at.is_(None), *same)).one_or_none()


def end(cx: sa.Connection, ids: Sequence[str], by: str) -> int:
    """End live links; answers how many there were."""
    if not ids:
        return 0
    statement = (
        sa.update(identity_link)
        .where(identity_link.c.id == sa.any_(sa.literal(sorted(ids), sa.ARRAY(sa.Text))))
        .where(identity_link.c.ended_at.is_(None))
        .values(ended_by=by, ended_at=sa.func.now())
    )
    return cx.execute(statement).rowcount
