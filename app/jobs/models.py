"""Periodic work, and the workers that were seen."""

import sqlalchemy as sa

from app.db import metadata

periodic = sa.Table(
    "periodic",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("next_due", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("last_started", sa.DateTime(timezone=True)),
    sa.Column("last_error", sa.Text),
)

worker = sa.Table(
    "worker",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
