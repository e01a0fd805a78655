"""The table of what ops applied to the promises of handoffs."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from services.routing.tables.schema import metadata

applied_terms = Table(
    "applied_terms",
    metadata,
    Column("handoff_id", UUID(as_uuid=True), primary_key=True),
    Column("agreement_version", Integer, primary_key=True),
    Column("ended_policy", Text, primary_key=True, comment="Empty: the version was applied."),
    Column("applied_at", DateTime(timezone=True), nullable=False),
    comment="Later versions of the agreement by which promises count, and policies that ended.",
)
