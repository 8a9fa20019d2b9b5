"""Links made by people or used by the ladder, and an index of the payers' addresses and keys."""

import sqlalchemy as sa

from app.db import metadata

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
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("ended_by", sa.Text),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Index(
        "uq_identity_link_live", "connection_id", "person_id", "payer_connection_id", "payer_id", "rung",
        unique=True, postgresql_where=sa.text("ended_at IS NULL"),
    ),
    sa.Index("ix_identity_link_payer", "payer_connection_id", "payer_id", postgresql_where=sa.text("ended_at IS NULL")),
)  # fmt: skip

payer_address = sa.Table(
    "payer_address",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("folded", sa.Text, nullable=False),
    sa.Column("domain", sa.Text, nullable=False),
    sa.Column("skeleton", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "payer_id"),
    sa.Index("ix_payer_address_folded", "folded"),
    sa.Index("ix_payer_address_domain", "domain"),
    sa.Index("ix_payer_address_skeleton", "skeleton"),
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
