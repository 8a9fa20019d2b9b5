"""One row a member of staff, and one a connection that says when its staff was read last.

`active` false: no longer there, or suspended; the row stays, so that what they did keeps its name. `wanted`: an event said
that somebody's role changed, so the staff is read again before its time.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

agent = sa.Table(
    "agent",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("custom_role", sa.Text),
    sa.Column("restriction", sa.Text),
    sa.Column("groups", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("organization_id", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "id"),
)

agent_read = sa.Table(
    "agent_read",
    metadata,
    sa.Column("connection_id", sa.Text, primary_key=True),
    sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("wanted", sa.Boolean, nullable=False, server_default=sa.false()),
)
