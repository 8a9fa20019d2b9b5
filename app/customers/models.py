"""People with their addresses, companies with their domains."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

person = sa.Table(
    "person",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("organization_id", sa.Text),
    sa.Column("locale", sa.Text),
    sa.Column("time_zone", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("fields", pg.JSONB, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "id"),
    sa.Index("ix_person_external_id", "external_id", postgresql_where=sa.text("external_id IS NOT NULL")),
)

person_email = sa.Table(
    "person_email",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("folded", sa.Text, nullable=False),
    sa.Column("domain", sa.Text, nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("is_primary", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "person_id", "folded"),
    sa.Index("ix_person_email_folded", "folded"),
    sa.Index("ix_person_email_domain", "domain"),
)

organization = sa.Table(
    "organization",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("domains", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("fields", pg.JSONB, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "id"),
)
