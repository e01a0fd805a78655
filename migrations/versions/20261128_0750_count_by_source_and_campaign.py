"""Keep the sources and the campaign of a lead with its clocks, and count promises by them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "sla_05"
down_revision = "scoring_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "clocks",
        sa.Column(
            "sources",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="Of the lead when it qualified; null where an older version stored the clock.",
        ),
        schema="sla",
    )
    op.add_column(
        "clocks",
        sa.Column("campaign", sa.Text(), nullable=True, comment="Of the lead when it qualified."),
        schema="sla",
    )
    op.create_table(
        "source_tallies",
        sa.Column("field", sa.Text(), nullable=False, comment="source or campaign"),
        sa.Column("tier", sa.Text(), nullable=False, comment="* for all of them."),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="Of the source or the campaign; empty for leads without one.",
        ),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False, comment="As in tallies."),
        sa.Column("bucket", sa.SmallInteger(), nullable=False, comment="As in tallies."),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "field",
            "tier",
            "due_on",
            "name",
            "team",
            "kind",
            "scope",
            "measure",
            "bucket",
            name=op.f("pk_source_tallies"),
        ),
        schema="sla",
        comment="Counts that reports by source and campaign read, changed like tallies; "
        "a clock counts under each source.",
    )


def downgrade() -> None:
    op.drop_table("source_tallies", schema="sla")
    op.drop_column("clocks", "campaign", schema="sla")
    op.drop_column("clocks", "sources", schema="sla")
