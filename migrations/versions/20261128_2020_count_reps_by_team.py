"""Count reps by team: what was counted of them before is stale."""

from __future__ import annotations

from alembic import op

revision = "alignment_12"
down_revision = "alignment_11"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_days_stale()


def make_days_stale() -> None:
    op.execute("set local lock_timeout = '5s'")
    # no day is counted while this holds, and what was counted before is stale afterwards
    op.execute("lock table alignment.daily_tallies in share row exclusive mode")
    op.execute(
        "insert into alignment.stale_days (day) select distinct counted_on from alignment.daily_tallies"
    )


def downgrade() -> None:
    make_days_stale()
