"""Name the worker that holds a delivery, so that its next life need not wait for the lease to end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "routing_02"
down_revision = "sla_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "deliveries",
        sa.Column(
            "leased_by",
            sa.Text(),
            nullable=True,
            comment="The worker, by its name across restarts.",
        ),
        schema="routing",
    )


def downgrade() -> None:
    op.drop_column("deliveries", "leased_by", schema="routing")
