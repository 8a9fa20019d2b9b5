"""SQL of the policy on leads: a document a version."""

from __future__ import annotations

import sqlalchemy as sa

from app import audit
from app.leads.models import lead_policy
from app.leads.policy import LeadPolicy, from_json


def active_policy(cx: sa.Connection) -> LeadPolicy:
    """The policy in force; the defaults without one."""
    query = sa.select(lead_policy.c.document).order_by(lead_policy.c.version.desc()).limit(1)
    document = cx.execute(query).scalar()
    return from_json(document) if document else LeadPolicy()


def put_policy(cx: sa.Connection, policy: LeadPolicy, by: str) -> int:
    """A new version; answers its number."""
    statement = sa.insert(lead_policy).values(document=policy.to_json(), made_by=by)
    version = int(cx.execute(statement.returning(lead_policy.c.version)).scalar_one())
    audit.record(cx, by, "leads.policy_set", f"lead-policy-{version}", policy.to_json())
    return version
