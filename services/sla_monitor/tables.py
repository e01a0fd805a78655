"""The tables of this service, in the schema `sla`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Interval,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from shared.db.tables import NAMES

metadata = MetaData(schema="sla", naming_convention=NAMES)

changes = Table(
    "changes",
    metadata,
    Column("handoff_id", UUID(as_uuid=True), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("payload", JSONB, nullable=False, comment="The change as routing announced it."),
    comment="The changes of each handoff, from which its clocks are derived.",
)

clocks = Table(
    "clocks",
    metadata,
    Column(
        "id", UUID(as_uuid=True), primary_key=True, comment="Derived from handoff, hop and policy."
    ),
    Column("handoff_id", UUID(as_uuid=True), nullable=False),
    Column("lead_id", UUID(as_uuid=True), nullable=False),
    Column("hop", Integer, nullable=False, comment="0 for a journey."),
    Column("policy", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("rep", Text),
    Column("tier", Text, nullable=False),
    Column("lead_name", Text, comment="Shown in lists of clocks."),
    Column("calendar", Text, nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("target", Interval, nullable=False, comment="Business time."),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("warn_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("due_on", Date, nullable=False, comment="In the calendar's zone: the cohort."),
    Column(
        "escalation_steps",
        JSONB,
        nullable=False,
        comment="[[instant, who is notified or what is done, whether that waits for their hours, seconds], …]",
    ),
    Column("state", Text, nullable=False, comment="running, met, late or cancelled"),
    Column("ended_at", DateTime(timezone=True), comment="When the change that ended it happened."),
    Column("ended_by", Text, comment="The change of the handoff that ended it."),
    Column("reported_at", DateTime(timezone=True), comment="When that change was recorded."),
    Column(
        "reported_late",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Met, and reported too late.",
    ),
    Column("spent", Interval, comment="Business time from the start to the end, without pauses."),
    Column(
        "paused_for",
        Interval,
        nullable=False,
        server_default=text("'0'::interval"),
        comment="Business time that pauses before the due time take out.",
    ),
    Column(
        "sources",
        ARRAY(Text),
        comment="Of the lead when it qualified; null where an older version stored the clock.",
    ),
    Column("campaign", Text, comment="Of the lead when it qualified."),
    Column("traceparent", Text),
    Column(
        "applied_at",
        DateTime(timezone=True),
        comment="When ops applied the version that it counts by, if it started under another.",
    ),
    Index("ix_clocks_handoff_id", "handoff_id"),
    Index("ix_clocks_started_at", "started_at", "id"),
    Index("ix_clocks_due_on", "due_on", postgresql_using="brin"),
    Index("ix_clocks_reported_late", "started_at", "id", postgresql_where=text("reported_late")),
    Index("ix_clocks_open", "due_at", "id", postgresql_where=text("ended_at is null")),
    Index(
        "ix_clocks_open_of_rep", "rep", "due_at", "id", postgresql_where=text("ended_at is null")
    ),
    Index(
        "ix_clocks_open_of_team", "team", "due_at", "id", postgresql_where=text("ended_at is null")
    ),
    Index(
        "ix_clocks_open_or_broken",
        "due_at",
        "id",
        postgresql_where=text("ended_at is null or ended_at > due_at"),
    ),
    comment="One row a clock: one promise, when it is due, and what became of it.",
)

timers = Table(
    "timers",
    metadata,
    Column("clock_id", UUID(as_uuid=True), primary_key=True),
    Column("fire_at", DateTime(timezone=True), comment="When something is due on it next."),
    Column("warned_at", DateTime(timezone=True)),
    Column("breached_at", DateTime(timezone=True), comment="due_at, however late it was detected."),
    Column("detected_at", DateTime(timezone=True)),
    Column("retracted_at", DateTime(timezone=True)),
    Column(
        "escalation_count",
        SmallInteger,
        nullable=False,
        comment="How many escalation steps were taken.",
    ),
    Column("paused_until", DateTime(timezone=True), comment="While paused: when that is over."),
    Index("ix_timers_fire_at", "fire_at", postgresql_where=text("fire_at is not null")),
    Index(
        "ix_timers_at_risk",
        "fire_at",
        "clock_id",
        postgresql_where=text(
            "warned_at is not null and breached_at is null and fire_at is not null"
        ),
    ),
    comment="What sweeps write, a row a clock, which is also the clock's lock: narrow and with few "
    "indexes, because a hundred thousand may be due at one instant.",
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("clock_id", UUID(as_uuid=True), primary_key=True),
    Column("acknowledged_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False, comment="ops/NAME"),
    Column("note", Text, nullable=False),
    comment="Breaches that ops know of, with their note; beside the clock, which sweeps rewrite.",
)

open_counts = Table(
    "open_counts",
    metadata,
    Column("team", Text, primary_key=True),
    Column("rep", Text, primary_key=True, comment="Empty while no rep has the handoff."),
    Column("tier", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("state", Text, primary_key=True, comment="running, at_risk, paused or breached"),
    Column("count", BigInteger, nullable=False),
    comment="How many clocks are open: changed in the transaction that changes the clock.",
    postgresql_with={"fillfactor": 50},  # every batch writes counts
)

recent_counts = Table(
    "recent_counts",
    metadata,
    Column(
        "since",
        DateTime(timezone=True),
        primary_key=True,
        comment="The start of the five minutes in which the promises were kept or broken.",
    ),
    Column("team", Text, primary_key=True),
    Column("outcome", Text, primary_key=True, comment="met or breached"),
    Column("count", BigInteger, nullable=False),
    comment="How many promises were kept and broken: changed in the transaction that changes the clock.",
)

tallies = Table(
    "tallies",
    metadata,
    Column(
        "rep",
        Text,
        primary_key=True,
        comment="Empty for a journey, which is the team's; * for all of them.",
    ),
    Column("tier", Text, primary_key=True, comment="* for all of them."),
    Column("due_on", Date, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column(
        "measure",
        Text,
        primary_key=True,
        comment="met, reported_late (of met), late, overdue, cancelled; business, wall",
    ),
    Column("bucket", SmallInteger, primary_key=True, comment="Of a time: 4 * log2(seconds + 1)."),
    Column("count", BigInteger, nullable=False),
    comment="Counts that reports read: changed in the transaction that changes the clock.",
)

source_tallies = Table(
    "source_tallies",
    metadata,
    Column("field", Text, primary_key=True, comment="source or campaign"),
    Column("tier", Text, primary_key=True, comment="* for all of them."),
    Column("due_on", Date, primary_key=True),
    Column(
        "name",
        Text,
        primary_key=True,
        comment="Of the source or the campaign; empty for leads without one.",
    ),
    Column("team", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("measure", Text, primary_key=True, comment="As in tallies."),
    Column("bucket", SmallInteger, primary_key=True, comment="As in tallies."),
    Column("count", BigInteger, nullable=False),
    comment="Counts that reports by source and campaign read, changed like tallies; a clock counts under each source.",
)

recounts = Table(
    "recounts",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False, comment="Always 1."),
    Column("night", Date, nullable=False, comment="The date, in UTC, of the night of the recount."),
    Column("next_on", Date, nullable=False, comment="The due date that is counted next."),
    Column("last_on", Date, nullable=False, comment="The due date that is counted last."),
    Column("clocks", BigInteger, nullable=False, comment="Counted in this night."),
    Column(
        "differences", BigInteger, nullable=False, comment="Tallies that were mended in this night."
    ),
    Column("finished_at", DateTime(timezone=True), comment="When a recount was last finished."),
    comment="How far the nightly recount of the tallies is, in one row.",
)

applications = Table(
    "applications",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("version", Integer, nullable=False, comment="Of the agreement."),
    Column("policy", Text, comment="The only policy that it concerns; null: all."),
    Column("actor", Text, nullable=False, comment="ops/NAME"),
    Column("state", Text, nullable=False, comment="running, done or replaced"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("position", UUID(as_uuid=True), comment="The last handoff that it has come to."),
    Column("handoffs", BigInteger, nullable=False, comment="That it has come to."),
    Column("effects", JSONB, nullable=False, comment="How many clocks, by what became of them."),
    Index(
        "uq_applications_running",
        text("(true)"),
        unique=True,
        postgresql_where=text("state = 'running'"),
    ),
    Index("ix_applications_started_at", "started_at", "id"),
    comment="Versions of the agreement that ops applied to running clocks, and how far that is.",
)

applied_versions = Table(
    "applied_versions",
    metadata,
    Column("handoff_id", UUID(as_uuid=True), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("policy", Text, primary_key=True, comment="The only one that it concerns; empty: all."),
    Column("applied_at", DateTime(timezone=True), nullable=False),
    comment="From when on the clocks of a handoff count by another version of the agreement.",
)
