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

# One narrow row a running subscription, for queries over all of them (leads): computed from billing_object with the
# profile. months: of one billing period, 0 where it is shorter than one. minor: the value of one period, lasting
# discounts off. use_pct, rise_pct: seats in use, of those paid for and above the fewest of the last 90 days. failed_on,
# owed: of the payer's open invoices a payment was tried for. fell_on, fell_from: when the value last fell, and from
# what, in units of today's period; ours, not rebuildable.
billing_term = sa.Table(
    "billing_term",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("subscription_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("minor", sa.BigInteger),
    sa.Column("owed", sa.BigInteger),
    sa.Column("fell_from", sa.BigInteger),
    sa.Column("seats", sa.Integer, nullable=False),
    sa.Column("seats_used", sa.Integer),
    sa.Column("use_pct", sa.Integer),
    sa.Column("rise_pct", sa.Integer),
    sa.Column("months", sa.SmallInteger, nullable=False),
    sa.Column("started_on", sa.Date, nullable=False),
    sa.Column("renews_on", sa.Date),
    sa.Column("ends_on", sa.Date),
    sa.Column("trial_ends_on", sa.Date),
    sa.Column("failed_on", sa.Date),
    sa.Column("fell_on", sa.Date),
    sa.PrimaryKeyConstraint("connection_id", "subscription_id"),
    sa.Index("ix_billing_term_payer", "connection_id", "payer_id"),
    sa.Index("ix_billing_term_renews_on", "renews_on", "months", postgresql_where=sa.text("months >= 3")),
    sa.Index("ix_billing_term_use", "use_pct", postgresql_where=sa.text("use_pct >= 50")),
    sa.Index("ix_billing_term_rise", "rise_pct", postgresql_where=sa.text("rise_pct > 0")),
    sa.Index("ix_billing_term_trial", "trial_ends_on", postgresql_where=sa.text("trial_ends_on IS NOT NULL")),
    sa.Index("ix_billing_term_ends_on", "ends_on", postgresql_where=sa.text("ends_on IS NOT NULL")),
    sa.Index("ix_billing_term_fell_on", "fell_on", postgresql_where=sa.text("fell_on IS NOT NULL")),
    sa.Index("ix_billing_term_failed_on", "failed_on", postgresql_where=sa.text("failed_on IS NOT NULL")),
)  # fmt: skip
