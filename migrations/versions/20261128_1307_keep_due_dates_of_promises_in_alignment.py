"""Keep in alignment when each promise was due, and about which team and tier. Rows of before have none."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "alignment_06"
down_revision = "routing_05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for column in columns():
        op.add_column("promises", column, schema="alignment")
    op.create_index(
        "ix_promises_due_on", "promises", ["policy", "due_on"], unique=False, schema="alignment"
    )


def downgrade() -> None:
    op.drop_index("ix_promises_due_on", table_name="promises", schema="alignment")
    for column in reversed(columns()):
        op.drop_column("promises", column.name, schema="alignment")


def columns() -> list[sa.Column[Any]]:
    return [
        sa.Column(
            "detected_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Of the last change, which the due date, the team and the tier are of; null in old rows.",
        ),
        sa.Column(
            "due_on",
            sa.Date(),
            nullable=True,
            comment="In the clock's calendar; attainment counts by it.",
        ),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=True),
    ]
