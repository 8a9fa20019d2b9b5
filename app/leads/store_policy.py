"""SQL of the policy on leads: a document a version."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app import audit
from app.leads.models import lead_policy
from app.leads.policy import LeadPolicy, from_json


def active_policy(cx: sa.Connection) -> LeadPolicy:
    """The policy in force; the defaults without one."""
    query = sa.select(lead_policy.c.document).order_by(lead_policy.c.version.desc()).limit(1)
    document = cx.execute(query).scalar()
    return from_json(document) if document else LeadPolicy()


def newest(cx: sa.Connection, *, lock: bool = False) -> tuple[int, LeadPolicy]:
    """The version in force and its policy; 0 for the defaults. lock: nobody else writes one until the commit."""
    if lock:
        cx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("lead_policy", 0))))
    row = cx.execute(sa.select(lead_policy).order_by(lead_policy.c.version.desc()).limit(1)).first()
    return (row.version, from_json(row.document)) if row else (0, LeadPolicy())


def versions(cx: sa.Connection, limit: int) -> Sequence[sa.RowMapping]:
    """The newest versions, newest first."""
    return cx.execute(sa.select(lead_policy).order_by(lead_policy.c.version.desc()).limit(limit)).mappings().all()


def put_policy(cx: sa.Connection, policy: LeadPolicy, by: str) -> int:
    """A new version; answers its number."""
    statement = sa.insert(lead_policy).values(document=policy.to_json(), made_by=by)
    version = int(cx.execute(statement.returning(lead_policy.c.version)).scalar_one())
    audit.record(cx, by, "leads.policy_set", f"lead-policy-{version}", policy.to_json())
    return version
