"""Leads: a deal that came of a converted lead is followed for some time after it was won; the index is of these too."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_lead_followed", "lead")
    op.create_index(
        "ix_lead_followed", "lead", ["crm_id", "id"],
        postgresql_where=sa.text("verdict IN ('', 'accepted', 'won') AND standing ? 'followed'"),
    )  # fmt: skip
