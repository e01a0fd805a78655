"""Create the tables of sla."""

from __future__ import annotations

from alembic import op

revision = "sla_01"
down_revision = "routing_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema sla")


def downgrade() -> None:
    op.execute("drop schema sla")
