"""Tables of the outbox: wanted changes of tickets, and the notes already decided on.

States of a row: pending -> sending -> accepted -> done | dead | dropped, and back to pending for another try.
`accepted`: the vendor took it into a job, `job_id` is followed. At most one row of a ticket is pending and at most one
is on its way, which two partial unique indexes hold to.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

STATES = ("pending", "sending", "accepted", "done", "dead", "dropped")
ON_ITS_WAY = ("sending", "accepted")

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("ticket_id", sa.Text, nullable=False),
    sa.Column("change", pg.JSONB, nullable=False),
    sa.Column("rules", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("unsure", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("alone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("job_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("settled_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint(f"state IN {STATES}", name="state"),
    sa.Index(
        "uq_outbox_pending", "connection_id", "ticket_id", unique=True, postgresql_where=sa.text("state = 'pending'")
    ),
    sa.Index(
        "uq_outbox_on_its_way",
        "connection_id",
        "ticket_id",
        unique=True,
        postgresql_where=sa.text("state IN ('sending', 'accepted')"),
    ),
    sa.Index("ix_outbox_due", "due_at", postgresql_where=sa.text("state = 'pending'")),
    sa.Index("ix_outbox_lease", "lease_until", postgresql_where=sa.text("state IN ('sending', 'accepted')")),
    sa.Index("ix_outbox_dead", "id", postgresql_where=sa.text("state = 'dead'")),
    sa.Index(
        "ix_outbox_settled", "connection_id", "ticket_id", "settled_at", postgresql_where=sa.text("state = 'done'")
    ),
)

note_written = sa.Table(
    "note_written",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("ticket_id", sa.Text, nullable=False),
    sa.Column("note_key", sa.Text, nullable=False),
    sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("connection_id", "ticket_id", "note_key"),
)
