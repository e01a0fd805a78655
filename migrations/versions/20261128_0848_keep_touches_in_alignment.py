"""Keep the marketing touches of leads in alignment, and find wins by when they happened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "alignment_02"
down_revision = "sla_06"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "touches",
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column("qualification", sa.Integer(), nullable=False),
        sa.Column(
            "occurred_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the lead qualified or was closed; the later announcement is kept.",
        ),
        sa.Column(
            "known_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The first event that names the person.",
        ),
        sa.Column(
            "touches",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[{at, channel, campaign}, …], the bounded list.",
        ),
        sa.Column(
            "omitted",
            sa.Integer(),
            nullable=False,
            comment="Touches that scoring left out of the list.",
        ),
        sa.PrimaryKeyConstraint("lead_id", "qualification", name=op.f("pk_touches")),
        schema="alignment",
        comment="The marketing touches of a lead until it qualified or was closed, one row a handoff.",
    )
    op.create_index(
        "ix_handoffs_won",
        "handoffs",
        ["closed_at"],
        unique=False,
        schema="alignment",
        postgresql_where=sa.text("outcome = 'won'"),
    )


def downgrade() -> None:
    op.drop_index("ix_handoffs_won", table_name="handoffs", schema="alignment")
    op.drop_table("touches", schema="alignment")
