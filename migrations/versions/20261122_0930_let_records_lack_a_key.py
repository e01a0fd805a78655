"""Let a record in the outbox lack its key: what is passed on may never have had one."""

from __future__ import annotations

from alembic import op

revision = "messaging_02"
down_revision = "routing_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.alter_column("outbox", "key", nullable=True, schema="messaging")


def downgrade() -> None:
    op.execute("update messaging.outbox set key = '' where key is null")
    op.alter_column("outbox", "key", nullable=False, schema="messaging")
