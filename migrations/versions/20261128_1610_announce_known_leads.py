"""Keep since when leads are known and engaged, and keep known leads in alignment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "scoring_04"
down_revision = "alignment_07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for column in (
        sa.Column(
            "known_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The first event that names a person; null in known leads of older versions.",
        ),
        sa.Column(
            "active_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The first event that was activity.",
        ),
        sa.Column(
            "announced",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How often it was announced as known, or engaged.",
        ),
    ):
        op.add_column("leads", column, schema="scoring")
    op.create_index(
        "ix_leads_known_before",
        "leads",
        ["since"],
        schema="scoring",
        postgresql_where=sa.text("known and known_at is null and merged_into is null"),
    )
    create_leads()


def create_leads() -> None:
    op.create_table(
        "leads",
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column(
            "sequence",
            sa.Integer(),
            nullable=False,
            comment="Of scoring's last record of the lead.",
        ),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "engaged_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Null: not yet; never before known_at.",
        ),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column(
            "channel",
            sa.Text(),
            nullable=True,
            comment="Of the last touch until it was known, as is the campaign.",
        ),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("persona", sa.Text(), nullable=True, comment="By the agreement, at the record."),
        sa.Column("merged_into", sa.UUID(), nullable=True, comment="Counted no more."),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_leads")),
        schema="alignment",
        comment="One row a person whom marketing knows, since when, and where they came from.",
    )
    for column in ("known_at", "engaged_at"):
        op.create_index(f"ix_leads_{column}", "leads", [column, "lead_id"], schema="alignment")


def downgrade() -> None:
    op.drop_table("leads", schema="alignment")
    op.drop_index("ix_leads_known_before", table_name="leads", schema="scoring")
    for column in ("announced", "active_at", "known_at"):
        op.drop_column("leads", column, schema="scoring")
