"""Keep the steps of ladders that take handoffs from reps, the promises that reps broke, and what is in the pool."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "routing_02"
down_revision = "messaging_02"
branch_labels = None
depends_on = None

STEPS = "[[instant, who is notified, whether that waits for their hours], …]"
STEPS_AFTER = "[[instant, who is notified or what is done, whether that waits for their hours], …]"
REFUSED = "Reps who had returned the lead to marketing."
REFUSED_AFTER = "Reps who had refused the lead, or lost it otherwise."


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "escalations",
        sa.Column(
            "id",
            sa.Text(),
            nullable=False,
            comment="The id of the message that announced the step.",
        ),
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("hop", sa.Integer(), nullable=False, comment="The hop that the step ends."),
        sa.Column("rep", sa.Text(), nullable=False, comment="Who has the handoff in that hop."),
        sa.Column("step", sa.Text(), nullable=False, comment="reassign or return_to_pool"),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the step was due.",
        ),
        sa.Column(
            "clock",
            postgresql.JSONB(astext_type=sa.Text()),
            comment="The change of the clock as it was announced.",
        ),
        sa.Column("outcome", sa.Text(), comment="What came of it; None while it is pending."),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        schema="routing",
        comment="Steps of ladders that take handoffs from reps, and what came of each.",
    )
    op.create_index(
        op.f("ix_escalations_handoff_id"), "escalations", ["handoff_id"], schema="routing"
    )
    op.create_index(
        "ix_escalations_pending",
        "escalations",
        ["due_at", "id"],
        schema="routing",
        postgresql_where=sa.text("outcome is null"),
    )
    op.create_table(
        "broken_promises",
        sa.Column("clock_id", sa.UUID(), nullable=False),
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("clock_id", name=op.f("pk_broken_promises")),
        schema="routing",
        comment="The reps who broke promises of their hops: no step of a ladder gives them the lead again.",
    )
    op.create_index(
        op.f("ix_broken_promises_handoff_id"), "broken_promises", ["handoff_id"], schema="routing"
    )
    op.add_column(
        "handoffs",
        sa.Column(
            "pooled",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Returned to the pool by a ladder: it waits until ops assign it.",
        ),
        schema="routing",
    )
    _comment("assignments", "refused_by", REFUSED_AFTER, instead_of=REFUSED)
    _comment("clocks", "escalation_steps", STEPS_AFTER, instead_of=STEPS, schema="sla")


def downgrade() -> None:
    _comment("clocks", "escalation_steps", STEPS, instead_of=STEPS_AFTER, schema="sla")
    _comment("assignments", "refused_by", REFUSED, instead_of=REFUSED_AFTER)
    op.drop_column("handoffs", "pooled", schema="routing")
    op.drop_table("broken_promises", schema="routing")
    op.drop_table("escalations", schema="routing")


def _comment(
    table: str, column: str, comment: str, *, instead_of: str, schema: str = "routing"
) -> None:
    op.alter_column(table, column, comment=comment, existing_comment=instead_of, schema=schema)
