"""Links made by people or used by the ladder, and an index of the payers' addresses, domains and keys.

A link has an end, never a deletion. made_by: a person, or `ladder` for what the ladder found by itself. A ladder's link
that a person ended is a refusal: the ladder does not find that pair again until a person links it. A person's row whose
note is CHOSEN is no link but a choice: it narrows what the ladder finds on the rung it names, and ends with it.
"""

import sqlalchemy as sa

from app.db import metadata

LADDER = "ladder"

identity_link = sa.Table(
    "identity_link",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("payer_connection_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("rung", sa.SmallInteger, nullable=False),
    sa.Column("strength", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("ended_by", sa.Text),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Index(
        "uq_identity_link_live", "connection_id", "person_id", "payer_connection_id", "payer_id",
        unique=True, postgresql_where=sa.text("ended_at IS NULL"),
    ),
    sa.Index("ix_identity_link_person", "connection_id", "person_id"),
    sa.Index("ix_identity_link_payer", "payer_connection_id", "payer_id", postgresql_where=sa.text("ended_at IS NULL")),
)  # fmt: skip

# folded, base: as in person_email. domain: only where it stands for a company. gone: deleted at the billing vendor.
payer_address = sa.Table(
    "payer_address",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("as_of", sa.DateTime(timezone=True)),
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("folded", sa.Text),
    sa.Column("base", sa.Text),
    sa.Column("domain", sa.Text),
    sa.PrimaryKeyConstraint("connection_id", "payer_id"),
    sa.Index("ix_payer_address_payer", "payer_id"),
    sa.Index("ix_payer_address_folded", "folded", postgresql_where=sa.text("folded IS NOT NULL")),
    sa.Index("ix_payer_address_base", "base", postgresql_where=sa.text("base IS NOT NULL")),
    sa.Index("ix_payer_address_domain", "domain", postgresql_where=sa.text("domain IS NOT NULL")),
)

payer_key = sa.Table(
    "payer_key",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "payer_id", "key"),
    sa.Index("ix_payer_key_value", "value"),
)

# Every domain a payer's address was ever seen at, free-mail too: one row a domain, so that a look-alike costs one probe.
payer_domain = sa.Table(
    "payer_domain",
    metadata,
    sa.Column("domain", sa.Text, primary_key=True),
    sa.Column("skeleton", sa.Text, nullable=False),
    sa.Index("ix_payer_domain_skeleton", "skeleton"),
)
