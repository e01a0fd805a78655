"""Create the tables of routing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "routing_01"
down_revision = "scoring_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema routing")
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", sa.Numeric(precision=10, scale=1, asdecimal=False), nullable=False),
        sa.Column(
            "status", sa.SmallInteger(), nullable=True, comment="Of the response, if there was one."
        ),
        sa.Column(
            "said", sa.Text(), nullable=False, comment="The response's head, or what went wrong."
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_attempts")),
        schema="routing",
        comment="Each try of a delivery.",
    )
    op.create_table(
        "changes",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="leadbaton, rep/ID or ops/WHO"),
        sa.Column(
            "said",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The change as it was announced.",
        ),
        sa.PrimaryKeyConstraint("handoff_id", "sequence", name=op.f("pk_changes")),
        schema="routing",
        comment="The life of each handoff, as it was announced on handoffs.changed.",
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.UUID(), nullable=False, comment="The webhook-id of every try."),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("hop", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column(
            "body", sa.LargeBinary(), nullable=False, comment="The exact bytes that are signed."
        ),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="pending, delivered, exhausted or cancelled"
        ),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column(
            "tried_before",
            sa.SmallInteger(),
            server_default="0",
            nullable=False,
            comment="Attempts of an earlier round, before it was told to begin again.",
        ),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("position", name=op.f("uq_deliveries_position")),
        schema="routing",
        comment="What is to be told to whom, until it is delivered or given up.",
    )
    op.create_index(
        op.f("ix_deliveries_handoff_id"),
        "deliveries",
        ["handoff_id"],
        unique=False,
        schema="routing",
    )
    op.create_index(
        "ix_deliveries_pending",
        "deliveries",
        ["next_attempt_at"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_deliveries_pending_of_endpoint",
        "deliveries",
        ["endpoint", "handoff_id", "position"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "endpoints",
        sa.Column("id", sa.Text(), nullable=False, comment="rep/ID, team/ID or ops"),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column(
            "secret",
            sa.LargeBinary(),
            nullable=False,
            comment="Encrypted with LEADBATON_SECRET_KEY.",
        ),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoints")),
        schema="routing",
        comment="Where webhooks go.",
    )
    op.create_table(
        "handoffs",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column("qualification", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column(
            "rule", sa.Text(), nullable=False, comment="The routing rule that named the team."
        ),
        sa.Column("rep", sa.Text(), nullable=True, comment="Who holds it, or held it last."),
        sa.Column(
            "calendar",
            sa.Text(),
            nullable=True,
            comment="The holder's own hours; by default the team's.",
        ),
        sa.Column("hop", sa.Integer(), nullable=False, comment="Counts assignees."),
        sa.Column("sequence", sa.Integer(), nullable=False, comment="Counts changes."),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column(
            "heat", sa.Integer(), nullable=False, comment="The tier's place; 0 is the hottest."
        ),
        sa.Column("qualified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True, comment="Of this hop."),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column(
            "lead",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The qualification as it was announced.",
        ),
        sa.Column("merged_into", sa.UUID(), nullable=True, comment="The live handoff that it met."),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
        sa.UniqueConstraint(
            "lead_id", "qualification", name=op.f("uq_handoffs_lead_id_qualification")
        ),
        schema="routing",
        comment="A qualified lead on its way from marketing to a rep: one row a qualification.",
    )
    op.create_index(
        "ix_handoffs_held",
        "handoffs",
        ["rep"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state in ('assigned', 'accepted', 'contacted')"),
    )
    op.create_index(
        "ix_handoffs_newest", "handoffs", ["qualified_at", "id"], unique=False, schema="routing"
    )
    op.create_index(
        "ix_handoffs_waiting",
        "handoffs",
        ["team", "heat", "qualified_at", "id"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "uq_handoffs_one_live_a_lead",
        "handoffs",
        ["lead_id"],
        unique=True,
        schema="routing",
        postgresql_where=sa.text("state in ('waiting', 'assigned', 'accepted', 'contacted')"),
    )
    op.create_table(
        "hops",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("hop", sa.Integer(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=True, comment="None while it waits for somebody."),
        sa.Column(
            "period", sa.Text(), nullable=True, comment="The period in which it counts for the rep."
        ),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("handoff_id", "hop", name=op.f("pk_hops")),
        schema="routing",
        comment="Each assignee of a handoff, with the whole decision.",
    )
    op.create_index(
        "ix_hops_rep_assigned_at", "hops", ["rep", "assigned_at"], unique=False, schema="routing"
    )
    op.create_table(
        "reps",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="Place in the file: the rank."),
        sa.Column("territories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("skills", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("segments", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("open_limit", sa.Integer(), nullable=True, comment="Most handoffs held at once."),
        sa.Column("per_day_limit", sa.Integer(), nullable=True, comment="Most assignments a day."),
        sa.Column(
            "hours",
            sa.Text(),
            nullable=True,
            comment="A calendar of the agreement; by default the team's.",
        ),
        sa.Column(
            "time_off",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[from, to], …], half-open.",
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("last_assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reps")),
        schema="routing",
        comment="Who may get leads, as the file of reps says.",
    )
    op.create_index(op.f("ix_reps_team"), "reps", ["team"], unique=False, schema="routing")
    op.create_table(
        "shares",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False, comment="2026-11, or ever"),
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("assigned", sa.Integer(), nullable=False),
        sa.Column(
            "credit", sa.Double(), nullable=False, comment="What others got during leave or before."
        ),
        sa.PrimaryKeyConstraint("team", "period", "rep", name=op.f("pk_shares")),
        schema="routing",
        comment="How many leads each rep has had of the team's, per period.",
    )
    op.create_table(
        "teams",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "review_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When somebody may become eligible next.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        schema="routing",
        comment="One row a team: the lock under which its leads are given out, one by one.",
    )
    op.create_index(
        "ix_teams_review_at",
        "teams",
        ["review_at"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("review_at is not null"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_teams_review_at",
        table_name="teams",
        schema="routing",
        postgresql_where=sa.text("review_at is not null"),
    )
    op.drop_table("teams", schema="routing")
    op.drop_table("shares", schema="routing")
    op.drop_index(op.f("ix_reps_team"), table_name="reps", schema="routing")
    op.drop_table("reps", schema="routing")
    op.drop_index("ix_hops_rep_assigned_at", table_name="hops", schema="routing")
    op.drop_table("hops", schema="routing")
    op.drop_index(
        "uq_handoffs_one_live_a_lead",
        table_name="handoffs",
        schema="routing",
        postgresql_where=sa.text("state in ('waiting', 'assigned', 'accepted', 'contacted')"),
    )
    op.drop_index(
        "ix_handoffs_waiting",
        table_name="handoffs",
        schema="routing",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index("ix_handoffs_newest", table_name="handoffs", schema="routing")
    op.drop_index(
        "ix_handoffs_held",
        table_name="handoffs",
        schema="routing",
        postgresql_where=sa.text("state in ('assigned', 'accepted', 'contacted')"),
    )
    op.drop_table("handoffs", schema="routing")
    op.drop_table("endpoints", schema="routing")
    op.drop_index(
        "ix_deliveries_pending_of_endpoint",
        table_name="deliveries",
        schema="routing",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_index(
        "ix_deliveries_pending",
        table_name="deliveries",
        schema="routing",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_index(op.f("ix_deliveries_handoff_id"), table_name="deliveries", schema="routing")
    op.drop_table("deliveries", schema="routing")
    op.drop_table("changes", schema="routing")
    op.drop_table("attempts", schema="routing")
    op.execute("drop schema routing")
