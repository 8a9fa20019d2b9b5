"""One row a connection. States: active, disabled."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

connection = sa.Table(
    "connection",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("base_url", sa.Text, nullable=False, server_default=""),
    sa.Column("config", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="active"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("state IN ('active', 'disabled')", name="state"),
)
