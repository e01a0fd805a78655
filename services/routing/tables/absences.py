"""The table of absences."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Table, Text

from services.routing.tables.schema import metadata

absences = Table(
    "absences",
    metadata,
    Column("rep", Text, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True), nullable=False, comment="2200: it is not known yet."),
    Column("actor", Text, nullable=False, comment="ops/WHO"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    comment="Time off that ops recorded beside the file of reps; imports keep it.",
)
