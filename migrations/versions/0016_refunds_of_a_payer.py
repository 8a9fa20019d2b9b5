"""Refunds: what a payer got back is looked up by payer and time, however long the history is."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_refund_intent_succeeded", "refund_intent", ["connection_id", "payer_id", "created_at"],
        postgresql_where=sa.text("state = 'succeeded'"),
    )  # fmt: skip
