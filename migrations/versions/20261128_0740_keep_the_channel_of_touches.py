"""Keep the channel and the campaign of touches in the ledger. Events of before have none and are no touches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "scoring_03"
down_revision = "sla_04"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "events",
        sa.Column(
            "channel",
            sa.Text(),
            nullable=True,
            comment="Of a touch, by the agreement of then; null: it is none.",
        ),
        schema="scoring",
    )
    op.add_column(
        "events",
        sa.Column("campaign", sa.Text(), nullable=True, comment="Of a touch."),
        schema="scoring",
    )
    op.create_index(
        "ix_events_touches",
        "events",
        ["lead_id", "time"],
        schema="scoring",
        postgresql_where=sa.text("channel is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_events_touches", "events", schema="scoring")
    op.drop_column("events", "campaign", schema="scoring")
    op.drop_column("events", "channel", schema="scoring")
