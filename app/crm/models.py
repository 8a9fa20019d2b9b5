"""A mirror of the CRM's companies, the domains known of them, and who owns records; and where its reading is."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

crm_account = sa.Table(
    "crm_account",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("folded_name", sa.Text, nullable=False, server_default=""),
    sa.Column("owner_id", sa.Text, nullable=False, server_default=""),
    sa.Column("parent_id", sa.Text, nullable=False, server_default=""),
    sa.Column("external_id", sa.Text, nullable=False, server_default=""),
    sa.Column("territory", sa.Text, nullable=False, server_default=""),
    sa.Column("domains", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.PrimaryKeyConstraint("connection_id", "id"),
    sa.Index("ix_crm_account_external", "external_id", postgresql_where=sa.text("external_id <> ''")),
    sa.Index("ix_crm_account_name", "folded_name", postgresql_where=sa.text("folded_name <> ''")),
    sa.Index("ix_crm_account_domains", "domains", postgresql_using="gin"),
)

# Only the domain of an address is kept: matching needs no more.
crm_contact = sa.Table(
    "crm_contact",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
    sa.Column("account_id", sa.Text, nullable=False, server_default=""),
    sa.Column("domain", sa.Text, nullable=False, server_default=""),
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.PrimaryKeyConstraint("connection_id", "id"),
    sa.Index(
        "ix_crm_contact_domain", "domain", "account_id", postgresql_where=sa.text("domain <> '' AND account_id <> ''")
    ),
)

crm_user = sa.Table(
    "crm_user",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.PrimaryKeyConstraint("connection_id", "id"),
)

crm_cursor = sa.Table(
    "crm_cursor",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("connection_id", "name"),
)
