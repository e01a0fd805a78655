"""Create the tables of routing."""

from __future__ import annotations

from alembic import op

revision = "routing_01"
down_revision = "scoring_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema routing")


def downgrade() -> None:
    op.execute("drop schema routing")
