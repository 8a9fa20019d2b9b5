"""Notices. States: pending -> sent | shown (no channel is set up; it stands on the page) | dead.

`key`: the same notice is told once. `channels`: those it went out by already, so that a second try skips them.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

STATES = ("pending", "sent", "shown", "dead")

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("data", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("recipients", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("channels", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("reason", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint(f"state IN {STATES}", name="state"),
    sa.Index("ix_notice_due", "due_at", postgresql_where=sa.text("state = 'pending'")),
)
