"""Leads: reasons to wait, the CRM's mirror, signals, leads and the company they are about."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("crm_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_link")),
    )
    op.create_index(
        "uq_account_link_live",
        "account_link",
        ["subject", "crm_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "billing_term",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=True),
        sa.Column("owed", sa.BigInteger(), nullable=True),
        sa.Column("fell_from", sa.BigInteger(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("seats_used", sa.Integer(), nullable=True),
        sa.Column("use_pct", sa.Integer(), nullable=True),
        sa.Column("used_least", sa.Integer(), nullable=True),
        sa.Column("rise_pct", sa.Integer(), nullable=True),
        sa.Column("months", sa.SmallInteger(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("renews_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("trial_ends_on", sa.Date(), nullable=True),
        sa.Column("failed_on", sa.Date(), nullable=True),
        sa.Column("fell_on", sa.Date(), nullable=True),
        sa.Column(
            "told",
            sa.BigInteger(),
            sa.Computed(
                "hashtextextended(plan || '|' || seats::text || '|' || coalesce(minor::text, '') || '|' || currency || '|'"
                " || months::text, 0)",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("connection_id", "subscription_id", name=op.f("pk_billing_term")),
    )
    # Queries of signals read indexes only, which needs pages that are known to be visible to all.
    op.execute("ALTER TABLE billing_term SET (autovacuum_vacuum_scale_factor = 0.02)")
    op.create_index("ix_billing_term_payer", "billing_term", ["connection_id", "payer_id"], unique=False)
    for name, column, where, more in (
        ("renews_on", "renews_on", "months >= 3", ["months"]),
        ("use", "use_pct", "use_pct >= 70", []),
        ("rise", "rise_pct", "rise_pct > 0", ["seats_used", "used_least", "use_pct"]),
        ("trial", "trial_ends_on", "trial_ends_on IS NOT NULL", ["started_on", "use_pct"]),
        ("ends_on", "ends_on", "ends_on IS NOT NULL", []),
        ("fell_on", "fell_on", "fell_on IS NOT NULL", ["minor", "fell_from"]),
        ("failed_on", "failed_on", "failed_on IS NOT NULL", ["months", "renews_on", "owed"]),
    ):
        op.create_index(
            f"ix_billing_term_{name}",
            "billing_term",
            [column],
            unique=False,
            postgresql_include=["connection_id", "subscription_id", "payer_id", "told", *more],
            postgresql_where=sa.text(where),
        )
    op.create_table(
        "crm_account",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("folded_name", sa.Text(), server_default="", nullable=False),
        sa.Column("owner_id", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.Text(), server_default="", nullable=False),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("territory", sa.Text(), server_default="", nullable=False),
        sa.Column("domains", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_crm_account")),
    )
    op.create_index("ix_crm_account_domains", "crm_account", ["domains"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_crm_account_external",
        "crm_account",
        ["external_id"],
        unique=False,
        postgresql_where=sa.text("external_id <> ''"),
    )
    op.create_index(
        "ix_crm_account_name",
        "crm_account",
        ["folded_name"],
        unique=False,
        postgresql_where=sa.text("folded_name <> ''"),
    )
    op.create_table(
        "crm_contact",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="", nullable=False),
        sa.Column("domain", sa.Text(), server_default="", nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_crm_contact")),
    )
    op.create_index(
        "ix_crm_contact_domain",
        "crm_contact",
        ["domain", "account_id"],
        unique=False,
        postgresql_where=sa.text("domain <> '' AND account_id <> ''"),
    )
    op.create_table(
        "crm_cursor",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "name", name=op.f("pk_crm_cursor")),
    )
    op.create_table(
        "crm_user",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_crm_user")),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("payer_connection_id", sa.Text(), server_default="", nullable=False),
        sa.Column("payer_id", sa.Text(), server_default="", nullable=False),
        sa.Column("connection_id", sa.Text(), server_default="", nullable=False),
        sa.Column("person_id", sa.Text(), server_default="", nullable=False),
        sa.Column("ticket_id", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("until_what", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_why", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("source IN ('refund', 'dispute', 'ticket', 'person')", name=op.f("ck_hold_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(
        "ix_hold_payer",
        "hold",
        ["payer_connection_id", "payer_id"],
        unique=False,
        postgresql_where=sa.text("released_at IS NULL AND payer_id <> ''"),
    )
    op.create_index(
        "ix_hold_person",
        "hold",
        ["connection_id", "person_id"],
        unique=False,
        postgresql_where=sa.text("released_at IS NULL AND person_id <> ''"),
    )
    op.create_index(
        "ix_hold_ticket",
        "hold",
        ["connection_id", "ticket_id"],
        unique=False,
        postgresql_where=sa.text("released_at IS NULL AND ticket_id <> ''"),
    )
    op.create_index(
        "ix_hold_released", "hold", ["released_at"], unique=False, postgresql_where=sa.text("released_at IS NOT NULL")
    )
    op.create_index(
        "uq_hold_open", "hold", ["source", "source_id"], unique=True, postgresql_where=sa.text("released_at IS NULL")
    )
    op.create_table(
        "lead",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("crm_id", sa.Text(), server_default="", nullable=False),
        sa.Column("account_id", sa.Text(), server_default="", nullable=False),
        sa.Column("match", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("score", sa.Integer(), server_default="0", nullable=False),
        sa.Column("money", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), server_default="", nullable=False),
        sa.Column("card", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("on_hold", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("rules", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("connection_id", sa.Text(), server_default="", nullable=False),
        sa.Column("ticket_id", sa.Text(), server_default="", nullable=False),
        sa.Column("shape", sa.Text(), server_default="", nullable=False),
        sa.Column("object_id", sa.Text(), server_default="", nullable=False),
        sa.Column("theirs", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("owner_id", sa.Text(), server_default="", nullable=False),
        sa.Column("pushed_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("pushed_hold", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("job_id", sa.Text(), server_default="", nullable=False),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.Column("verdict_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("verdict_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("standing", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("won", sa.BigInteger(), nullable=True),
        sa.Column("won_currency", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('renewal', 'expansion', 'trial', 'risk', 'payment', 'request')", name=op.f("ck_lead_kind")
        ),
        sa.CheckConstraint(
            "state IN ('new', 'review', 'held', 'due', 'sending', 'unknown', 'pushed',"
            " 'dropped', 'dead', 'closed', 'withheld')",
            name=op.f("ck_lead_state"),
        ),
        sa.CheckConstraint("verdict IN ('', 'accepted', 'rejected', 'won', 'lost')", name=op.f("ck_lead_verdict")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
    )
    op.create_index(
        "ix_lead_due",
        "lead",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL AND lease_until IS NULL"),
    )
    op.create_index(
        "ix_lead_lease", "lead", ["lease_until"], unique=False, postgresql_where=sa.text("lease_until IS NOT NULL")
    )
    op.create_index(
        "ix_lead_object", "lead", ["crm_id", "object_id"], unique=False, postgresql_where=sa.text("object_id <> ''")
    )
    op.create_index(
        "ix_lead_pushed_at", "lead", ["pushed_at"], unique=False, postgresql_where=sa.text("pushed_at IS NOT NULL")
    )
    op.create_index("ix_lead_score", "lead", ["state", "score", "id"], unique=False)
    op.create_index("ix_lead_state", "lead", ["state", "state_at", "id"], unique=False)
    op.create_index("ix_lead_subject", "lead", ["subject"], unique=False)
    op.create_index(
        "ix_lead_ticket",
        "lead",
        ["connection_id", "ticket_id"],
        unique=False,
        postgresql_where=sa.text("ticket_id <> ''"),
    )
    op.create_index(
        "uq_lead_open",
        "lead",
        ["company", "kind"],
        unique=True,
        postgresql_where=sa.text("state IN ('new', 'review', 'held', 'due', 'sending', 'unknown', 'pushed')"),
    )
    op.create_index("uq_lead_period", "lead", ["company", "kind", "period"], unique=True)
    op.create_table(
        "lead_policy",
        sa.Column("version", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_lead_policy")),
    )
    op.create_table(
        "lead_signal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("payer_connection_id", sa.Text(), server_default="", nullable=False),
        sa.Column("payer_id", sa.Text(), server_default="", nullable=False),
        sa.Column("connection_id", sa.Text(), server_default="", nullable=False),
        sa.Column("ticket_id", sa.Text(), server_default="", nullable=False),
        sa.Column("person_id", sa.Text(), server_default="", nullable=False),
        sa.Column("rule", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lead_id", sa.Text(), nullable=True),
        sa.Column("judged_digest", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "kind IN ('renewal', 'expansion', 'trial', 'risk', 'payment', 'request')", name=op.f("ck_lead_signal_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_signal")),
        sa.UniqueConstraint(
            "subject", "kind", "name", "source", "period", name=op.f("uq_lead_signal_subject_kind_name_source_period")
        ),
    )
    op.create_index(
        "ix_lead_signal_lead", "lead_signal", ["lead_id"], unique=False, postgresql_where=sa.text("lead_id IS NOT NULL")
    )
    op.create_index(
        "ix_lead_signal_news", "lead_signal", ["id"], unique=False, postgresql_where=sa.text("judged_digest <> digest")
    )
    op.create_index(
        "ix_lead_signal_open",
        "lead_signal",
        ["name", "subject", "source"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL AND payer_id <> ''"),
    )
    op.create_index(
        "ix_lead_signal_ticket",
        "lead_signal",
        ["connection_id", "ticket_id"],
        unique=False,
        postgresql_where=sa.text("ticket_id <> ''"),
    )
    op.create_table(
        "lead_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_step")),
    )
    op.create_index("ix_lead_step_lead", "lead_step", ["lead_id", "id"], unique=False)
    op.create_index(
        "ix_refund_intent_open",
        "refund_intent",
        ["connection_id", "payer_id"],
        unique=False,
        postgresql_where=sa.text(
            "state IN ('proposed', 'awaiting_approval', 'reserved', 'sending', 'unknown', 'needs_human',"
            " 'pending_vendor', 'requires_action')"
        ),
    )
    # What is mirrored already has no terms yet: the workers compute them, payer by payer (app.billing.refill).
    op.execute(
        "INSERT INTO billing_cursor (connection_id, name, cursor)"
        " SELECT DISTINCT connection_id, 'terms', '' FROM billing_profile ON CONFLICT DO NOTHING"
    )
