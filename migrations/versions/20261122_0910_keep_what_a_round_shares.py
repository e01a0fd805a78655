"""Keep once what all decisions of a round were made from: a list of all reps in each did not scale."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "routing_03"
down_revision = "sla_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "rounds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "agreement_version", sa.Integer(), nullable=False, comment="By which the team counted."
        ),
        sa.Column(
            "bench",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The reps as they stood before it.",
        ),
        sa.Column(
            "picks",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Who got a lead, in order.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        schema="routing",
        comment="Leads of a team given out together: what all their decisions were made from.",
    )
    op.add_column(
        "hops",
        sa.Column("round_id", sa.BigInteger(), nullable=True, comment="What it was decided from."),
        schema="routing",
    )


def downgrade() -> None:
    op.drop_column("hops", "round_id", schema="routing")
    op.drop_table("rounds", schema="routing")
