"""Keep which rep holds or held a lead's handoffs, so that a rep's key sees those leads and no others.

Those who hold a handoff now are taken over from routing; the next change of each handoff corrects what has moved since.
Who lost one before is not known here: such a rep does not see that lead.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "scoring_04"
down_revision = "messaging_04"
branch_labels = None
depends_on = None

_HOLD_NOW = """
    with recursive path (asked, id, joined_into) as (
        select leads.id, leads.id, leads.joined_into from scoring.leads
        where leads.id in (select lead_id from routing.handoffs where rep is not null)
        union all
        select path.asked, leads.id, leads.joined_into from path
        join scoring.leads on leads.id = path.joined_into
    )
    insert into scoring.holdings (handoff_id, rep, lead_id)
    select handoffs.id, handoffs.rep, path.id from routing.handoffs
    join path on path.asked = handoffs.lead_id and path.joined_into is null
    where handoffs.rep is not null
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "holdings",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When we learned that they had lost it.",
        ),
        sa.PrimaryKeyConstraint("handoff_id", "rep", name=op.f("pk_holdings")),
        schema="scoring",
        comment="Which reps hold a lead's handoffs, or held them: what their keys may see.",
    )
    op.execute(_HOLD_NOW)
    op.create_index(op.f("ix_holdings_lead_id"), "holdings", ["lead_id"], schema="scoring")


def downgrade() -> None:
    op.drop_table("holdings", schema="scoring")
