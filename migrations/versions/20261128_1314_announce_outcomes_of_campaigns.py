"""Announce what became of campaigns' leads each day, to an endpoint of marketing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alignment_07"
down_revision = "alignment_06"
branch_labels = None
depends_on = None

ENDPOINTS = "rep/ID, team/ID or ops"
WITH_MARKETING = "rep/ID, team/ID, ops or marketing"
ABOUT_A_CAMPAIGN = "Null: it is about a campaign."


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "outcome_days",
        sa.Column("day", sa.Date(), nullable=False, comment="In UTC."),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_outcome_days")),
        schema="alignment",
        comment="The days whose outcomes of campaigns were announced, each once.",
    )
    op.alter_column(
        "deliveries",
        "handoff_id",
        nullable=True,
        comment=ABOUT_A_CAMPAIGN,
        existing_type=sa.UUID(),
        existing_nullable=False,
        schema="routing",
    )
    op.alter_column(
        "endpoints",
        "id",
        comment=WITH_MARKETING,
        existing_comment=ENDPOINTS,
        existing_type=sa.Text(),
        existing_nullable=False,
        schema="routing",
    )


def downgrade() -> None:
    op.execute("delete from routing.deliveries where handoff_id is null")
    op.execute("delete from routing.endpoints where id = 'marketing'")
    op.alter_column(
        "endpoints",
        "id",
        comment=ENDPOINTS,
        existing_comment=WITH_MARKETING,
        existing_type=sa.Text(),
        existing_nullable=False,
        schema="routing",
    )
    op.alter_column(
        "deliveries",
        "handoff_id",
        nullable=False,
        comment=None,
        existing_comment=ABOUT_A_CAMPAIGN,
        existing_type=sa.UUID(),
        existing_nullable=True,
        schema="routing",
    )
    op.drop_table("outcome_days", schema="alignment")
