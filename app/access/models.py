"""People, their logins, and rules that give a role to everybody of a helpdesk role or group.

"Proposer is not approver" is checked on the person, so approver and admin are only ever given to a person by name.
"""

import sqlalchemy as sa

from app.db import metadata

ROLES = ("viewer", "refunder", "approver", "admin")

access_person = sa.Table(
    "access_person",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint(f"role IN {ROLES}", name="role"),
)

access_login = sa.Table(
    "access_login",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "external_id"),
    sa.Index("ix_access_login_person", "person_id"),
)

access_rule = sa.Table(
    "access_rule",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "kind", "value"),
    sa.CheckConstraint("kind IN ('role', 'custom_role', 'group')", name="kind"),
    sa.CheckConstraint("role IN ('viewer', 'refunder')", name="role"),
)
