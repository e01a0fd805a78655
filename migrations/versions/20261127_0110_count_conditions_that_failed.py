"""Count conditions of the agreement that could not be evaluated, so that `leadbaton doctor` can show them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "messaging_03"
down_revision = "scoring_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "condition_failures",
        sa.Column(
            "consumer_group", sa.Text(), nullable=False, comment="Whose workers evaluated it."
        ),
        sa.Column("rule", sa.Text(), nullable=False, comment="scoring.signals.pricing.when"),
        sa.Column("cause", sa.Text(), nullable=False, comment="work, iterations or error"),
        sa.Column(
            "failures", sa.BigInteger(), nullable=False, comment="How often, since first_at."
        ),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "consumer_group", "rule", "cause", name=op.f("pk_condition_failures")
        ),
        schema="messaging",
        comment="Conditions of the agreement that could not be evaluated and were taken as false.",
    )


def downgrade() -> None:
    op.drop_table("condition_failures", schema="messaging")
