"""Keep the dates of holidays with each version of the agreement."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "messaging_02"
down_revision = "sla_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "agreements",
        sa.Column(
            "holidays",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="The dates of its holiday sets as they were when it was published; null in older versions.",
        ),
        schema="messaging",
    )


def downgrade() -> None:
    op.drop_column("agreements", "holidays", schema="messaging")
