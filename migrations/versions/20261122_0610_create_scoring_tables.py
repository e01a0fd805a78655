"""Create the tables of scoring."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "scoring_01"
down_revision = "messaging_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema scoring")
    op.create_table(
        "rejections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="Whose key it came with."),
        sa.Column(
            "event_id", sa.Text(), nullable=True, comment="The sender's id, if it could be read."
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False, comment="Bytes as they came."),
        sa.Column(
            "bytes", sa.LargeBinary(), nullable=False, comment="As they came; the first 32 KB."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejections")),
        schema="scoring",
        comment="Events that were refused, with the reason, so that nobody has to guess.",
    )
    op.create_index(
        "ix_rejections_source", "rejections", ["source", "id"], unique=False, schema="scoring"
    )


def downgrade() -> None:
    op.drop_index("ix_rejections_source", table_name="rejections", schema="scoring")
    op.drop_table("rejections", schema="scoring")
    op.execute("drop schema scoring")
