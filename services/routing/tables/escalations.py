"""The tables of what ladders do: their steps, and the promises that reps broke."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.routing.tables.schema import metadata

escalations = Table(
    "escalations",
    metadata,
    Column("id", Text, primary_key=True, comment="The id of the message that announced the step."),
    Column("handoff_id", UUID(as_uuid=True), nullable=False, index=True),
    Column("hop", Integer, nullable=False, comment="The hop that the step ends."),
    Column("rep", Text, nullable=False, comment="Who has the handoff in that hop."),
    Column("step", Text, nullable=False, comment="reassign, return_to_pool or set_unavailable"),
    Column("policy", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False, comment="When the step was due."),
    Column("clock", JSONB, comment="The change of the clock as it was announced."),
    Column("outcome", Text, comment="What came of it; None while it is pending."),
    Column("done_at", DateTime(timezone=True)),
    Index("ix_escalations_pending", "due_at", "id", postgresql_where=text("outcome is null")),
    comment="Steps of ladders that take handoffs from reps, and what came of each.",
)

broken_promises = Table(
    "broken_promises",
    metadata,
    Column("clock_id", UUID(as_uuid=True), primary_key=True),
    Column("handoff_id", UUID(as_uuid=True), nullable=False, index=True),
    Column("rep", Text, nullable=False),
    comment="The reps who broke promises of their hops: no step of a ladder gives them the lead again.",
)
