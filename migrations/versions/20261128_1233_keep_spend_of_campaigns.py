"""Keep what campaigns cost, in all versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alignment_04"
down_revision = "alignment_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "spend",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False, comment="2026-W47, 2026-11 or 2026-Q4"),
        sa.Column("version", sa.Integer(), nullable=False, comment="The latest counts."),
        sa.Column("first_on", sa.Date(), nullable=False, comment="The first date of the period."),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True, comment="Null: no longer known."),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "period", "version", name=op.f("pk_spend")),
        schema="alignment",
        comment="What campaigns cost, in all versions that were reported.",
    )
    op.create_index("ix_spend_last_on", "spend", ["last_on"], unique=False, schema="alignment")


def downgrade() -> None:
    op.drop_table("spend", schema="alignment")
