"""Create the tables of scoring."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "scoring_01"
down_revision = "messaging_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema scoring")
    op.create_table(
        "events",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_events")),
        schema="scoring",
        comment="The ledger: every event once; what all scores can be computed from again.",
    )
    op.create_index(
        "ix_events_lead_id_time", "events", ["lead_id", "time"], unique=False, schema="scoring"
    )
    op.create_index(
        "ix_events_time",
        "events",
        ["time"],
        unique=False,
        schema="scoring",
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.create_table(
        "handoffs",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column(
            "sequence", sa.Integer(), nullable=False, comment="The last change that was taken in."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
        schema="scoring",
        comment="How far scoring has followed each handoff, so that a change counts once.",
    )
    op.create_table(
        "holdings",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When scoring learned that the rep had lost it.",
        ),
        sa.PrimaryKeyConstraint("handoff_id", "rep", name=op.f("pk_holdings")),
        schema="scoring",
        comment="The reps who hold a lead's handoffs or held them: what their keys may see.",
    )
    op.create_index(
        op.f("ix_holdings_lead_id"), "holdings", ["lead_id"], unique=False, schema="scoring"
    )
    op.create_index(
        "ix_holdings_rep", "holdings", ["rep", "lead_id"], unique=False, schema="scoring"
    )
    op.create_table(
        "identities",
        sa.Column(
            "key", sa.Text(), nullable=False, comment="email/…, user/source/…, phone/…, anonymous/…"
        ),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_identities")),
        schema="scoring",
        comment="Which lead an identity belongs to; never one that was merged into another.",
    )
    op.create_index(
        op.f("ix_identities_lead_id"), "identities", ["lead_id"], unique=False, schema="scoring"
    )
    op.create_table(
        "lead_words",
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            nullable=False,
            comment="In lower case and without accents.",
        ),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_lead_words")),
        schema="scoring",
        comment="The words of a lead's name, company and e-mail addresses, by which it is searched for.",
    )
    op.create_index(
        "ix_lead_words_words",
        "lead_words",
        ["words"],
        unique=False,
        schema="scoring",
        postgresql_using="gin",
    )
    op.create_table(
        "leads",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="The first event's arrival.",
        ),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="The agreement that its state is of."
        ),
        sa.Column("known", sa.Boolean(), nullable=False, comment="More than an anonymous visitor."),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column(
            "armed", sa.Boolean(), nullable=False, comment="Whether the threshold may qualify it."
        ),
        sa.Column(
            "rearm_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When a recycled lead is armed by its wait.",
        ),
        sa.Column(
            "disqualified_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="By a rep; null: it may qualify.",
        ),
        sa.Column("qualification", sa.Integer(), nullable=False, comment="How often it qualified."),
        sa.Column("fit", sa.Double(), nullable=False),
        sa.Column(
            "blocker",
            sa.Text(),
            nullable=True,
            comment="What keeps it from sales: incomplete, suppressed.",
        ),
        sa.Column(
            "review_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When decay alone may change it.",
        ),
        sa.Column(
            "hand_raise",
            sa.Text(),
            nullable=True,
            comment="A hand-raise that no handoff has yet, as JSON.",
        ),
        sa.Column(
            "live",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Qualifications that sales has not closed.",
        ),
        sa.Column("profile", sa.JSON(), nullable=False, comment="What its events give, as sums."),
        sa.Column(
            "merged_into", sa.UUID(), nullable=True, comment="The lead that has its events now."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        schema="scoring",
        comment="One row a person; its state is a function of its events, kept incrementally.",
    )
    op.create_index(
        "ix_leads_merged_into",
        "leads",
        ["merged_into"],
        unique=False,
        schema="scoring",
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.create_index(
        "ix_leads_review_at",
        "leads",
        ["review_at"],
        unique=False,
        schema="scoring",
        postgresql_where=sa.text("review_at is not null"),
    )
    op.create_index(
        "ix_leads_version",
        "leads",
        ["version"],
        unique=False,
        schema="scoring",
        postgresql_where=sa.text("merged_into is null"),
    )
    op.create_table(
        "rejected_bodies",
        sa.Column(
            "digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of all of its bytes."
        ),
        sa.Column(
            "bytes", sa.LargeBinary(), nullable=False, comment="As they came; the first 32 KB."
        ),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_rejected_bodies")),
        schema="scoring",
        comment="The bytes of refused events, stored once however often they are refused.",
    )
    op.create_index(
        op.f("ix_rejected_bodies_last_received_at"),
        "rejected_bodies",
        ["last_received_at"],
        unique=False,
        schema="scoring",
    )
    op.create_table(
        "rejections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="The source that sent it."),
        sa.Column(
            "event_id", sa.Text(), nullable=True, comment="The sender's id, if it could be read."
        ),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), nullable=False, comment="The first time."
        ),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "format",
            sa.Text(),
            server_default="native",
            nullable=False,
            comment="How its bytes are read: native, segment/…",
        ),
        sa.Column("size", sa.Integer(), nullable=False, comment="Bytes as they came."),
        sa.Column(
            "bytes",
            sa.LargeBinary(),
            nullable=True,
            comment="In rows of versions that knew no `rejected_bodies`.",
        ),
        sa.Column(
            "body",
            sa.LargeBinary(),
            nullable=True,
            comment="The digest of its bytes in `rejected_bodies`.",
        ),
        sa.Column(
            "key",
            sa.LargeBinary(),
            nullable=True,
            comment="SHA-256 of the source, the id, the reason and the body.",
        ),
        sa.Column(
            "count",
            sa.BigInteger(),
            server_default="1",
            nullable=False,
            comment="How often it came.",
        ),
        sa.Column(
            "last_received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejections")),
        sa.UniqueConstraint("key", name=op.f("uq_rejections_key")),
        schema="scoring",
        comment="Events that were refused, with the reason.",
    )
    op.create_index(
        "ix_rejections_last_received_at",
        "rejections",
        ["last_received_at", "id"],
        unique=False,
        schema="scoring",
    )
    op.create_index(
        "ix_rejections_source",
        "rejections",
        ["source", "last_received_at", "id"],
        unique=False,
        schema="scoring",
    )
    op.create_table(
        "repeats",
        sa.Column(
            "hour", sa.DateTime(timezone=True), nullable=False, comment="Its beginning, in UTC."
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "counter",
            sa.Integer(),
            nullable=False,
            comment="Several of a source in an hour, so that workers do not wait for each other.",
        ),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "source", "counter", name=op.f("pk_repeats")),
        schema="scoring",
        comment="How many events came again and counted for nothing.",
    )
    op.create_table(
        "stages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stages")),
        schema="scoring",
        comment="Each step of a lead, with its cause.",
    )
    op.create_index(
        op.f("ix_stages_lead_id"), "stages", ["lead_id"], unique=False, schema="scoring"
    )
    op.create_index(
        "ix_stages_qualified",
        "stages",
        ["at", "lead_id"],
        unique=False,
        schema="scoring",
        postgresql_where=sa.text("stage = 'qualified'"),
    )


def downgrade() -> None:
    op.execute("drop schema scoring cascade")
