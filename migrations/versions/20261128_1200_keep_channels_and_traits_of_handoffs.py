"""Keep the channel, the persona, the traits and the attempts of handoffs in alignment. Rows of before have none."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "alignment_03"
down_revision = "alignment_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for column in columns():
        op.add_column("handoffs", column, schema="alignment")
    op.add_column(
        "touches",
        sa.Column(
            "channel",
            sa.Text(),
            nullable=True,
            comment="Of the last touch before the lead qualified, as announced then; null: none, or not read.",
        ),
        schema="alignment",
    )


def downgrade() -> None:
    op.drop_column("touches", "channel", schema="alignment")
    for column in reversed(columns()):
        op.drop_column("handoffs", column.name, schema="alignment")


def columns() -> list[sa.Column[Any]]:
    return [
        sa.Column(
            "channel",
            sa.Text(),
            nullable=True,
            comment="Of the last touch before the lead qualified, else of its first.",
        ),
        sa.Column(
            "persona", sa.Text(), nullable=True, comment="By the agreement, at the qualification."
        ),
        sa.Column(
            "traits",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="The names of those that had a value at the qualification; null: not announced.",
        ),
        sa.Column(
            "triggered_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the event happened that qualified the lead.",
        ),
        sa.Column(
            "attempted_at",
            postgresql.ARRAY(sa.DateTime(timezone=True)),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Of the first 50 attempts.",
        ),
        sa.Column(
            "accepted_hop",
            sa.Integer(),
            nullable=True,
            comment="Which assignment the rep had who accepted it first.",
        ),
    ]
