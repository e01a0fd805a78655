"""Count accepted events beside repeated ones. A view lets workers of the version before go on counting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "scoring_02"
down_revision = "sla_03"
branch_labels = None
depends_on = None

_SCHEMA = "scoring"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.rename_table("repeats", "event_counts", schema=_SCHEMA)
    op.execute("alter table scoring.event_counts rename constraint pk_repeats to pk_event_counts")
    op.alter_column(
        "event_counts",
        "count",
        new_column_name="repeated",
        comment="How many came again and counted for nothing.",
        schema=_SCHEMA,
    )
    op.add_column(
        "event_counts",
        sa.Column(
            "accepted",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="How many were added.",
        ),
        schema=_SCHEMA,
    )
    op.create_table_comment(
        "event_counts",
        "How many events of a source were added, or came again, in an hour.",
        schema=_SCHEMA,
    )
    op.execute(
        "create view scoring.repeats as "
        "select hour, source, counter, repeated as count from scoring.event_counts"
    )


def downgrade() -> None:
    op.execute("drop view scoring.repeats")
    op.drop_column("event_counts", "accepted", schema=_SCHEMA)
    op.alter_column("event_counts", "repeated", new_column_name="count", schema=_SCHEMA)
    op.execute("alter table scoring.event_counts rename constraint pk_event_counts to pk_repeats")
    op.rename_table("event_counts", "repeats", schema=_SCHEMA)
