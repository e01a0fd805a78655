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
        "absences",
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="2200: it is not known yet.",
        ),
        sa.Column("actor", sa.Text(), nullable=False, comment="ops/WHO"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rep", name=op.f("pk_absences")),
        schema="routing",
        comment="Time off that ops recorded beside the file of reps; imports keep it.",
    )
    op.create_table(
        "accounts",
        sa.Column("domain", sa.Text(), nullable=False, comment="In lower case."),
        sa.Column("rep", sa.Text(), nullable=False, comment="Who owns it."),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_accounts")),
        schema="routing",
        comment="Companies with the reps who own them.",
    )
    op.create_index(
        "ix_accounts_rep", "accounts", ["rep", "domain"], unique=False, schema="routing"
    )
    op.create_table(
        "allocations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "agreement_version", sa.Integer(), nullable=False, comment="By which the team counted."
        ),
        sa.Column("roster_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "base_id",
            sa.BigInteger(),
            nullable=True,
            comment="The allocation that has the other loads; None: this.",
        ),
        sa.Column(
            "rep_loads",
            postgresql.JSON(astext_type=sa.Text()),
            nullable=False,
            comment="[[rep, open, today, assigned, credit, last_assigned_at, counted], …], all or "
            "those unlike the base's.",
        ),
        sa.Column(
            "reps", postgresql.ARRAY(sa.Text()), nullable=False, comment="Who got a lead, in order."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocations")),
        schema="routing",
        comment="Leads of a team assigned together: what all their decisions were made from.",
    )
    op.create_index(
        "ix_allocations_whole",
        "allocations",
        ["team", "id"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("base_id is null"),
    )
    op.create_table(
        "assignments",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("hop", sa.Integer(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=True, comment="None while it waits for somebody."),
        sa.Column(
            "period", sa.Text(), nullable=True, comment="The period in which it counts for the rep."
        ),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "allocation_id", sa.BigInteger(), nullable=False, comment="In which it was decided."
        ),
        sa.Column(
            "position",
            sa.Integer(),
            nullable=True,
            comment="How many leads of the allocation came before it.",
        ),
        sa.Column(
            "strategy",
            sa.Text(),
            nullable=True,
            comment="The rule's, or owner, sticky, named or forced.",
        ),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("agreement_version", sa.Integer(), nullable=True),
        sa.Column(
            "previous_rep",
            sa.Text(),
            nullable=True,
            comment="Who had held an earlier handoff of the lead.",
        ),
        sa.Column(
            "refused_by",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="Reps who had returned the lead to marketing.",
        ),
        sa.Column("owner", sa.Text(), nullable=True, comment="Who owned the lead's account."),
        sa.PrimaryKeyConstraint("handoff_id", "hop", name=op.f("pk_assignments")),
        schema="routing",
        comment="Each assignee of a handoff, with what explains the decision.",
    )
    op.create_index(
        "ix_assignments_waiting",
        "assignments",
        ["allocation_id"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("rep is null"),
    )
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
            "detail",
            sa.Text(),
            nullable=False,
            comment="The head of the response, or what went wrong.",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_attempts")),
        schema="routing",
        comment="Each attempt of a delivery.",
    )
    op.create_table(
        "breakers",
        sa.Column("id", sa.Text(), nullable=False, comment="host/HOST, or the endpoint's id"),
        sa.Column(
            "opened_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Null: closed, failures are counted.",
        ),
        sa.Column(
            "failures",
            sa.Integer(),
            nullable=False,
            comment="Failed attempts, one after the other.",
        ),
        sa.Column(
            "hangs",
            sa.Boolean(),
            nullable=False,
            comment="Attempts got no answer in time; else they were refused or failed at once.",
        ),
        sa.Column(
            "probe_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When one attempt may start again; put off by each that starts.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breakers")),
        schema="routing",
        comment="Hosts that hang, endpoints that hang or fail: one attempt at a time while it is open.",
    )
    op.create_table(
        "changes",
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="leadbaton, rep/ID or ops/WHO"),
        sa.Column("hop", sa.Integer(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=True, comment="Who holds it after the change."),
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="The reason, the outcome and the like.",
        ),
        sa.PrimaryKeyConstraint("handoff_id", "sequence", name=op.f("pk_changes")),
        schema="routing",
        comment="The life of each handoff, as it was announced on handoffs.changed, with the notes of reps.",
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.UUID(), nullable=False, comment="The webhook-id of every attempt."),
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
        sa.Column("attempt_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column(
            "attempts_before",
            sa.SmallInteger(),
            server_default="0",
            nullable=False,
            comment="Attempts before it was begun again by a redelivery.",
        ),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "leased_by",
            sa.Text(),
            nullable=True,
            comment="The worker, by its name across restarts.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "accept_due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the accept clock of its assignment is due, if there is one.",
        ),
        sa.Column(
            "fallback_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the fallback is notified if it is pending; null once that is done.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        schema="routing",
        comment="Notifications on their way to endpoints, until they are delivered or given up.",
    )
    op.create_index(
        "ix_deliveries_fallback_at",
        "deliveries",
        ["endpoint", "fallback_at"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state = 'pending' and fallback_at is not null"),
    )
    op.create_index(
        "ix_deliveries_first_attempts",
        "deliveries",
        ["endpoint", "next_attempt_at"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state = 'pending' and attempt_count = 0"),
    )
    op.create_index(
        "ix_deliveries_given_up",
        "deliveries",
        ["created_at", "position"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state in ('exhausted', 'cancelled')"),
    )
    op.create_index(
        op.f("ix_deliveries_handoff_id"),
        "deliveries",
        ["handoff_id"],
        unique=False,
        schema="routing",
    )
    op.create_index(
        "ix_deliveries_newest",
        "deliveries",
        ["created_at", "position"],
        unique=False,
        schema="routing",
    )
    op.create_index(
        "ix_deliveries_of_endpoint",
        "deliveries",
        ["endpoint", "created_at", "position"],
        unique=False,
        schema="routing",
    )
    op.create_index(
        "ix_deliveries_on_their_way",
        "deliveries",
        ["endpoint"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state = 'pending' and lease_until is not null"),
    )
    op.create_index(
        "ix_deliveries_pending_of_endpoint",
        "deliveries",
        ["endpoint", "handoff_id", "position"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_deliveries_retries",
        "deliveries",
        ["endpoint", "next_attempt_at"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state = 'pending' and attempt_count > 0"),
    )
    op.create_table(
        "endpoints",
        sa.Column("id", sa.Text(), nullable=False, comment="rep/ID, team/ID or ops"),
        sa.Column(
            "url", sa.LargeBinary(), nullable=False, comment="Encrypted with LEADBATON_SECRET_KEY."
        ),
        sa.Column(
            "host",
            sa.Text(),
            nullable=False,
            comment="The URL's host, with its port where that is neither 80 nor 443.",
        ),
        sa.Column("format", sa.Text(), nullable=False, comment="standard, slack or teams"),
        sa.Column(
            "secret",
            sa.LargeBinary(),
            nullable=False,
            comment="Encrypted with LEADBATON_SECRET_KEY.",
        ),
        sa.Column(
            "old_secrets",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="[[secret, until]]",
        ),
        sa.Column(
            "private_key",
            sa.LargeBinary(),
            nullable=True,
            comment="Of ed25519, encrypted like the secret.",
        ),
        sa.Column("public_key", sa.Text(), nullable=True, comment="Of the private key: whpk_…"),
        sa.Column(
            "old_keys",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="[[key, until]]",
        ),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column(
            "tested_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When a test of ops was sent last.",
        ),
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
            "tier_rank",
            sa.Integer(),
            nullable=False,
            comment="The tier's position in the agreement; 0 is the hottest.",
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
        sa.Column(
            "paused_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When its last pause is over.",
        ),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
        sa.UniqueConstraint(
            "lead_id", "qualification", name=op.f("uq_handoffs_lead_id_qualification")
        ),
        schema="routing",
        comment="A qualified lead on its way from marketing to a rep: one row a qualification.",
    )
    op.create_index(
        "ix_handoffs_closed",
        "handoffs",
        ["closed_at", "state", "rep"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("closed_at is not null"),
    )
    op.create_index(
        "ix_handoffs_held",
        "handoffs",
        ["rep", "team", "tier", "state"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state in ('assigned', 'accepted', 'contacted')"),
    )
    op.create_index(
        "ix_handoffs_live",
        "handoffs",
        ["state", "qualified_at", "id"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state in ('waiting', 'assigned', 'accepted', 'contacted')"),
    )
    op.create_index(
        "ix_handoffs_newest", "handoffs", ["qualified_at", "id"], unique=False, schema="routing"
    )
    op.create_index(
        "ix_handoffs_waiting",
        "handoffs",
        ["team", "tier_rank", "qualified_at", "id"],
        unique=False,
        schema="routing",
        postgresql_include=["tier"],
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
        "merged_leads",
        sa.Column("lead_id", sa.UUID(), nullable=False, comment="The lead that was merged."),
        sa.Column("survivor", sa.UUID(), nullable=False, comment="Where it belongs."),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_merged_leads")),
        schema="routing",
        comment="Leads that were merged into others, and had qualified before.",
    )
    op.create_index(
        op.f("ix_merged_leads_survivor"),
        "merged_leads",
        ["survivor"],
        unique=False,
        schema="routing",
    )
    op.create_table(
        "reps",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column(
            "position", sa.Integer(), nullable=False, comment="Position in the file: the rank."
        ),
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
        sa.Column(
            "open", sa.Integer(), server_default="0", nullable=False, comment="Handoffs held now."
        ),
        sa.Column(
            "today", sa.Integer(), server_default="0", nullable=False, comment="Got on that day."
        ),
        sa.Column(
            "today_on", sa.Date(), nullable=True, comment="The team's day that `today` counts."
        ),
        sa.Column(
            "period",
            sa.Text(),
            nullable=True,
            comment="2026-11, or ever: what `assigned` and `credit` count.",
        ),
        sa.Column("assigned", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "credit",
            sa.Double(),
            server_default="0",
            nullable=False,
            comment="For leave and joining.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reps")),
        schema="routing",
        comment="Who may get leads, as the file of reps says, and what each has had.",
        postgresql_with={"fillfactor": 50},
    )
    op.create_index(op.f("ix_reps_team"), "reps", ["team"], unique=False, schema="routing")
    op.create_table(
        "rerouted_handoffs",
        sa.Column("reroute_id", sa.UUID(), nullable=False),
        sa.Column(
            "position",
            sa.Integer(),
            nullable=False,
            comment="The order in which they are assigned.",
        ),
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.Column("hop", sa.Integer(), nullable=False, comment="The hop that the re-route ends."),
        sa.Column(
            "planned_rep",
            sa.Text(),
            nullable=True,
            comment="Who would have got it by the plan; None: it would wait.",
        ),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=True,
            comment="reassigned, waiting or skipped; None while it is pending.",
        ),
        sa.Column("rep", sa.Text(), nullable=True, comment="Who got it."),
        sa.PrimaryKeyConstraint("reroute_id", "position", name=op.f("pk_rerouted_handoffs")),
        schema="routing",
        comment="The handoffs of each re-route, with the plan and what became of it.",
    )
    op.create_index(
        "ix_rerouted_handoffs_pending",
        "rerouted_handoffs",
        ["reroute_id", "position"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("outcome is null"),
    )
    op.create_table(
        "reroutes",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=False, comment="Whose handoffs go to others."),
        sa.Column("actor", sa.Text(), nullable=False, comment="ops/WHO"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="planned, running, done or cancelled"
        ),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reroutes")),
        schema="routing",
        comment="Orders of ops to give a rep's handoffs to others: planned, confirmed, carried out.",
    )
    op.create_index(
        "ix_reroutes_planned_at", "reroutes", ["planned_at"], unique=False, schema="routing"
    )
    op.create_index(op.f("ix_reroutes_rep"), "reroutes", ["rep"], unique=False, schema="routing")
    op.create_index(
        "ix_reroutes_running",
        "reroutes",
        ["confirmed_at", "id"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "uq_reroutes_one_running_a_rep",
        "reroutes",
        ["rep"],
        unique=True,
        schema="routing",
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "rosters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "reps",
            postgresql.JSON(astext_type=sa.Text()),
            nullable=False,
            comment="Each as in `reps`, but for what is counted.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rosters")),
        schema="routing",
        comment="All reps as an import left them; the newest is in force. It never changes.",
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
        comment="One row a team: the lock under which its leads are assigned, one by one.",
    )
    op.create_index(
        "ix_teams_review_at",
        "teams",
        ["review_at"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("review_at is not null"),
    )
    op.create_table(
        "views",
        sa.Column("owner", sa.Text(), nullable=False, comment="ops/WHO or rep/ID"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "query", sa.Text(), nullable=False, comment="The query string of the list of handoffs."
        ),
        sa.Column("shared", sa.Boolean(), nullable=False, comment="Whether everybody sees it."),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "name", name=op.f("pk_views")),
        schema="routing",
        comment="Lists of handoffs that somebody saved under a name.",
    )
    op.create_index(
        "ix_views_shared",
        "views",
        ["name", "owner"],
        unique=False,
        schema="routing",
        postgresql_where=sa.text("shared"),
    )


def downgrade() -> None:
    op.execute("drop schema routing cascade")
