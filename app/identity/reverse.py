"""From a payer to the people whose tickets its facts are on: the ladder read downwards, in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from app.identity.policy import IdentitySettings, PayerKey, Requester
from app.tickets.models import CHANGEABLE

# Generous where the ladder is strict (plus addresses, refused pairs): to judge a ticket once too often changes nothing.
_WHO = sa.text(
    f"""
WITH payer AS (
    SELECT * FROM unnest(CAST(:connections AS text[]), CAST(:ids AS text[])) AS p(connection_id, payer_id)
), address AS (
    SELECT a.* FROM payer_address a JOIN payer USING (connection_id, payer_id)
), named AS (
    SELECT connection_id, payer_id, payer_id AS value FROM payer
    UNION SELECT k.connection_id, k.payer_id, k.value FROM payer_key k JOIN payer USING (connection_id, payer_id)
), company AS (
    SELECT n.connection_id AS payer_connection, n.payer_id, o.connection_id, o.id
    FROM named n JOIN organization o ON o.external_id = n.value
    UNION SELECT p.connection_id, p.payer_id, o.connection_id, o.id
    FROM payer p CROSS JOIN unnest(CAST(:fields AS text[])) AS f(name)
    JOIN organization o ON o.fields @> jsonb_build_object(f.name, p.payer_id)
    UNION SELECT a.connection_id, a.payer_id, d.connection_id, d.organization_id
    FROM address a JOIN organization_domain d ON d.domain = a.domain
), who AS (
    SELECT l.payer_connection_id AS payer_connection, l.payer_id, l.connection_id, l.person_id
    FROM identity_link l JOIN payer p ON p.connection_id = l.payer_connection_id AND p.payer_id = l.payer_id
    WHERE l.ended_at IS NULL
    UNION SELECT a.connection_id, a.payer_id, e.connection_id, e.person_id
    FROM address a JOIN person_email e ON e.base = a.base
    UNION SELECT a.connection_id, a.payer_id, e.connection_id, e.person_id
    FROM address a JOIN person_email e ON e.domain = a.domain
    UNION SELECT n.connection_id, n.payer_id, p.connection_id, p.id
    FROM named n JOIN person p ON p.external_id = n.value
    UNION SELECT c.payer_connection, c.payer_id, p.connection_id, p.id
    FROM company c JOIN person p ON p.connection_id = c.connection_id AND p.organization_id = c.id
), everybody AS (
    SELECT * FROM who
    UNION SELECT w.payer_connection, w.payer_id, w.connection_id, m.merged_into
    FROM who w JOIN person m ON m.connection_id = w.connection_id AND m.id = w.person_id
    WHERE m.merged_into IS NOT NULL
)
SELECT e.* FROM everybody e WHERE EXISTS (
    SELECT 1 FROM ticket
    WHERE ticket.connection_id = e.connection_id AND ticket.requester_id = e.person_id AND {CHANGEABLE.text}
)
"""  # noqa: S608 - constant text
)


def requesters_of_many(
    cx: sa.Connection, payers: Sequence[PayerKey], settings: IdentitySettings | None = None
) -> dict[PayerKey, set[Requester]]:
    """By payer: everybody with a ticket that can still be changed on which this payer's facts are, on any rung.

    `settings`: for the companies' fields that hold a payer's id; left out, links the ladder has used still count.
    """
    found: dict[PayerKey, set[Requester]] = defaultdict(set)
    if payers:
        wanted = sorted(set(payers))
        given = {
            "connections": [connection_id for connection_id, _ in wanted],
            "ids": [payer_id for _, payer_id in wanted],
            "fields": list(settings.organization_fields) if settings else [],
        }
        for row in cx.execute(_WHO, given):
            found[row.payer_connection, row.payer_id].add(Requester(row.connection_id, row.person_id))
    return found


def requesters_of(cx: sa.Connection, payer: PayerKey, settings: IdentitySettings | None = None) -> set[Requester]:
    """The same for one payer."""
    return requesters_of_many(cx, [payer], settings).get(payer, set())
