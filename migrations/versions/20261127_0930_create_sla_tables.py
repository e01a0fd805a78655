"""Create the tables of the SLA monitor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "sla_01"
down_revision = "routing_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema sla")
    op.create_table(
        "acknowledgements",
        sa.Column("clock_id", sa.UUID(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="ops/NAME"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("clock_id", name=op.f("pk_acknowledgements")),
        schema="sla",
        comment="Breaches that ops know of, with their note; beside the clock, which sweeps rewrite.",
    )
    op.create_table(
        "changes",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The change as routing announced it.",
        ),
        sa.PrimaryKeyConstraint("handoff_id", "sequence", name=op.f("pk_changes")),
        schema="sla",
        comment="The changes of each handoff, from which its clocks are derived.",
    )
    op.create_table(
        "clocks",
        sa.Column("id", sa.UUID(), nullable=False, comment="Derived from handoff, hop and policy."),
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column("hop", sa.Integer(), nullable=False, comment="0 for a journey."),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("lead_name", sa.Text(), nullable=True, comment="Shown in lists of clocks."),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column("target", sa.Interval(), nullable=False, comment="Business time."),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "due_on", sa.Date(), nullable=False, comment="In the calendar's zone: the cohort."
        ),
        sa.Column(
            "escalation_steps",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[instant, whose endpoint], …]",
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="running, met, late or cancelled"),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the change that ended it happened.",
        ),
        sa.Column(
            "ended_by", sa.Text(), nullable=True, comment="The change of the handoff that ended it."
        ),
        sa.Column(
            "reported_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When that change was recorded.",
        ),
        sa.Column(
            "reported_late",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Met, and reported too late.",
        ),
        sa.Column(
            "spent",
            sa.Interval(),
            nullable=True,
            comment="Business time from the start to the end.",
        ),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clocks")),
        schema="sla",
        comment="One row a clock: one promise, when it is due, and what became of it.",
    )
    op.create_index("ix_clocks_handoff_id", "clocks", ["handoff_id"], unique=False, schema="sla")
    op.create_index(
        "ix_clocks_open",
        "clocks",
        ["due_at", "id"],
        unique=False,
        schema="sla",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        "ix_clocks_open_of_rep",
        "clocks",
        ["rep", "due_at", "id"],
        unique=False,
        schema="sla",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        "ix_clocks_open_of_team",
        "clocks",
        ["team", "due_at", "id"],
        unique=False,
        schema="sla",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        "ix_clocks_open_or_broken",
        "clocks",
        ["due_at", "id"],
        unique=False,
        schema="sla",
        postgresql_where=sa.text("ended_at is null or ended_at > due_at"),
    )
    op.create_index(
        "ix_clocks_reported_late",
        "clocks",
        ["started_at", "id"],
        unique=False,
        schema="sla",
        postgresql_where=sa.text("reported_late"),
    )
    op.create_index(
        "ix_clocks_started_at", "clocks", ["started_at", "id"], unique=False, schema="sla"
    )
    op.create_table(
        "open_counts",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=False, comment="Empty while no rep has the handoff."),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="running, at_risk or breached"),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "team", "rep", "tier", "kind", "scope", "state", name=op.f("pk_open_counts")
        ),
        schema="sla",
        comment="How many clocks are open: changed in the transaction that changes the clock.",
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "recent_counts",
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="The start of the five minutes in which the promises were kept or broken.",
        ),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="met or breached"),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("since", "team", "outcome", name=op.f("pk_recent_counts")),
        schema="sla",
        comment="How many promises were kept and broken: changed in the transaction that changes the clock.",
    )
    op.create_table(
        "tallies",
        sa.Column(
            "rep",
            sa.Text(),
            nullable=False,
            comment="Empty for a journey, which is the team's; * for all of them.",
        ),
        sa.Column("tier", sa.Text(), nullable=False, comment="* for all of them."),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column(
            "measure",
            sa.Text(),
            nullable=False,
            comment="met, reported_late (of met), late, overdue, cancelled; business, wall",
        ),
        sa.Column(
            "bucket", sa.SmallInteger(), nullable=False, comment="Of a time: 4 * log2(seconds + 1)."
        ),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "rep",
            "tier",
            "due_on",
            "team",
            "kind",
            "scope",
            "measure",
            "bucket",
            name=op.f("pk_tallies"),
        ),
        schema="sla",
        comment="Counts that reports read: changed in the transaction that changes the clock.",
    )
    op.create_table(
        "timers",
        sa.Column("clock_id", sa.UUID(), nullable=False),
        sa.Column(
            "fire_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When something is due on it next.",
        ),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "breached_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="due_at, however late it was detected.",
        ),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retracted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "escalation_count",
            sa.SmallInteger(),
            nullable=False,
            comment="How many escalation steps were taken.",
        ),
        sa.PrimaryKeyConstraint("clock_id", name=op.f("pk_timers")),
        schema="sla",
        comment="What sweeps write, a row a clock, which is also the clock's lock: narrow and "
        "with few indexes, because a hundred thousand may be due at one instant.",
    )
    op.create_index(
        "ix_timers_at_risk",
        "timers",
        ["fire_at", "clock_id"],
        unique=False,
        schema="sla",
        postgresql_where=sa.text(
            "warned_at is not null and breached_at is null and fire_at is not null"
        ),
    )
    op.create_index(
        "ix_timers_fire_at",
        "timers",
        ["fire_at"],
        unique=False,
        schema="sla",
        postgresql_where=sa.text("fire_at is not null"),
    )


def downgrade() -> None:
    op.execute("drop schema sla cascade")
