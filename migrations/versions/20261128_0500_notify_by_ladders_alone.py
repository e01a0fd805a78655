"""Let a breach notify the team by its ladder alone: clocks that run get the step that was implied until now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "sla_02"
down_revision = "sla_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _comment(
        "[[instant, who is notified, whether that waits for their hours], …]",
        instead_of="[[instant, whose endpoint], …]",
    )
    op.execute("""
        update sla.timers set escalation_count = escalation_count + 1
        from sla.clocks
        where clocks.id = timers.clock_id and clocks.ended_at is null
            and timers.breached_at is not null
    """)
    op.execute("""
        update sla.clocks set escalation_steps =
            jsonb_build_array(jsonb_build_array(
                to_char(due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), 'team'
            )) || escalation_steps
        where ended_at is null
    """)


def downgrade() -> None:
    op.execute("""
        update sla.timers set escalation_count = escalation_count - 1
        from sla.clocks
        where clocks.id = timers.clock_id and clocks.ended_at is null
            and timers.breached_at is not null and escalation_steps -> 0 ->> 1 = 'team'
    """)
    op.execute("""
        update sla.clocks set escalation_steps = escalation_steps - 0
        where ended_at is null and escalation_steps -> 0 ->> 1 = 'team'
    """)
    _comment(
        "[[instant, whose endpoint], …]",
        instead_of="[[instant, who is notified, whether that waits for their hours], …]",
    )


def _comment(comment: str, *, instead_of: str) -> None:
    op.alter_column(
        "clocks",
        "escalation_steps",
        existing_type=postgresql.JSONB(astext_type=sa.Text()),
        existing_nullable=False,
        existing_comment=instead_of,
        comment=comment,
        schema="sla",
    )
