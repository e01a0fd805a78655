"""Note with a message that waits for hours which promise it is about, so that it can be cancelled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "routing_04"
down_revision = "sla_05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "deliveries",
        sa.Column(
            "clock_id",
            sa.UUID(),
            nullable=True,
            comment="Of a message that waits for its receiver's hours: the clock of its promise.",
        ),
        schema="routing",
    )


def downgrade() -> None:
    op.drop_column("deliveries", "clock_id", schema="routing")
