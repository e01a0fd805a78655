"""Create the tables of scoring."""

from __future__ import annotations

from alembic import op

revision = "scoring_01"
down_revision = "messaging_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema scoring")


def downgrade() -> None:
    op.execute("drop schema scoring")
