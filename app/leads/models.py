"""Signals, the leads they make, and the words sales answers with.

A signal is one reason seen once: (subject, kind, name, source, period). A lead gathers the signals of one company, kind
and period into one record at the CRM; `lead.id` is its key there, for ever. `company` is what is unique: the CRM's
account once it is known (`account:<connection>:<id>`), before that the subject (`payer:…`, `organization:…`,
`domain:…`, `person:…`).
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.db import metadata

KINDS = ("renewal", "expansion", "trial", "risk", "payment", "request")
# new: found, not decided. review: a person must say which company. held: a reason to wait. due: to be sent.
# sending, unknown: with the CRM. pushed: there. dropped: never sent, with its reason. dead: refused for good.
# closed: sales has answered. withheld: of the holdout.
STATES = ("new", "review", "held", "due", "sending", "unknown", "pushed", "dropped", "dead", "closed", "withheld")
OPEN = ("new", "review", "held", "due", "sending", "unknown", "pushed")
VERDICTS = ("", "accepted", "rejected", "won", "lost")

_OPEN = sa.text(f"state IN {OPEN}")

lead_signal = sa.Table(
    "lead_signal",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("payer_connection_id", sa.Text, nullable=False, server_default=""),
    sa.Column("payer_id", sa.Text, nullable=False, server_default=""),
    sa.Column("connection_id", sa.Text, nullable=False, server_default=""),
    sa.Column("ticket_id", sa.Text, nullable=False, server_default=""),
    sa.Column("person_id", sa.Text, nullable=False, server_default=""),
    sa.Column("rule", sa.Text, nullable=False, server_default=""),
    sa.Column("facts", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("digest", sa.Text, nullable=False, server_default=""),
    sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Column("lead_id", sa.Text),
    sa.Column("judged_digest", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint(f"kind IN {KINDS}", name="kind"),
    sa.UniqueConstraint("subject", "kind", "name", "source", "period"),
    sa.Index("ix_lead_signal_lead", "lead_id", postgresql_where=sa.text("lead_id IS NOT NULL")),
    # What is new or changed since a lead was made of it.
    sa.Index("ix_lead_signal_news", "id", postgresql_where=sa.text("judged_digest <> digest")),
    # What holds of billing, signal by signal: a scan compares it with what it found.
    sa.Index(
        "ix_lead_signal_open", "name", "subject", "source",
        postgresql_where=sa.text("ended_at IS NULL AND payer_id <> ''"),
    ),
    sa.Index("ix_lead_signal_ticket", "connection_id", "ticket_id", postgresql_where=sa.text("ticket_id <> ''")),
)  # fmt: skip

lead = sa.Table(
    "lead",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("company", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("state_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.Column("crm_id", sa.Text, nullable=False, server_default=""),  # the connection
    sa.Column("account_id", sa.Text, nullable=False, server_default=""),
    sa.Column("match", pg.JSONB, nullable=False, server_default="{}"),  # strength, reason, candidates
    sa.Column("score", sa.Integer, nullable=False, server_default="0"),
    sa.Column("money", sa.BigInteger),
    sa.Column("currency", sa.Text, nullable=False, server_default=""),
    sa.Column("card", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("digest", sa.Text, nullable=False, server_default=""),
    sa.Column("on_hold", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("rules", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("connection_id", sa.Text, nullable=False, server_default=""),  # of the ticket that caused it
    sa.Column("ticket_id", sa.Text, nullable=False, server_default=""),
    sa.Column("shape", sa.Text, nullable=False, server_default=""),
    sa.Column("object_id", sa.Text, nullable=False, server_default=""),
    sa.Column("theirs", sa.Boolean, nullable=False, server_default=sa.false()),  # the record was there before ours
    sa.Column("owner_id", sa.Text, nullable=False, server_default=""),
    sa.Column("pushed_digest", sa.Text, nullable=False, server_default=""),
    sa.Column("pushed_hold", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("due_at", sa.DateTime(timezone=True)),
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("job_id", sa.Text, nullable=False, server_default=""),
    sa.Column("verdict", sa.Text, nullable=False, server_default=""),
    sa.Column("verdict_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("verdict_at", sa.DateTime(timezone=True)),
    sa.Column("standing", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("won", sa.BigInteger),
    sa.Column("won_currency", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("pushed_at", sa.DateTime(timezone=True)),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
    # The draw of the holdout: when, and what the payers paid a month then and later, in minor units (app.leads.lift).
    sa.Column("drawn_at", sa.DateTime(timezone=True)),
    sa.Column("worth", sa.BigInteger),
    sa.Column("worth_later", sa.BigInteger),
    sa.CheckConstraint(f"state IN {STATES}", name="state"),
    sa.CheckConstraint(f"kind IN {KINDS}", name="kind"),
    sa.CheckConstraint(f"verdict IN {VERDICTS}", name="verdict"),
    sa.Index("uq_lead_period", "company", "kind", "period", unique=True),
    sa.Index("uq_lead_open", "company", "kind", unique=True, postgresql_where=_OPEN),
    sa.Index("ix_lead_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL AND lease_until IS NULL")),
    sa.Index("ix_lead_lease", "lease_until", postgresql_where=sa.text("lease_until IS NOT NULL")),
    # What pages are sorted by, with the id behind it: they go on from the last row shown, and many rows change at once.
    sa.Index("ix_lead_state", "state", "state_at", "id"),
    sa.Index("ix_lead_score", "state", "score", "id"),
    sa.Index("ix_lead_pushed_at", "pushed_at", postgresql_where=sa.text("pushed_at IS NOT NULL")),
    sa.Index("ix_lead_object", "crm_id", "object_id", postgresql_where=sa.text("object_id <> ''")),
    sa.Index("ix_lead_subject", "subject"),
    sa.Index("ix_lead_verdict_at", "verdict_at", postgresql_where=sa.text("verdict_at IS NOT NULL")),
    sa.Index(
        "ix_lead_followed", "crm_id", "id",
        postgresql_where=sa.text("verdict IN ('', 'accepted', 'won') AND standing ? 'followed'"),
    ),
    sa.Index("ix_lead_drawn", "drawn_at", postgresql_where=sa.text("drawn_at IS NOT NULL")),
    sa.Index("ix_lead_ticket", "connection_id", "ticket_id", postgresql_where=sa.text("ticket_id <> ''")),
)  # fmt: skip

# Every step of a lead, in words: the story on its page. Append-only.
lead_step = sa.Table(
    "lead_step",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("lead_id", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("actor", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_lead_step_lead", "lead_id", "id"),
)

# The admin's weights, words and windows: a document a version, as the refunds' policy.
lead_policy = sa.Table(
    "lead_policy",
    metadata,
    sa.Column("version", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("document", pg.JSONB, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

# Which company a person said this is, or found by the ladder: remembered, ended and never deleted.
account_link = sa.Table(
    "account_link",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("crm_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("strength", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("ended_by", sa.Text),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Index("uq_account_link_live", "subject", "crm_id", unique=True, postgresql_where=sa.text("ended_at IS NULL")),
)
