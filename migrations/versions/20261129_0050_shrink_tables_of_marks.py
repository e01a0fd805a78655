"""Shrink tables of marks when they are empty: every report reads them whole.

Where few pages hold dead rows, vacuum leaves their pointers in place, and a table that was large once stays so.
"""

from __future__ import annotations

from alembic import op

revision = "alignment_15"
down_revision = "alignment_14"
branch_labels = None
depends_on = None

TABLES = ("stale_days", "stale_handoffs", "stale_leads", "stale_facts", "stale_credits")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in TABLES:
        op.execute(f"alter table alignment.{table} set (vacuum_index_cleanup = on)")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"alter table alignment.{table} reset (vacuum_index_cleanup)")
