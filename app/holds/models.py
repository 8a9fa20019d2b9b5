"""Reasons to wait: while a company has one open, sales leaves it alone. Written low, read by leads.

One row a source, which opens and releases it. A hold names whom it is about as well as it can: a payer, a person at a
helpdesk, or both. until_what: in words, when it will be released;
until_at: at the latest then. A row is ended, never deleted.
"""

import sqlalchemy as sa

from app.db import metadata

SOURCES = ("refund", "dispute", "ticket", "person")

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("payer_connection_id", sa.Text, nullable=False, server_default=""),
    sa.Column("payer_id", sa.Text, nullable=False, server_default=""),
    sa.Column("connection_id", sa.Text, nullable=False, server_default=""),
    sa.Column("person_id", sa.Text, nullable=False, server_default=""),
    sa.Column("ticket_id", sa.Text, nullable=False, server_default=""),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("until_what", sa.Text, nullable=False),
    sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("until_at", sa.DateTime(timezone=True)),
    sa.Column("released_at", sa.DateTime(timezone=True)),
    sa.Column("released_why", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint(f"source IN {SOURCES}", name="source"),
    sa.Index("uq_hold_open", "source", "source_id", unique=True, postgresql_where=sa.text("released_at IS NULL")),
    sa.Index(
        "ix_hold_payer", "payer_connection_id", "payer_id",
        postgresql_where=sa.text("released_at IS NULL AND payer_id <> ''"),
    ),
    sa.Index(
        "ix_hold_person", "connection_id", "person_id",
        postgresql_where=sa.text("released_at IS NULL AND person_id <> ''"),
    ),
    sa.Index(
        "ix_hold_ticket", "connection_id", "ticket_id",
        postgresql_where=sa.text("released_at IS NULL AND ticket_id <> ''"),
    ),
    sa.Index("ix_hold_released", "released_at", postgresql_where=sa.text("released_at IS NOT NULL")),
)  # fmt: skip
