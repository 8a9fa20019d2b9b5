"""Intents, the charges they draw on, and what must be looked at again.

`refund_charge` is the row that is locked: `refunded` is what of ours the vendor counts as given back, `reserved` what of
ours may have gone or will go, `elsewhere` what others gave back. The CHECK holds whatever the code does.
`refund_intent.token` fences: every claim and every settlement raises it. `moves` counts the states gone through.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata
from app.refunds.states import State

STATES = tuple(state.value for state in State)
CREDIT_STATES = ("pending", "sending", "unknown", "done", "needs_human")

refund_policy = sa.Table(
    "refund_policy",
    metadata,
    sa.Column("version", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("document", pg.JSONB, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

refund_charge = sa.Table(
    "refund_charge",
    metadata,
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("charge_id", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("captured", sa.BigInteger, nullable=False),
    sa.Column("refunded", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("reserved", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("elsewhere", sa.BigInteger, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("connection_id", "charge_id"),
    sa.CheckConstraint("refunded >= 0 AND reserved >= 0 AND elsewhere >= 0", name="signs"),
    sa.CheckConstraint("refunded + reserved + elsewhere <= captured", name="captured"),
)

refund_intent = sa.Table(
    "refund_intent",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("request_id", sa.Text, nullable=False, unique=True),
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("charge_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("helpdesk_id", sa.Text, nullable=False),
    sa.Column("ticket_id", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("agent_id", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("invoice_id", sa.Text, nullable=False, server_default=""),
    sa.Column("lines", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("bound", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("state_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("moves", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.Column("approver_id", sa.Text, nullable=False, server_default=""),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("first_sent_at", sa.DateTime(timezone=True)),
    sa.Column("due_at", sa.DateTime(timezone=True)),
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refused", sa.Text, nullable=False, server_default=""),
    sa.Column("refund_id", sa.Text, nullable=False, server_default=""),
    sa.Column("next_look_at", sa.DateTime(timezone=True)),
    sa.Column("stalled_at", sa.DateTime(timezone=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint(f"state IN {STATES}", name="state"),
    sa.CheckConstraint("amount > 0", name="amount"),
    sa.Index(
        "ix_refund_intent_due", "due_at",
        postgresql_where=sa.text("state IN ('reserved', 'sending', 'unknown') AND lease_until IS NULL"),
    ),
    sa.Index("ix_refund_intent_lease", "lease_until", postgresql_where=sa.text("lease_until IS NOT NULL")),
    sa.Index("ix_refund_intent_look", "next_look_at", postgresql_where=sa.text("next_look_at IS NOT NULL")),
    sa.Index("ix_refund_intent_expires", "expires_at", postgresql_where=sa.text("state = 'awaiting_approval'")),
    sa.Index(
        "ix_refund_intent_open", "connection_id", "payer_id",
        postgresql_where=sa.text(
            "state IN ('proposed', 'awaiting_approval', 'reserved', 'sending', 'unknown', 'needs_human',"
            " 'pending_vendor', 'requires_action')"
        ),
    ),
    sa.Index(
        "ix_refund_intent_succeeded", "connection_id", "payer_id", "created_at",
        postgresql_where=sa.text("state = 'succeeded'"),
    ),
    sa.Index("ix_refund_intent_charge", "connection_id", "charge_id"),
    sa.Index("ix_refund_intent_ticket", "helpdesk_id", "ticket_id"),
    sa.Index("ix_refund_intent_person", "person_id", "created_at"),
    sa.Index("ix_refund_intent_refund", "refund_id", postgresql_where=sa.text("refund_id <> ''")),
)  # fmt: skip

# Somebody heard of this refund: read it at the vendor. One row however many heard.
refund_look = sa.Table(
    "refund_look",
    metadata,
    sa.Column("intent_id", sa.Text, primary_key=True),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("ix_refund_look_due", "due_at"),
)

# A credit note over invoice lines, to be written once its refund was made: a step of its own, recoverable by itself.
refund_credit = sa.Table(
    "refund_credit",
    metadata,
    sa.Column("intent_id", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("first_sent_at", sa.DateTime(timezone=True)),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("credit_note_id", sa.Text, nullable=False, server_default=""),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint(f"state IN {CREDIT_STATES}", name="state"),
    sa.Index("ix_refund_credit_due", "due_at", postgresql_where=sa.text("state IN ('pending', 'sending', 'unknown')")),
)

# The vendor refuses our key: nothing of this connection is sent until then.
refund_hold = sa.Table(
    "refund_hold",
    metadata,
    sa.Column("connection_id", sa.Text, primary_key=True),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
