"""Keep how far the nightly recount of the tallies is, and find clocks by their due date."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sla_03"
down_revision = "routing_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "recounts",
        sa.Column(
            "id", sa.SmallInteger(), autoincrement=False, nullable=False, comment="Always 1."
        ),
        sa.Column(
            "night",
            sa.Date(),
            nullable=False,
            comment="The date, in UTC, of the night of the recount.",
        ),
        sa.Column(
            "next_on", sa.Date(), nullable=False, comment="The due date that is counted next."
        ),
        sa.Column(
            "last_on", sa.Date(), nullable=False, comment="The due date that is counted last."
        ),
        sa.Column("clocks", sa.BigInteger(), nullable=False, comment="Counted in this night."),
        sa.Column(
            "differences",
            sa.BigInteger(),
            nullable=False,
            comment="Tallies that were mended in this night.",
        ),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When a recount was last finished.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recounts")),
        schema="sla",
        comment="How far the nightly recount of the tallies is, in one row.",
    )
    op.create_index(
        "ix_clocks_due_on",
        "clocks",
        ["due_on"],
        unique=False,
        schema="sla",
        postgresql_using="brin",
    )


def downgrade() -> None:
    op.drop_index("ix_clocks_due_on", table_name="clocks", schema="sla", postgresql_using="brin")
    op.drop_table("recounts", schema="sla")
