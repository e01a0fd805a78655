"""Suspend the keys of reps who are not active; each import of reps does so from now on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "messaging_04"
down_revision = "routing_07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "api_keys",
        sa.Column(
            "suspended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when its rep is not active.",
        ),
        schema="messaging",
    )
    _comment_on_scope("ingest, rep, ops or read", before="ingest, rep or ops")
    op.execute("""
        update messaging.api_keys as key set suspended_at = now()
        where key.scope = 'rep' and not exists (
            select from routing.reps where reps.id = key.subject and reps.active
        )
    """)


def downgrade() -> None:
    _comment_on_scope("ingest, rep or ops", before="ingest, rep, ops or read")
    op.drop_column("api_keys", "suspended_at", schema="messaging")


def _comment_on_scope(comment: str, *, before: str) -> None:
    op.alter_column(
        "api_keys",
        "scope",
        existing_type=sa.Text(),
        existing_nullable=False,
        comment=comment,
        existing_comment=before,
        schema="messaging",
    )
