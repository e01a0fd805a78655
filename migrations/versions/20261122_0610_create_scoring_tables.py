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
        "identities",
        sa.Column(
            "key", sa.Text(), nullable=False, comment="email/…, user/source/…, phone/…, anonymous/…"
        ),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_identities")),
        schema="scoring",
        comment="Which lead an identity belongs to; never one that was joined into another.",
    )
    op.create_index(
        op.f("ix_identities_lead_id"), "identities", ["lead_id"], unique=False, schema="scoring"
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
        sa.Column("qualification", sa.Integer(), nullable=False, comment="How often it qualified."),
        sa.Column("fit", sa.Float(), nullable=False),
        sa.Column(
            "hindrance",
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
            "raised", sa.Text(), nullable=True, comment="A hand-raise that still waits, as JSON."
        ),
        sa.Column(
            "live",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Qualifications that sales has not closed.",
        ),
        sa.Column(
            "profile",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="What its events say, as sums.",
        ),
        sa.Column(
            "joined_into",
            sa.UUID(),
            nullable=True,
            comment="The lead that everything of it moved to.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        schema="scoring",
        comment="One row a person; its state is a function of its events, kept incrementally.",
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
        postgresql_where=sa.text("joined_into is null"),
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
    op.create_table(
        "rejections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="Whose key it came with."),
        sa.Column(
            "event_id", sa.Text(), nullable=True, comment="The sender's id, if it could be read."
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False, comment="Bytes as they came."),
        sa.Column(
            "bytes", sa.LargeBinary(), nullable=False, comment="As they came; the first 32 KB."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejections")),
        schema="scoring",
        comment="Events that were refused, with the reason, so that nobody has to guess.",
    )
    op.create_index(
        "ix_rejections_source", "rejections", ["source", "id"], unique=False, schema="scoring"
    )


def downgrade() -> None:
    op.drop_index("ix_rejections_source", table_name="rejections", schema="scoring")
    op.drop_table("rejections", schema="scoring")
    op.drop_index(op.f("ix_stages_lead_id"), table_name="stages", schema="scoring")
    op.drop_table("stages", schema="scoring")
    op.drop_index(
        "ix_leads_version",
        table_name="leads",
        schema="scoring",
        postgresql_where=sa.text("joined_into is null"),
    )
    op.drop_index(
        "ix_leads_review_at",
        table_name="leads",
        schema="scoring",
        postgresql_where=sa.text("review_at is not null"),
    )
    op.drop_table("leads", schema="scoring")
    op.drop_index(op.f("ix_identities_lead_id"), table_name="identities", schema="scoring")
    op.drop_table("identities", schema="scoring")
    op.drop_table("handoffs", schema="scoring")
    op.drop_index("ix_events_lead_id_time", table_name="events", schema="scoring")
    op.drop_table("events", schema="scoring")
    op.execute("drop schema scoring")
