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
# profile. months: of one billing period, 1 where it is shorter, 0 where nothing but use is billed. minor: the value
# of so many months, lasting discounts off. use_pct: seats in use, of those paid for. used_least:
# the fewest in use in the last 30 days; rise_pct: how far above it they are. failed_on,
# owed: of the payer's open invoices a payment was tried for. fell_on, fell_from: when the value last fell, and from
# what, in units of today's period; ours, not rebuildable.
# told: changes when something of it changes that a reader would want to be told again (not every seat in use).
TOLD = (
    "hashtextextended(plan || '|' || seats::text || '|' || coalesce(minor::text, '') || '|' || currency || '|'"
    " || months::text, 0)"
)


def _found(name: str, column: str, where: str, *more: str) -> sa.Index:
    """An index that holds all its query asks for, so that one row in twenty costs no walk through the whole table."""
    return sa.Index(
        f"ix_billing_term_{name}", column, postgresql_where=sa.text(where),
        postgresql_include=["connection_id", "subscription_id", "payer_id", "told", *more],
    )  # fmt: skip


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
    sa.Column("used_least", sa.Integer),
    sa.Column("rise_pct", sa.Integer),
    sa.Column("months", sa.SmallInteger, nullable=False),
    sa.Column("started_on", sa.Date, nullable=False),
    sa.Column("renews_on", sa.Date),
    sa.Column("ends_on", sa.Date),
    sa.Column("trial_ends_on", sa.Date),
    sa.Column("failed_on", sa.Date),
    sa.Column("fell_on", sa.Date),
    sa.Column("told", sa.BigInteger, sa.Computed(TOLD, persisted=True), nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "subscription_id"),
    sa.Index("ix_billing_term_payer", "connection_id", "payer_id"),
    _found("renews_on", "renews_on", "months >= 3", "months"),
    _found("use", "use_pct", "use_pct >= 70"),
    _found("rise", "rise_pct", "rise_pct > 0", "seats_used", "used_least", "use_pct"),
    _found("trial", "trial_ends_on", "trial_ends_on IS NOT NULL", "started_on", "use_pct"),
    _found("ends_on", "ends_on", "ends_on IS NOT NULL"),
    _found("fell_on", "fell_on", "fell_on IS NOT NULL", "minor", "fell_from"),
    _found("failed_on", "failed_on", "failed_on IS NOT NULL", "months", "renews_on", "owed"),
)  # fmt: skip
