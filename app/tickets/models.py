"""One row a ticket. `as_of` is the vendor's time: what is older never overwrites.

`read_as_of`: of the newest read of the whole ticket, null before the first. `told`: which values events told since, by
time. `reread`: two tellings of one moment differ, so the ticket is read once more. `gone`: no longer at the helpdesk; the
row stays, so that a late event does not bring the ticket back to life.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

# Written out in queries as it stands here, so that the planner sees that the partial indexes fit.
CHANGEABLE = sa.text("ticket.status IN ('new', 'open', 'pending', 'hold', 'solved') AND NOT ticket.gone")
OPEN = sa.text("ticket.status IN ('new', 'open', 'pending', 'hold') AND NOT ticket.gone")
_CHANGEABLE_ROW = sa.text("status IN ('new', 'open', 'pending', 'hold', 'solved') AND NOT gone")

ticket = sa.Table(
    "ticket",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
    sa.Column("read_as_of", sa.DateTime(timezone=True)),
    sa.Column("told", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("reread", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("status", sa.Text),
    sa.Column("requester_id", sa.Text),
    sa.Column("organization_id", sa.Text),
    sa.Column("values", pg.JSONB, nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("connection_id", "id"),
    sa.Index("ix_ticket_requester", "connection_id", "requester_id", "id", postgresql_where=_CHANGEABLE_ROW),
    sa.Index("ix_ticket_organization", "connection_id", "organization_id", "id", postgresql_where=_CHANGEABLE_ROW),
    sa.Index("ix_ticket_reread", "connection_id", "id", postgresql_where=sa.text("reread")),
)
