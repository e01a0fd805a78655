"""Keep the secrets that an endpoint had before, which sign beside the new one for a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "routing_07"
down_revision = "routing_06"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "endpoints",
        sa.Column(
            "old_secrets",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="[[secret, until]]",
        ),
        schema="routing",
    )


def downgrade() -> None:
    op.drop_column("endpoints", "old_secrets", schema="routing")
