"""Note which backfills run: that of known leads does, where some were known before they were announced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "messaging_backfills_01"
down_revision = "alignment_13"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "backfills",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=True, comment="Null: it still runs."
        ),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_backfills")),
        schema="messaging",
        comment="Topics on which things of before the topic are announced after an upgrade.",
    )
    op.execute(
        "insert into messaging.backfills (topic, begun_at) select 'leads.known', now() "
        "where exists (select from scoring.leads where known and known_at is null and merged_into is null)"
    )


def downgrade() -> None:
    op.drop_table("backfills", schema="messaging")
