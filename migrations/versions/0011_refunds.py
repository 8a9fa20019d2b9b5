"""Refunds: policy, charges, intents, what is to be looked at."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATES = (
    "proposed", "awaiting_approval", "reserved", "sending", "unknown", "pending_vendor", "requires_action", "succeeded",
    "failed", "canceled", "rejected", "needs_human", "declined", "expired", "voided",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "refund_policy",
        sa.Column("version", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_refund_policy")),
    )
    op.create_table(
        "refund_charge",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("charge_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("elsewhere", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("refunded + reserved + elsewhere <= captured", name=op.f("ck_refund_charge_captured")),
        sa.CheckConstraint("refunded >= 0 AND reserved >= 0 AND elsewhere >= 0", name=op.f("ck_refund_charge_signs")),
        sa.PrimaryKeyConstraint("connection_id", "charge_id", name=op.f("pk_refund_charge")),
    )
    op.create_table(
        "refund_intent",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("charge_id", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("helpdesk_id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("invoice_id", sa.Text(), server_default="", nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("bound", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("moves", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("approver_id", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused", sa.Text(), server_default="", nullable=False),
        sa.Column("refund_id", sa.Text(), server_default="", nullable=False),
        sa.Column("next_look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stalled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            f"state IN {STATES}",
            name=op.f("ck_refund_intent_state"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_intent_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_intent")),
        sa.UniqueConstraint("request_id", name=op.f("uq_refund_intent_request_id")),
    )
    op.create_index("ix_refund_intent_charge", "refund_intent", ["connection_id", "charge_id"], unique=False)
    op.create_index(
        "ix_refund_intent_due",
        "refund_intent",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('reserved', 'sending', 'unknown') AND lease_until IS NULL"),
    )
    op.create_index(
        "ix_refund_intent_expires",
        "refund_intent",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'awaiting_approval'"),
    )
    op.create_index(
        "ix_refund_intent_lease",
        "refund_intent",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index(
        "ix_refund_intent_look",
        "refund_intent",
        ["next_look_at"],
        unique=False,
        postgresql_where=sa.text("next_look_at IS NOT NULL"),
    )
    op.create_index("ix_refund_intent_person", "refund_intent", ["person_id", "created_at"], unique=False)
    op.create_index(
        "ix_refund_intent_refund",
        "refund_intent",
        ["refund_id"],
        unique=False,
        postgresql_where=sa.text("refund_id <> ''"),
    )
    op.create_index("ix_refund_intent_ticket", "refund_intent", ["helpdesk_id", "ticket_id"], unique=False)
    op.create_table(
        "refund_look",
        sa.Column("intent_id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_refund_look")),
    )
    op.create_index("ix_refund_look_due", "refund_look", ["due_at"], unique=False)
    op.create_table(
        "refund_credit",
        sa.Column("intent_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credit_note_id", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'sending', 'unknown', 'done', 'needs_human')", name=op.f("ck_refund_credit_state")
        ),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_refund_credit")),
    )
    op.create_index(
        "ix_refund_credit_due",
        "refund_credit",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'sending', 'unknown')"),
    )
    op.create_table(
        "refund_hold",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_refund_hold")),
    )
