"""The tables of what people save and order: views, and re-routes of reps' handoffs."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from services.routing.tables.schema import metadata

views = Table(
    "views",
    metadata,
    Column("owner", Text, primary_key=True, comment="ops/WHO or rep/ID"),
    Column("name", Text, primary_key=True),
    Column("query", Text, nullable=False, comment="The query string of the list of handoffs."),
    Column("shared", Boolean, nullable=False, comment="Whether everybody sees it."),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    Index("ix_views_shared", "name", "owner", postgresql_where=text("shared")),
    comment="Lists of handoffs that somebody saved under a name.",
)

reroutes = Table(
    "reroutes",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("rep", Text, nullable=False, index=True, comment="Whose handoffs go to others."),
    Column("actor", Text, nullable=False, comment="ops/WHO"),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False, comment="planned, running, done or cancelled"),
    Column("planned_at", DateTime(timezone=True), nullable=False),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Index("ix_reroutes_planned_at", "planned_at"),
    Index("ix_reroutes_running", "confirmed_at", "id", postgresql_where=text("state = 'running'")),
    Index(
        "uq_reroutes_one_running_a_rep",
        "rep",
        unique=True,
        postgresql_where=text("state = 'running'"),
    ),
    comment="Orders of ops to give a rep's handoffs to others: planned, confirmed, carried out.",
)

rerouted_handoffs = Table(
    "rerouted_handoffs",
    metadata,
    Column("reroute_id", UUID(as_uuid=True), primary_key=True),
    Column("position", Integer, primary_key=True, comment="The order in which they are assigned."),
    Column("handoff_id", UUID(as_uuid=True), nullable=False),
    Column("hop", Integer, nullable=False, comment="The hop that the re-route ends."),
    Column("planned_rep", Text, comment="Who would have got it by the plan; None: it would wait."),
    Column("outcome", Text, comment="reassigned, waiting or skipped; None while it is pending."),
    Column("rep", Text, comment="Who got it."),
    Index(
        "ix_rerouted_handoffs_pending",
        "reroute_id",
        "position",
        postgresql_where=text("outcome is null"),
    ),
    comment="The handoffs of each re-route, with the plan and what became of it.",
)
