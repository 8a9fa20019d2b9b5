"""Deliveries: keys, bodies by day, lanes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_body",
        sa.Column("day", sa.Date(), server_default=sa.text("CURRENT_DATE"), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "day", name=op.f("pk_delivery_body")),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "delivery_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="received", nullable=False),
        sa.Column("money", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("copies", sa.Integer(), server_default="1", nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'done', 'ignored', 'stale', 'own', 'quarantined')",
            name=op.f("ck_delivery_key_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_key")),
        sa.UniqueConstraint("connection_id", "event_key", name=op.f("uq_delivery_key_connection_id_event_key")),
    )
    op.create_index(
        "ix_delivery_key_lane",
        "delivery_key",
        ["connection_id", "lane", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'received'"),
    )
    op.create_index(
        "ix_delivery_key_set_aside",
        "delivery_key",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state IN ('ignored', 'quarantined')"),
    )
    op.create_index(
        "ix_delivery_key_waiting", "delivery_key", ["id"], unique=False, postgresql_where=sa.text("state = 'received'")
    )
    op.create_table(
        "lane",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "key", name=op.f("pk_lane")),
    )
    op.execute("CREATE TABLE delivery_body_00000000 PARTITION OF delivery_body DEFAULT")
