"""Whom leads are about, for what a rep reads: names, an address to answer to, and who at the CRM should own it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.leads import accounts
from app.leads.holding import Blocked
from app.leads.policy import LeadPolicy
from app.leads.render import About

Row = Mapping[Any, Any]

_WHO = sa.text(
    """
    WITH w AS (
        SELECT s AS subject, split_part(s, ':', 1) AS kind, split_part(s, ':', 2) AS connection_id,
               substr(s, length(split_part(s, ':', 1)) + length(split_part(s, ':', 2)) + 3) AS id
        FROM unnest(CAST(:subjects AS text[])) AS s
    )
    SELECT w.subject, coalesce(b.data ->> 'name', o.name, po.name, d.domain, '') AS company,
           coalesce(p.name, '') AS person, coalesce(b.data ->> 'email', e.address, '') AS email
    FROM (SELECT w.*, CASE WHEN kind = 'domain' THEN connection_id END AS domain FROM w) d
    JOIN w ON w.subject = d.subject
    LEFT JOIN billing_object b ON w.kind = 'payer' AND b.connection_id = w.connection_id AND b.kind = 'payer'
        AND b.id = w.id
    LEFT JOIN organization o ON w.kind = 'organization' AND o.connection_id = w.connection_id AND o.id = w.id
    LEFT JOIN person p ON w.kind = 'person' AND p.connection_id = w.connection_id AND p.id = w.id
    LEFT JOIN organization po ON po.connection_id = p.connection_id AND po.id = p.organization_id
    LEFT JOIN person_email e ON e.connection_id = p.connection_id AND e.person_id = p.id AND e.is_primary
    """
)


def about(
    cx: sa.Connection, crm_id: str, rows: Sequence[Row], policy: LeadPolicy, blocked: Mapping[str, Blocked]
) -> dict[str, About]:
    """By lead."""
    known = accounts.accounts_of(cx, crm_id, {row["account_id"] for row in rows if row["account_id"]})
    strangers = sorted({row["subject"] for row in rows if not row["account_id"]})
    told = {row.subject: row for row in cx.execute(_WHO, {"subjects": strangers})} if strangers else {}
    away = accounts.inactive(cx, crm_id, policy.territories.values())
    found = {}
    for row in rows:
        block = (blocked.get(row["company"]) or blocked.get(row["subject"])) if row["on_hold"] else None
        why, account, who = block.sentence if block else "", known.get(row["account_id"]), told.get(row["subject"])
        if account is not None:
            found[row["id"]] = About(account.name, owner(account, policy, away), block=why)
        elif who is not None:
            company = who.company or who.person or who.email.rpartition("@")[2]
            found[row["id"]] = About(company, "", who.email, who.person.rpartition(" ")[2], why)
        else:
            found[row["id"]] = About(block=why)
    return found


def owner(account: Any, policy: LeadPolicy, away: Collection[str]) -> str:  # noqa: ANN401 - a row of the mirror
    """The account's owner; without one the territory says; "" leaves it to them. Who is no longer active is replaced.

    Args:
        away: of the territories' owners, those who are no longer active.
    """
    if account.owner_id:
        return str(account.owner_id if account.owner_active else policy.fallback_owner)
    user = policy.territories.get(account.territory, "")
    return policy.fallback_owner if user in away else user
