"""The table of what teams can take."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.routing.tables.schema import metadata

capacity_plans = Table(
    "capacity_plans",
    metadata,
    Column("team", Text, primary_key=True),
    Column("number", Integer, nullable=False, comment="Counts the plans of the team."),
    Column(
        "days",
        JSONB,
        nullable=False,
        comment="[[date, reps, leads, reps without a limit a day], …]",
    ),
    comment="What each team can take on the next dates, as it was announced last.",
)
