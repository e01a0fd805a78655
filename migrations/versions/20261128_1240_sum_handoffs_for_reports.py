"""Sum handoffs for reports. Handoffs of before are counted by the worker, which sees that they have no category."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "alignment_05"
down_revision = "alignment_04"
branch_labels = None
depends_on = None

COUNTS = (
    "qualified", "assigned", "accepted", "rejected", "contacted", "won", "lost", "recycled", "merged",
    "wins", "met", "broken",
)  # fmt: skip
KEEP_PROMISES = """
    update alignment.handoffs as handoff set promises = kept.counts
    from (
        select handoff_id, jsonb_object_agg(policy, jsonb_build_array(met, broken)) as counts
        from (
            select handoff_id, policy,
                count(*) filter (where not is_broken and met_at is not null) as met,
                count(*) filter (where is_broken) as broken
            from (
                select *, breached_at is not null
                    and (retracted_at is null or breached_at > retracted_at) as is_broken
                from alignment.promises
            ) as promise
            group by handoff_id, policy
        ) as by_policy
        where met > 0 or broken > 0
        group by handoff_id
    ) as kept
    where handoff.handoff_id = kept.handoff_id
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "handoffs",
        sa.Column(
            "promises",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="{policy: [met, broken]}, of the promises about the handoff.",
        ),
        schema="alignment",
    )
    op.execute(KEEP_PROMISES)
    op.add_column(
        "handoffs",
        sa.Column(
            "category_id",
            sa.Text(),
            nullable=True,
            comment="Null until the handoff is counted in tallies.",
        ),
        schema="alignment",
    )
    op.create_index(
        "ix_handoffs_uncounted",
        "handoffs",
        ["qualified_at"],
        unique=False,
        schema="alignment",
        postgresql_where=sa.text("category_id is null and qualified_at is not null"),
    )
    op.create_table(
        "promise_links",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("handoff_id", name=op.f("pk_promise_links")),
        schema="alignment",
        comment="The ids of handoffs, locked while the promises about them are counted with them for the first time.",
    )
    op.create_table(
        "categories",
        sa.Column("id", sa.Text(), nullable=False, comment="A hash of the names."),
        *(
            sa.Column(it, sa.Text(), nullable=False)
            for it in ("team", "tier", "source", "campaign", "channel", "persona")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        schema="alignment",
        comment="What reports group and conditions read of handoffs; empty: unknown.",
    )
    create_tallies()
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
            "next_on", sa.Date(), nullable=False, comment="The date of qualification that is next."
        ),
        sa.Column(
            "last_on", sa.Date(), nullable=False, comment="The date of qualification that is last."
        ),
        sa.Column("handoffs", sa.BigInteger(), nullable=False, comment="Counted in this night."),
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
        schema="alignment",
        comment="How far the nightly recount of the tallies is, in one row.",
    )


def create_tallies() -> None:
    op.create_table(
        "tallies",
        *tally_columns(),
        sa.PrimaryKeyConstraint(
            "field",
            "qualified_on",
            "name",
            "agreement_version",
            "currency",
            "policy",
            name=op.f("pk_tallies"),
        ),
        schema="alignment",
        comment="The sums of handoffs that reports read, by the date of their qualification and one of their fields.",
    )
    op.create_table(
        "tally_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *tally_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_changes")),
        schema="alignment",
        comment="What transactions add to the tallies, until it is merged into them; reports read both.",
    )


def tally_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("field", sa.Text(), nullable=False, comment="team, …, category"),
        sa.Column("qualified_on", sa.Date(), nullable=False, comment="In UTC."),
        sa.Column("name", sa.Text(), nullable=False, comment="Empty: unknown."),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False, comment="Of wins."),
        sa.Column("policy", sa.Text(), nullable=False, comment="Of promises."),
        *(sa.Column(it, sa.Integer(), nullable=False) for it in COUNTS),
        sa.Column("cents", sa.BigInteger(), nullable=False, comment="Of the wins in the currency."),
    ]


def downgrade() -> None:
    for table in ("recounts", "tally_changes", "tallies", "categories", "promise_links"):
        op.drop_table(table, schema="alignment")
    op.drop_index("ix_handoffs_uncounted", table_name="handoffs", schema="alignment")
    op.drop_column("handoffs", "category_id", schema="alignment")
    op.drop_column("handoffs", "promises", schema="alignment")
