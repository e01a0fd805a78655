"""The tables of this service, in the schema `routing`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, UUID

from services.routing.tables.absences import absences
from services.routing.tables.accounts import accounts, staged_accounts
from services.routing.tables.applied_terms import applied_terms
from services.routing.tables.capacity import capacity_plans
from services.routing.tables.decisions import allocations, assignments, changes, merged_leads
from services.routing.tables.endpoints import breakers, endpoints
from services.routing.tables.escalations import broken_promises, escalations
from services.routing.tables.ops import rerouted_handoffs, reroutes, views
from services.routing.tables.schema import metadata

__all__ = [
    "HELD",
    "absences",
    "accounts",
    "allocations",
    "applied_terms",
    "assignments",
    "attempts",
    "breakers",
    "broken_promises",
    "capacity_plans",
    "changes",
    "deliveries",
    "endpoints",
    "escalations",
    "handoffs",
    "merged_leads",
    "metadata",
    "reps",
    "rerouted_handoffs",
    "reroutes",
    "rosters",
    "staged_accounts",
    "teams",
    "views",
]

HELD = ("assigned", "accepted", "contacted")
"""States in which a rep holds the handoff: what counts against open capacity."""

teams = Table(
    "teams",
    metadata,
    Column("id", Text, primary_key=True),
    Column("review_at", DateTime(timezone=True), comment="When somebody may become eligible next."),
    Index("ix_teams_review_at", "review_at", postgresql_where=text("review_at is not null")),
    comment="One row a team: the lock under which its leads are assigned, one by one.",
)

reps = Table(
    "reps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("team", Text, nullable=False, index=True),
    Column("position", Integer, nullable=False, comment="Position in the file: the rank."),
    Column("territories", ARRAY(Text), nullable=False),
    Column("languages", ARRAY(Text), nullable=False),
    Column("skills", ARRAY(Text), nullable=False),
    Column("segments", ARRAY(Text), nullable=False),
    Column("weight", Double, nullable=False),
    Column("open_limit", Integer, comment="Most handoffs held at once."),
    Column("per_day_limit", Integer, comment="Most assignments a day."),
    Column("hours", Text, comment="A calendar of the agreement; by default the team's."),
    Column("time_off", JSONB, nullable=False, comment="[[from, to], …], half-open."),
    Column("active", Boolean, nullable=False),
    Column("last_assigned_at", DateTime(timezone=True)),
    Column("open", Integer, nullable=False, server_default="0", comment="Handoffs held now."),
    Column("today", Integer, nullable=False, server_default="0", comment="Got on that day."),
    Column("today_on", Date, comment="The team's day that `today` counts."),
    Column("period", Text, comment="2026-11, or ever: what `assigned` and `credit` count."),
    Column("assigned", Integer, nullable=False, server_default="0"),
    Column("credit", Double, nullable=False, server_default="0", comment="For leave and joining."),
    comment="Who may get leads, as the file of reps says, and what each has had.",
    postgresql_with={"fillfactor": 50},  # every allocation writes counts
)

rosters = Table(
    "rosters",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("reps", JSON, nullable=False, comment="Each as in `reps`, but for what is counted."),
    comment="All reps as an import left them; the newest is in force. It never changes.",
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("lead_id", UUID(as_uuid=True), nullable=False),
    Column("qualification", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("rule", Text, nullable=False, comment="The routing rule that named the team."),
    Column("rep", Text, comment="Who holds it, or held it last."),
    Column("calendar", Text, comment="The holder's own hours; by default the team's."),
    Column("hop", Integer, nullable=False, comment="Counts assignees."),
    Column("sequence", Integer, nullable=False, comment="Counts changes."),
    Column("tier", Text, nullable=False),
    Column(
        "tier_rank",
        Integer,
        nullable=False,
        comment="The tier's position in the agreement; 0 is the hottest.",
    ),
    Column("qualified_at", DateTime(timezone=True), nullable=False),
    Column("assigned_at", DateTime(timezone=True), comment="Of this hop."),
    Column("closed_at", DateTime(timezone=True)),
    Column("agreement_version", Integer, nullable=False),
    Column("lead", JSONB, nullable=False, comment="The qualification as it was announced."),
    Column("merged_into", UUID(as_uuid=True), comment="The live handoff that it met."),
    Column("paused_until", DateTime(timezone=True), comment="When its last pause is over."),
    Column("pause_reason", Text),
    Column(
        "pooled",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Returned to the pool by a ladder: it waits until ops assign it.",
    ),
    Column("traceparent", Text),
    UniqueConstraint("lead_id", "qualification"),
    Index(
        "uq_handoffs_one_live_a_lead",
        "lead_id",
        unique=True,
        postgresql_where=text("state in ('waiting', 'assigned', 'accepted', 'contacted')"),
    ),
    Index(
        "ix_handoffs_waiting",
        "team",
        "tier_rank",
        "qualified_at",
        "id",
        postgresql_include=["tier"],
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_handoffs_held",
        "rep",
        "team",
        "tier",
        "state",
        postgresql_where=text("state in ('assigned', 'accepted', 'contacted')"),
    ),
    Index(
        "ix_handoffs_live",
        "state",
        "qualified_at",
        "id",
        postgresql_where=text("state in ('waiting', 'assigned', 'accepted', 'contacted')"),
    ),
    Index("ix_handoffs_newest", "qualified_at", "id"),
    Index(
        "ix_handoffs_closed",
        "closed_at",
        "state",
        "rep",
        postgresql_where=text("closed_at is not null"),
    ),
    comment="A qualified lead on its way from marketing to a rep: one row a qualification.",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True, comment="The webhook-id of every attempt."),
    Column("position", BigInteger, Identity(), nullable=False),
    Column("endpoint", Text, nullable=False),
    Column(
        "handoff_id",
        UUID(as_uuid=True),
        index=True,
        comment="Null: it is about a campaign.",
    ),
    Column("hop", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="The exact bytes that are signed."),
    Column("traceparent", Text),
    Column("state", Text, nullable=False, comment="pending, delivered, exhausted or cancelled"),
    Column("attempt_count", SmallInteger, nullable=False, server_default="0"),
    Column(
        "attempts_before",
        SmallInteger,
        nullable=False,
        server_default="0",
        comment="Attempts before it was begun again by a redelivery.",
    ),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("lease_until", DateTime(timezone=True)),
    Column("leased_by", Text, comment="The worker, by its name across restarts."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True)),
    Column(
        "accept_due_at",
        DateTime(timezone=True),
        comment="When the accept clock of its assignment is due, if there is one.",
    ),
    Column(
        "fallback_at",
        DateTime(timezone=True),
        comment="When the fallback is notified if it is pending; null once that is done.",
    ),
    Column(
        "clock_id",
        UUID(as_uuid=True),
        comment="Of a message that waits for its receiver's hours: the clock of its promise.",
    ),
    Index("ix_deliveries_newest", "created_at", "position"),
    Index(
        "ix_deliveries_fallback_at",
        "endpoint",
        "fallback_at",
        postgresql_where=text("state = 'pending' and fallback_at is not null"),
    ),
    Index("ix_deliveries_of_endpoint", "endpoint", "created_at", "position"),
    Index(
        "ix_deliveries_given_up",
        "created_at",
        "position",
        postgresql_where=text("state in ('exhausted', 'cancelled')"),
    ),
    Index(
        "ix_deliveries_first_attempts",
        "endpoint",
        "next_attempt_at",
        postgresql_where=text("state = 'pending' and attempt_count = 0"),
    ),
    Index(
        "ix_deliveries_retries",
        "endpoint",
        "next_attempt_at",
        postgresql_where=text("state = 'pending' and attempt_count > 0"),
    ),
    Index(
        "ix_deliveries_pending_of_endpoint",
        "endpoint",
        "handoff_id",
        "position",
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_deliveries_on_their_way",
        "endpoint",
        postgresql_where=text("state = 'pending' and lease_until is not null"),
    ),
    comment="Notifications on their way to endpoints, until they are delivered or given up.",
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", UUID(as_uuid=True), primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("took_ms", Numeric(10, 1, asdecimal=False), nullable=False),
    Column("status", SmallInteger, comment="Of the response, if there was one."),
    Column("detail", Text, nullable=False, comment="The head of the response, or what went wrong."),
    comment="Each attempt of a delivery.",
)
