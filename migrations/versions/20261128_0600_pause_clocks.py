"""Let clocks follow pauses: how much a clock was paused, and until when it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sla_04"
down_revision = "routing_03"
branch_labels = None
depends_on = None

SPENT, SPENT_BEFORE = (
    "Business time from the start to the end, without pauses.",
    "Business time from the start to the end.",
)
STATES, STATES_BEFORE = "running, at_risk, paused or breached", "running, at_risk or breached"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "clocks",
        sa.Column(
            "paused_for",
            sa.Interval(),
            server_default=sa.text("'0'::interval"),
            nullable=False,
            comment="Business time that pauses before the due time take out.",
        ),
        schema="sla",
    )
    op.add_column(
        "timers",
        sa.Column(
            "paused_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="While paused: when that is over.",
        ),
        schema="sla",
    )
    _comment(SPENT, STATES, instead_of=(SPENT_BEFORE, STATES_BEFORE))


def downgrade() -> None:
    _comment(SPENT_BEFORE, STATES_BEFORE, instead_of=(SPENT, STATES))
    op.drop_column("timers", "paused_until", schema="sla")
    op.drop_column("clocks", "paused_for", schema="sla")


def _comment(spent: str, states: str, *, instead_of: tuple[str, str]) -> None:
    op.alter_column(
        "clocks",
        "spent",
        existing_type=sa.Interval(),
        existing_nullable=True,
        existing_comment=instead_of[0],
        comment=spent,
        schema="sla",
    )
    op.alter_column(
        "open_counts",
        "state",
        existing_type=sa.Text(),
        existing_nullable=False,
        existing_comment=instead_of[1],
        comment=states,
        schema="sla",
    )
