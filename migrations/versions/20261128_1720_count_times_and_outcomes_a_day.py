"""Count times, values, clocks and outcomes a day, for measures and campaigns. At first every day is stale."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "alignment_10"
down_revision = "alignment_09"
branch_labels = None
depends_on = None

FOLLOW_UPS = (
    "untouched", "attempts", "answers", "reasoned", "qualified_again", "accepted_again", "won_again",
)  # fmt: skip
FACTS = """
    select lead_id, qualification, qualified_at is null, accepted_at is null, outcome
    from {rows} where qualification > 1
"""
BEFORE, AFTER = FACTS.format(rows="rows_before"), FACTS.format(rows="rows_after")
MARKED = {
    "insert": ("new table as rows_after", AFTER),
    "update": (
        "old table as rows_before new table as rows_after",
        f"({AFTER} except {BEFORE}) union ({BEFORE} except {AFTER})",
    ),
    "delete": ("old table as rows_before", BEFORE),
}
MARK = """
    create function alignment.{name}() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
    begin
        insert into alignment.stale_leads (lead_id) select distinct lead_id from ({rows}) as changed;
        return null;
    end
    $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in FOLLOW_UPS:
        op.add_column(
            "daily_tallies",
            sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False),
            schema="alignment",
        )
    op.create_index(
        "ix_handoffs_waiting",
        "handoffs",
        ["qualified_at"],
        schema="alignment",
        postgresql_where=sa.text("assigned_at is null and closed_at is null"),
    )
    mark_leads()
    create_daily_times()
    create_daily_values()
    create_daily_clocks()
    create_daily_outcomes()
    # no day is counted while this holds, and what was counted before is stale afterwards
    op.execute("lock table alignment.daily_tallies in share row exclusive mode")
    op.execute(
        "insert into alignment.stale_days (day) select distinct counted_on from alignment.daily_tallies "
        "union select distinct due_on from alignment.promises where due_on is not null"
    )


def mark_leads() -> None:
    op.create_table(
        "stale_leads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stale_leads")),
        schema="alignment",
        comment="Leads of which a later qualification has changed: the days on which they qualified before, and were "
        "recycled, are stale.",
    )
    for kind, (transitions, rows) in MARKED.items():
        name = f"mark_leads_of_{kind}s"
        op.execute(MARK.format(name=name, rows=rows))
        op.execute(
            f"create trigger {name} after {kind} on alignment.handoffs referencing {transitions} "
            f"for each statement execute function alignment.{name}()"
        )


def of_field() -> list[sa.Column[Any]]:
    return [
        sa.Column(
            "counted_on", sa.Date(), nullable=False, comment="When the leads qualified, in UTC."
        ),
        sa.Column("field", sa.Text(), nullable=False, comment="team, …, rep; empty: all handoffs."),
        sa.Column("name", sa.Text(), nullable=False, comment="Empty: unknown, or all."),
    ]


def create_daily_times() -> None:
    op.create_table(
        "daily_times",
        *of_field(),
        sa.Column("kind", sa.Text(), nullable=False, comment="accept, business_accept, …"),
        sa.Column(
            "seconds",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="Lengths, rounded up to steps.",
        ),
        sa.Column(
            "numbers",
            postgresql.ARRAY(sa.Integer()),
            nullable=False,
            comment="How many times have each length.",
        ),
        sa.PrimaryKeyConstraint("field", "name", "counted_on", "kind", name=op.f("pk_daily_times")),
        schema="alignment",
        comment="How many times between two steps of handoffs there are, of days that are not stale.",
    )
    op.create_index("ix_daily_times_counted_on", "daily_times", ["counted_on"], schema="alignment")


def create_daily_values() -> None:
    op.create_table(
        "daily_values",
        *of_field(),
        sa.Column("kind", sa.Text(), nullable=False, comment="reason or traits"),
        sa.Column(
            "value", sa.Text(), nullable=False, comment="A reason; or names of traits, a line each."
        ),
        sa.Column("handoffs", sa.Integer(), nullable=False),
        schema="alignment",
        comment="How many handoffs were rejected for a reason, or have a set of traits, of days that are not stale.",
    )
    for name, columns in (
        ("field", ["field", "name", "counted_on"]),
        ("counted_on", ["counted_on"]),
    ):
        op.create_index(f"ix_daily_values_{name}", "daily_values", columns, schema="alignment")


def create_daily_clocks() -> None:
    op.create_table(
        "daily_clocks",
        sa.Column("counted_on", sa.Date(), nullable=False, comment="When the clocks were due."),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column(
            "team",
            sa.Text(),
            nullable=False,
            comment="Of the clock, as the tier; empty: unknown.",
        ),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("met", sa.Integer(), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "counted_on", "policy", "team", "tier", name=op.f("pk_daily_clocks")
        ),
        schema="alignment",
        comment="How many clocks were met and broken, of days that are not stale.",
    )


def create_daily_outcomes() -> None:
    op.create_table(
        "daily_outcomes",
        sa.Column(
            "counted_on", sa.Date(), nullable=False, comment="When the leads qualified, in UTC."
        ),
        sa.Column(
            "happened_on",
            sa.Date(),
            nullable=False,
            comment="When they came to the stage, in UTC.",
        ),
        sa.Column("campaign", sa.Text(), nullable=False, comment="Empty: unknown."),
        sa.Column(
            "stage",
            sa.Text(),
            nullable=False,
            comment="qualified, accepted, rejected, contacted, won",
        ),
        sa.Column(
            "detail",
            sa.Text(),
            nullable=False,
            comment="The reason of a rejection, the currency of a win; empty: unknown.",
        ),
        sa.Column("handoffs", sa.Integer(), nullable=False),
        sa.Column("cents", sa.Numeric(30, 0), nullable=False, comment="Of the wins."),
        schema="alignment",
        comment="What became of the leads of campaigns, of days that are not stale.",
    )
    for name in ("counted_on", "happened_on"):
        op.create_index(f"ix_daily_outcomes_{name}", "daily_outcomes", [name], schema="alignment")


def downgrade() -> None:
    for table in ("daily_outcomes", "daily_clocks", "daily_values", "daily_times"):
        op.drop_table(table, schema="alignment")
    for kind in MARKED:
        op.execute(f"drop function alignment.mark_leads_of_{kind}s() cascade")
    op.drop_table("stale_leads", schema="alignment")
    op.drop_index("ix_handoffs_waiting", table_name="handoffs", schema="alignment")
    for name in FOLLOW_UPS:
        op.drop_column("daily_tallies", name, schema="alignment")
