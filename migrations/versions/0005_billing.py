"""The billing mirror and its profiles."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_cursor",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "name", name=op.f("pk_billing_cursor")),
    )
    op.create_table(
        "billing_object",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), server_default="", nullable=False),
        sa.Column("charge_id", sa.Text(), server_default="", nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "kind", "id", name=op.f("pk_billing_object")),
    )
    op.create_index(
        "ix_billing_object_orphan",
        "billing_object",
        ["connection_id", "charge_id"],
        unique=False,
        postgresql_where=sa.text("payer_id = '' AND charge_id <> ''"),
    )
    op.create_index(
        "ix_billing_object_payer",
        "billing_object",
        ["connection_id", "payer_id"],
        unique=False,
        postgresql_where=sa.text("payer_id <> ''"),
    )
    op.create_table(
        "billing_profile",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("profile", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("refresh_on", sa.Date(), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "payer_id", name=op.f("pk_billing_profile")),
    )
    op.create_index(
        "ix_billing_profile_refresh_on",
        "billing_profile",
        ["refresh_on"],
        unique=False,
        postgresql_where=sa.text("refresh_on IS NOT NULL"),
    )
    op.create_table(
        "billing_reread",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "kind", "id", name=op.f("pk_billing_reread")),
    )
    op.create_table(
        "seat_count",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("seats_used", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", "subscription_id", "day", name=op.f("pk_seat_count")),
    )
