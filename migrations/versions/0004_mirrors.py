"""Tickets, people, companies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organization",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_organization")),
    )
    op.create_index(
        "ix_organization_external_id",
        "organization",
        ["external_id"],
        unique=False,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "ix_organization_fields",
        "organization",
        ["fields"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"fields": "jsonb_path_ops"},
    )
    op.create_table(
        "organization_domain",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("skeleton", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "organization_id", "domain", name=op.f("pk_organization_domain")),
    )
    op.create_index("ix_organization_domain_domain", "organization_domain", ["domain"], unique=False)
    op.create_index("ix_organization_domain_skeleton", "organization_domain", ["skeleton"], unique=False)
    op.create_table(
        "person",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("organization_id", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_person")),
    )
    op.create_index(
        "ix_person_external_id",
        "person",
        ["external_id"],
        unique=False,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "ix_person_merged",
        "person",
        ["connection_id", "merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index("ix_person_organization", "person", ["connection_id", "organization_id"], unique=False)
    op.create_table(
        "person_email",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "person_id", "folded", name=op.f("pk_person_email")),
    )
    op.create_index("ix_person_email_base", "person_email", ["base"], unique=False)
    op.create_index("ix_person_email_domain", "person_email", ["domain"], unique=False)
    op.create_index("ix_person_email_folded", "person_email", ["folded"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("reread", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("requester_id", sa.Text(), nullable=True),
        sa.Column("organization_id", sa.Text(), nullable=True),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_ticket")),
    )
    op.create_index(
        "ix_ticket_organization",
        "ticket",
        ["connection_id", "organization_id", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('new', 'open', 'pending', 'hold', 'solved') AND NOT gone"),
    )
    op.create_index(
        "ix_ticket_requester",
        "ticket",
        ["connection_id", "requester_id", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('new', 'open', 'pending', 'hold', 'solved') AND NOT gone"),
    )
    op.create_index(
        "ix_ticket_reread", "ticket", ["connection_id", "id"], unique=False, postgresql_where=sa.text("reread")
    )
