"""Which companies sales must leave alone now: open holds, and the same account match that leads go through.

The cost follows the number of open holds, not of leads. A hold names a payer, a person or both; through links and
domains it reaches every subject that may stand for the same company.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from app.customers.folding import is_free_mail
from app.leads import accounts
from app.leads.match import company_of

_OPEN = sa.text(
    """
    WITH h AS (SELECT * FROM hold WHERE released_at IS NULL), who AS (
        SELECT id, connection_id, person_id FROM h WHERE person_id <> ''
        UNION SELECT h.id, l.connection_id, l.person_id FROM h JOIN identity_link l
            ON l.payer_connection_id = h.payer_connection_id AND l.payer_id = h.payer_id AND l.ended_at IS NULL
            AND l.strength IN ('linked', 'verified', 'two_facts') WHERE h.payer_id <> ''
    ), subject AS (
        SELECT id, 'payer:' || payer_connection_id || ':' || payer_id AS subject FROM h WHERE payer_id <> ''
        UNION SELECT id, 'person:' || connection_id || ':' || person_id FROM who
        UNION SELECT who.id, 'payer:' || l.payer_connection_id || ':' || l.payer_id FROM who JOIN identity_link l
            ON l.connection_id = who.connection_id AND l.person_id = who.person_id AND l.ended_at IS NULL
            AND l.strength IN ('linked', 'verified', 'two_facts')
        UNION SELECT who.id, 'organization:' || p.connection_id || ':' || p.organization_id FROM who JOIN person p
            ON p.connection_id = who.connection_id AND p.id = who.person_id WHERE p.organization_id IS NOT NULL
        UNION SELECT who.id, 'domain:' || e.domain FROM who JOIN person_email e
            ON e.connection_id = who.connection_id AND e.person_id = who.person_id WHERE e.verified
        UNION SELECT h.id, 'domain:' || a.domain FROM h JOIN payer_address a
            ON a.connection_id = h.payer_connection_id AND a.payer_id = h.payer_id WHERE a.domain <> ''
    )
    SELECT h.id, h.source, h.source_id, h.why, h.until_what, s.subject FROM h JOIN subject s ON s.id = h.id
    ORDER BY h.id, s.subject
    """
)


@dataclass(frozen=True, slots=True)
class Blocked:
    """why, until_what: of the oldest open hold. count: how many there are."""

    why: str
    until_what: str
    count: int = 1

    @property
    def sentence(self) -> str:
        """For the lead's page and the record at the CRM."""
        more = f" ({self.count - 1} more reason{'s' if self.count > 2 else ''}.)" if self.count > 1 else ""
        return f"{_upper(self.why)}. Sales waits {self.until_what}.{more}"


def _upper(text: str) -> str:
    plain = text.strip().rstrip(".")
    return plain[:1].upper() + plain[1:]


def blocked(cx: sa.Connection, crm_id: str) -> Mapping[str, Blocked]:
    """Company -> why it must be left alone."""
    rows = cx.execute(_OPEN).all()
    rows = [row for row in rows if not _is_free(row.subject)]
    found = accounts.match(cx, crm_id, {row.subject for row in rows}) if rows else {}
    holds: dict[str, dict[int, tuple[str, str]]] = defaultdict(dict)
    for row in rows:
        for company in {row.subject, company_of(row.subject, crm_id, found[row.subject])}:
            holds[company][row.id] = (row.why, row.until_what)
    return {company: Blocked(*mine[min(mine)], len(mine)) for company, mine in holds.items()}


def _is_free(subject: str) -> bool:
    kind, _, domain = subject.partition(":")
    return kind == "domain" and is_free_mail(domain)
