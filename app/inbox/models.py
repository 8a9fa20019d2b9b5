"""Tables of the inbox.

`delivery_key` is small, unique per connection and event, and carries the state of the work; `delivery_body` holds the
bytes as received, partitioned by day and dropped whole. A lane (one ticket or one payer) is worked by one owner at a
time: `lane` holds the lease and its fencing token.

States of a delivery: received -> done | ignored | stale | own | quarantined. "Leased" and "waiting" are the lane's:
a lane has an owner until `busy_until`, and rests until `retry_at` after a failure.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

STATES = ("received", "done", "ignored", "stale", "own", "quarantined")

delivery_key = sa.Table(
    "delivery_key",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("event_key", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="received"),
    sa.Column("money", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("copies", sa.Integer, nullable=False, server_default="1"),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("settled_at", sa.DateTime(timezone=True)),
    sa.Column("reason", sa.Text),
    sa.UniqueConstraint("connection_id", "event_key"),
    sa.CheckConstraint(f"state IN {STATES}", name="state"),
    sa.Index("ix_delivery_key_waiting", "id", postgresql_where=sa.text("state = 'received'")),
    sa.Index("ix_delivery_key_lane", "connection_id", "lane", "id", postgresql_where=sa.text("state = 'received'")),
    sa.Index("ix_delivery_key_set_aside", "id", postgresql_where=sa.text("state IN ('ignored', 'quarantined')")),
)

delivery_body = sa.Table(
    "delivery_body",
    metadata,
    sa.Column("day", sa.Date, nullable=False, server_default=sa.func.current_date()),
    sa.Column("delivery_id", sa.BigInteger, nullable=False),
    sa.Column("headers", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("delivery_id", "day"),
    postgresql_partition_by="RANGE (day)",
)

# Takes what comes on a day without a partition of its own. Its name is a day that never is, so that it sorts with them.
DEFAULT_PARTITION = "CREATE TABLE delivery_body_00000000 PARTITION OF delivery_body DEFAULT"
sa.event.listen(delivery_body, "after_create", sa.DDL(DEFAULT_PARTITION))  # type: ignore[no-untyped-call]

lane = sa.Table(
    "lane",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("busy_until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="1"),
    sa.PrimaryKeyConstraint("connection_id", "key"),
)

# What never came as a webhook: fetched since, or lost (a change's old value, a comment: named, never guessed).
FETCHED = "fetched"
LOST = "lost"

gap = sa.Table(
    "gap",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("event_key", sa.Text, nullable=False, server_default=""),
    sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("found_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("connection_id", "subject", "what", "occurred_at", "event_key", name="uq_gap_once"),
    sa.CheckConstraint(f"verdict IN ('{FETCHED}', '{LOST}')", name="verdict"),
    sa.Index("ix_gap_found", "found_at"),
)

catch_up_cursor = sa.Table(
    "catch_up_cursor",
    metadata,
    sa.Column("connection_id", sa.Text, primary_key=True),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("reached", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("looked_at", sa.BigInteger, nullable=False, server_default="0"),
)
