"""Keep in routing which versions of the agreement were applied to handoffs, for the due times that reps see."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "routing_05"
down_revision = "alignment_05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "applied_terms",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column(
            "ended_policy",
            sa.Text(),
            nullable=False,
            comment="Empty: the version was applied.",
        ),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "handoff_id", "agreement_version", "ended_policy", name=op.f("pk_applied_terms")
        ),
        schema="routing",
        comment="Later versions of the agreement by which promises count, and policies that ended.",
    )


def downgrade() -> None:
    op.drop_table("applied_terms", schema="routing")
