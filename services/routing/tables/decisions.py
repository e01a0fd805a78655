"""The tables of what happened to handoffs: allocations, the assignments decided in them, steps, and merges of leads."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, UUID

from services.routing.tables.schema import metadata

allocations = Table(
    "allocations",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("team", Text, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("agreement_version", Integer, nullable=False, comment="By which the team counted."),
    Column("roster_id", BigInteger, nullable=False),
    Column("base_id", BigInteger, comment="The allocation that has the other loads; None: this."),
    Column(
        "rep_loads",
        JSON,
        nullable=False,
        comment="[[rep, open, today, assigned, credit, last_assigned_at, counted], …], all or those unlike the base's.",
    ),
    Column("reps", ARRAY(Text), nullable=False, comment="Who got a lead, in order."),
    Index("ix_allocations_whole", "team", "id", postgresql_where=text("base_id is null")),
    comment="Leads of a team assigned together: what all their decisions were made from.",
)

assignments = Table(
    "assignments",
    metadata,
    Column("handoff_id", UUID(as_uuid=True), primary_key=True),
    Column("hop", Integer, primary_key=True),
    Column("rep", Text, comment="None while it waits for somebody."),
    Column("period", Text, comment="The period in which it counts for the rep."),
    Column("assigned_at", DateTime(timezone=True)),
    Column("allocation_id", BigInteger, nullable=False, comment="In which it was decided."),
    Column("position", Integer, comment="How many leads of the allocation came before it."),
    Column("strategy", Text, comment="The rule's, or owner, sticky, named or forced."),
    Column("rule", Text),
    Column("agreement_version", Integer),
    Column("previous_rep", Text, comment="Who had held an earlier handoff of the lead."),
    Column(
        "refused_by", ARRAY(Text), comment="Reps who had refused the lead, or lost it otherwise."
    ),
    Column("owner", Text, comment="Who owned the lead's account."),
    Index("ix_assignments_waiting", "allocation_id", postgresql_where=text("rep is null")),
    comment="Each assignee of a handoff, with what explains the decision.",
)

changes = Table(
    "changes",
    metadata,
    Column("handoff_id", UUID(as_uuid=True), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("change", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False, comment="leadbaton, rep/ID or ops/WHO"),
    Column("hop", Integer, nullable=False),
    Column("rep", Text, comment="Who holds it after the change."),
    Column("details", JSONB, comment="The reason, the outcome and the like."),
    comment="The life of each handoff, as it was announced on handoffs.changed, with the notes of reps.",
)

merged_leads = Table(
    "merged_leads",
    metadata,
    Column("lead_id", UUID(as_uuid=True), primary_key=True, comment="The lead that was merged."),
    Column("survivor", UUID(as_uuid=True), nullable=False, index=True, comment="Where it belongs."),
    comment="Leads that were merged into others, and had qualified before.",
)
