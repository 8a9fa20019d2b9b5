"""One row an object of the billing vendor, its record as JSON beside a few columns; one profile a payer.

`as_of` is the vendor's time: older never overwrites. `digest` tells whether two tellings of one second differ.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

billing_object = sa.Table(
    "billing_object",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False, server_default=""),
    sa.Column("charge_id", sa.Text, nullable=False, server_default=""),
    sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("data", pg.JSONB, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "kind", "id"),
    sa.Index("ix_billing_object_payer", "connection_id", "payer_id", postgresql_where=sa.text("payer_id <> ''")),
    sa.Index(
        "ix_billing_object_orphan", "connection_id", "charge_id",
        postgresql_where=sa.text("payer_id = '' AND charge_id <> ''"),
    ),
    sa.Index(
        "ix_billing_object_number", sa.literal_column("(data ->> 'number')"),
        postgresql_where=sa.text("kind = 'invoice'"),
    ),
)  # fmt: skip

billing_profile = sa.Table(
    "billing_profile",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("profile", pg.JSONB, nullable=False),
    sa.Column("refresh_on", sa.Date),
    sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("connection_id", "payer_id"),
    sa.Index("ix_billing_profile_refresh_on", "refresh_on", postgresql_where=sa.text("refresh_on IS NOT NULL")),
)

billing_reread = sa.Table(
    "billing_reread",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("connection_id", "kind", "id"),
)

billing_cursor = sa.Table(
    "billing_cursor",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("count", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("connection_id", "name"),
)

seat_count = sa.Table(
    "seat_count",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("subscription_id", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("seats", sa.Integer, nullable=False),
    sa.Column("seats_used", sa.Integer),
    sa.PrimaryKeyConstraint("connection_id", "subscription_id", "day"),
)
