"""People with their addresses, companies with their domains, as a helpdesk tells them.

`as_of` is the vendor's time; `digest` tells whether another telling of the same moment says anything else. `folded` is
the comparable address, `base` the same without what follows a plus sign, so that the setting may change at any time.
`exact`: whether this very address is verified was told, not only whether any of the person's is.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

person = sa.Table(
    "person",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("organization_id", sa.Text),
    sa.Column("locale", sa.Text),
    sa.Column("time_zone", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("merged_into", sa.Text),
    sa.Column("fields", pg.JSONB, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "id"),
    sa.Index("ix_person_external_id", "external_id", postgresql_where=sa.text("external_id IS NOT NULL")),
    sa.Index("ix_person_organization", "connection_id", "organization_id"),
    sa.Index("ix_person_merged", "connection_id", "merged_into", postgresql_where=sa.text("merged_into IS NOT NULL")),
)

person_email = sa.Table(
    "person_email",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("folded", sa.Text, nullable=False),
    sa.Column("base", sa.Text, nullable=False),
    sa.Column("domain", sa.Text, nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("is_primary", sa.Boolean, nullable=False),
    sa.Column("exact", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.PrimaryKeyConstraint("connection_id", "person_id", "folded"),
    sa.Index("ix_person_email_folded", "folded"),
    sa.Index("ix_person_email_base", "base"),
    sa.Index("ix_person_email_domain", "domain"),
)

organization = sa.Table(
    "organization",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("fields", pg.JSONB, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "id"),
    sa.Index("ix_organization_external_id", "external_id", postgresql_where=sa.text("external_id IS NOT NULL")),
    sa.Index("ix_organization_fields", "fields", postgresql_using="gin", postgresql_ops={"fields": "jsonb_path_ops"}),
)

organization_domain = sa.Table(
    "organization_domain",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("organization_id", sa.Text, nullable=False),
    sa.Column("domain", sa.Text, nullable=False),
    sa.Column("skeleton", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "organization_id", "domain"),
    sa.Index("ix_organization_domain_domain", "domain"),
    sa.Index("ix_organization_domain_skeleton", "skeleton"),
)
