"""Leads: what those pay that took part in the draw of the holdout, then and later."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lead", sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("lead", sa.Column("worth", sa.BigInteger(), nullable=True))
    op.add_column("lead", sa.Column("worth_later", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_lead_drawn", "lead", ["drawn_at"], unique=False, postgresql_where=sa.text("drawn_at IS NOT NULL")
    )
