"""Sessions of people, codes that are exchanged once, and tokens that were used. Secrets are kept as SHA-256 only.

`subject`: what the page is about, `tickets/35436` or `people/10001`; empty until the page has said it. `ends_at`: the last
moment it can be slid to. `tries`: guesses at a payer's facts. `claims`: names of what the vendor's token carried.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

session = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("door", sa.Text, nullable=False),
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, server_default=""),
    sa.Column("claims", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("door IN ('sidebar', 'page')", name="door"),
    sa.Index("uq_session_digest", "digest", unique=True),
    sa.Index("ix_session_person", "connection_id", "person_id"),
    sa.Index("ix_session_expires_at", "expires_at"),
)

used_token = sa.Table(
    "used_token",
    metadata,
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint("purpose", "digest"),
    sa.Index("ix_used_token_expires_at", "expires_at"),
)

one_time_code = sa.Table(
    "one_time_code",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("ix_one_time_code_expires_at", "expires_at"),
)
