"""Find the deliveries that are on their way among all that wait: each claim read every one of those."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "routing_04"
down_revision = "messaging_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index(
        "ix_deliveries_on_their_way",
        "deliveries",
        ["endpoint"],
        schema="routing",
        postgresql_where=sa.text("state = 'pending' and lease_until is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_on_their_way", "deliveries", schema="routing")
