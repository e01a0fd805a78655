"""Keep what teams can take: the last plan of each in routing, each date of each in alignment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "capacity_01"
down_revision = "alignment_08"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "capacity_plans",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="Counts the plans of the team."),
        sa.Column(
            "days",
            postgresql.JSONB(),
            nullable=False,
            comment="[[date, reps, leads, reps without a limit a day], …]",
        ),
        sa.PrimaryKeyConstraint("team", name=op.f("pk_capacity_plans")),
        schema="routing",
        comment="What each team can take on the next dates, as it was announced last.",
    )
    op.create_table(
        "capacity_days",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column(
            "number",
            sa.BigInteger(),
            nullable=False,
            comment="Of the team's latest plan that has the date.",
        ),
        sa.Column("reps", sa.BigInteger(), nullable=False, comment="Who work on the date."),
        sa.Column(
            "leads", sa.BigInteger(), nullable=False, comment="The sum of their limits a day."
        ),
        sa.Column(
            "unlimited", sa.BigInteger(), nullable=False, comment="Of the reps, those without one."
        ),
        sa.PrimaryKeyConstraint("on", "team", name=op.f("pk_capacity_days")),
        schema="alignment",
        comment="How many leads each team can take on each date, as routing announced it last.",
    )


def downgrade() -> None:
    op.drop_table("capacity_days", schema="alignment")
    op.drop_table("capacity_plans", schema="routing")
