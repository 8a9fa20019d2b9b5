"""Links and the payers' index."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_link",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("payer_connection_id", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("rung", sa.SmallInteger(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_link")),
    )
    op.create_index(
        "ix_identity_link_payer",
        "identity_link",
        ["payer_connection_id", "payer_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_identity_link_person", "identity_link", ["connection_id", "person_id"], unique=False)
    op.create_index(
        "uq_identity_link_live",
        "identity_link",
        ["connection_id", "person_id", "payer_connection_id", "payer_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "payer_address",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=True),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", "payer_id", name=op.f("pk_payer_address")),
    )
    op.create_index(
        "ix_payer_address_base", "payer_address", ["base"], unique=False, postgresql_where=sa.text("base IS NOT NULL")
    )
    op.create_index(
        "ix_payer_address_domain",
        "payer_address",
        ["domain"],
        unique=False,
        postgresql_where=sa.text("domain IS NOT NULL"),
    )
    op.create_index(
        "ix_payer_address_folded",
        "payer_address",
        ["folded"],
        unique=False,
        postgresql_where=sa.text("folded IS NOT NULL"),
    )
    op.create_index("ix_payer_address_payer", "payer_address", ["payer_id"], unique=False)
    op.create_table(
        "payer_domain",
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("skeleton", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_payer_domain")),
    )
    op.create_index("ix_payer_domain_skeleton", "payer_domain", ["skeleton"], unique=False)
    op.create_table(
        "payer_key",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "payer_id", "key", name=op.f("pk_payer_key")),
    )
    op.create_index("ix_payer_key_value", "payer_key", ["value"], unique=False)
