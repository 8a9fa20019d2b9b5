"""Fact sets by day and hash (many judgements share one), and one row a judgement.

Whatever a person wrote or is called lies in fact sets, which are dropped by whole days; a judgement holds ids, rules and
tags only.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

fact_set = sa.Table(
    "fact_set",
    metadata,
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("body", pg.JSONB, nullable=False),
    sa.PrimaryKeyConstraint("day", "hash"),
    postgresql_partition_by="RANGE (day)",
)
# Takes what comes on a day without a partition of its own. Its name is a day that never is, so that it sorts with them.
DEFAULT_PARTITION = "CREATE TABLE fact_set_00000000 PARTITION OF fact_set DEFAULT"
sa.event.listen(fact_set, "after_create", sa.DDL(DEFAULT_PARTITION))  # type: ignore[no-untyped-call]

# fact_hash: base facts of the ticket. event_hash: what this event alone said (comment, changes).
judgement = sa.Table(
    "judgement",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("ticket_id", sa.Text, nullable=False),
    sa.Column("delivery_id", sa.BigInteger, nullable=False),
    sa.Column("event_kind", sa.Text, nullable=False),
    sa.Column("event_key", sa.Text, nullable=False),
    sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("fact_day", sa.Date, nullable=False),
    sa.Column("fact_hash", sa.LargeBinary, nullable=False),
    sa.Column("event_hash", sa.LargeBinary, nullable=False),
    sa.Column("rule_set_version", sa.Integer, nullable=False),
    sa.Column("engine_version", sa.SmallInteger, nullable=False),
    sa.Column("fired", pg.JSONB, nullable=False),
    sa.Column("effects", pg.JSONB, nullable=False),
    sa.Column("tick", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_judgement_ticket", "connection_id", "ticket_id", "id"),
)
