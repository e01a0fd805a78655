"""Create the tables of alignment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "alignment_01"
down_revision = "routing_04"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema alignment")
    op.create_table(
        "changes",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The change as routing announced it, without the names of the lead and of the actor.",
        ),
        sa.PrimaryKeyConstraint("handoff_id", "sequence", name=op.f("pk_changes")),
        schema="alignment",
        comment="The changes of each handoff, from which its facts are derived.",
    )
    op.create_table(
        "handoffs",
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column("qualification", sa.Integer(), nullable=False),
        sa.Column(
            "handoff_id", sa.UUID(), nullable=True, comment="Null until routing has announced it."
        ),
        sa.Column(
            "is_announced",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Whether scoring's announcement of the qualification was read.",
        ),
        sa.Column("qualified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "agreement_version",
            sa.Integer(),
            nullable=True,
            comment="Under which the lead qualified.",
        ),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("first_campaign", sa.Text(), nullable=True),
        sa.Column(
            "campaign", sa.Text(), nullable=True, comment="The last campaign, or else the first."
        ),
        sa.Column(
            "fit", sa.Float(), nullable=True, comment="At the qualification, as is engagement."
        ),
        sa.Column("engagement", sa.Float(), nullable=True),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("rep", sa.Text(), nullable=True, comment="Who has the handoff, or had it last."),
        sa.Column(
            "assigned_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The first assignment.",
        ),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "rejected_at", sa.DateTime(timezone=True), nullable=True, comment="The last rejection."
        ),
        sa.Column("rejection_reason", sa.Text(), nullable=True),
        sa.Column(
            "contacted_at", sa.DateTime(timezone=True), nullable=True, comment="The first touch."
        ),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=True,
            comment="won, lost, recycled, disqualified, returned or merged; null: open",
        ),
        sa.Column("loss_reason", sa.Text(), nullable=True),
        sa.Column(
            "amount_cents", sa.BigInteger(), nullable=True, comment="Of a win; null: unknown."
        ),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("lead_id", "qualification", name=op.f("pk_handoffs")),
        schema="alignment",
        comment="One row a handoff: a qualification of a lead, and what became of it.",
    )
    op.create_index(
        "ix_handoffs_handoff_id", "handoffs", ["handoff_id"], unique=False, schema="alignment"
    )
    op.create_index(
        "ix_handoffs_qualified_at",
        "handoffs",
        ["qualified_at", "lead_id", "qualification"],
        unique=False,
        schema="alignment",
    )
    op.create_table(
        "promises",
        sa.Column("clock_id", sa.UUID(), nullable=False),
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column(
            "met_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was last found to be met.",
        ),
        sa.Column(
            "breached_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was last found to be broken.",
        ),
        sa.Column(
            "retracted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When a breach was last taken back.",
        ),
        sa.PrimaryKeyConstraint("clock_id", name=op.f("pk_promises")),
        schema="alignment",
        comment="One row a clock that was met or broken, as the SLA monitor announced it.",
    )
    op.create_index(
        "ix_promises_handoff_id", "promises", ["handoff_id"], unique=False, schema="alignment"
    )


def downgrade() -> None:
    op.execute("drop schema alignment cascade")
