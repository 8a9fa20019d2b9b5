"""Leads: what a rule made counts for its signal too; two lists that are asked for all the time no longer read every lead."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_lead_verdict_at", "lead", ["verdict_at"], postgresql_where=sa.text("verdict_at IS NOT NULL"))
    op.create_index(
        "ix_lead_followed", "lead", ["crm_id", "id"],
        postgresql_where=sa.text("verdict IN ('', 'accepted') AND standing ? 'followed'"),
    )  # fmt: skip
    op.execute(
        """
        UPDATE lead SET rules = (SELECT array_agg(DISTINCT r ORDER BY r) FROM unnest(lead.rules || m.names) AS r)
        FROM (SELECT lead_id, array_agg(DISTINCT name) AS names FROM lead_signal
              WHERE rule <> '' AND lead_id IS NOT NULL GROUP BY lead_id) AS m
        WHERE m.lead_id = lead.id AND cardinality(lead.rules) > 0
        """
    )
