"""Versions of the rule set, never changed once written, and which one is live."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

# tag_prefix: the prefix its tags were checked against, so that an old version can be judged again as it was.
rule_set = sa.Table(
    "rule_set",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("rules", pg.JSONB, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("tag_prefix", sa.Text, nullable=False),
    sa.CheckConstraint("version > 0", name="version"),
)

rule_set_active = sa.Table(
    "rule_set_active",
    metadata,
    sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("version", sa.Integer, sa.ForeignKey("rule_set.version"), nullable=False),
    sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("activated_by", sa.Text, nullable=False),
    sa.CheckConstraint("singleton", name="singleton"),
)
