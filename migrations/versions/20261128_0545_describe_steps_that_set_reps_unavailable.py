"""Describe the steps of ladders that set reps unavailable; nothing but comments changes."""

from __future__ import annotations

from alembic import op

revision = "routing_03"
down_revision = "scoring_02"
branch_labels = None
depends_on = None

COMMENTS = (
    (
        "routing",
        "escalations",
        "step",
        "reassign or return_to_pool",
        "reassign, return_to_pool or set_unavailable",
    ),
    (
        "sla",
        "clocks",
        "escalation_steps",
        "[[instant, who is notified or what is done, whether that waits for their hours], …]",
        "[[instant, who is notified or what is done, whether that waits for their hours, seconds], …]",
    ),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for schema, table, column, before, after in COMMENTS:
        op.alter_column(table, column, comment=after, existing_comment=before, schema=schema)


def downgrade() -> None:
    for schema, table, column, before, after in COMMENTS:
        op.alter_column(table, column, comment=before, existing_comment=after, schema=schema)
