"""The tables of this service, in the schema `scoring`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR, UUID

from shared.db.tables import NAMES

metadata = MetaData(schema="scoring", naming_convention=NAMES)

leads = Table(
    "leads",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False, comment="The first event's arrival."),
    Column("version", Integer, nullable=False, comment="The agreement that its state is of."),
    Column("known", Boolean, nullable=False, comment="More than an anonymous visitor."),
    Column("stage", Text, nullable=False),
    Column("armed", Boolean, nullable=False, comment="Whether the threshold may qualify it."),
    Column(
        "rearm_at", DateTime(timezone=True), comment="When a recycled lead is armed by its wait."
    ),
    Column("disqualified_at", DateTime(timezone=True), comment="By a rep; null: it may qualify."),
    Column("qualification", Integer, nullable=False, comment="How often it qualified."),
    Column("fit", Double, nullable=False),
    Column("blocker", Text, comment="What keeps it from sales: incomplete, suppressed."),
    Column("review_at", DateTime(timezone=True), comment="When decay alone may change it."),
    Column("hand_raise", Text, comment="A hand-raise that no handoff has yet, as JSON."),
    Column(
        "known_at",
        DateTime(timezone=True),
        comment="The first event that names a person; null in known leads of older versions.",
    ),
    Column("active_at", DateTime(timezone=True), comment="The first event that was activity."),
    Column(
        "announced",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="How often it was announced as known, or engaged.",
    ),
    Column("live", JSONB, nullable=False, comment="Qualifications that sales has not closed."),
    Column("profile", JSON, nullable=False, comment="What its events give, as sums."),
    Column("merged_into", UUID(as_uuid=True), comment="The lead that has its events now."),
    Index("ix_leads_review_at", "review_at", postgresql_where=text("review_at is not null")),
    Index("ix_leads_merged_into", "merged_into", postgresql_where=text("merged_into is not null")),
    Index(
        "ix_leads_known_before",
        "since",
        postgresql_where=text("known and known_at is null and merged_into is null"),
    ),
    Index("ix_leads_version", "version", postgresql_where=text("merged_into is null")),
    comment="One row a person; its state is a function of its events, kept incrementally.",
)

lead_words = Table(
    "lead_words",
    metadata,
    Column("lead_id", UUID(as_uuid=True), primary_key=True),
    Column("words", TSVECTOR, nullable=False, comment="In lower case and without accents."),
    Index("ix_lead_words_words", "words", postgresql_using="gin"),
    comment="The words of a lead's name, company and e-mail addresses, by which it is searched for.",
)

identities = Table(
    "identities",
    metadata,
    Column("key", Text, primary_key=True, comment="email/…, user/source/…, phone/…, anonymous/…"),
    Column("lead_id", UUID(as_uuid=True), nullable=False, index=True),
    comment="Which lead an identity belongs to; never one that was merged into another.",
)

events = Table(
    "events",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("lead_id", UUID(as_uuid=True), nullable=False),
    Column("type", Text, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("channel", Text, comment="Of a touch, by the agreement of then; null: it is none."),
    Column("campaign", Text, comment="Of a touch."),
    Index("ix_events_lead_id_time", "lead_id", "time"),
    Index("ix_events_touches", "lead_id", "time", postgresql_where=text("channel is not null")),
    Index(
        "ix_events_time", "time", postgresql_using="brin", postgresql_with={"autosummarize": "on"}
    ),
    comment="The ledger: every event once; what all scores can be computed from again.",
)

stages = Table(
    "stages",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("lead_id", UUID(as_uuid=True), nullable=False, index=True),
    Column("stage", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_stages_qualified", "at", "lead_id", postgresql_where=text("stage = 'qualified'")),
    comment="Each step of a lead, with its cause.",
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("sequence", Integer, nullable=False, comment="The last change that was taken in."),
    comment="How far scoring has followed each handoff, so that a change counts once.",
)

holdings = Table(
    "holdings",
    metadata,
    Column("handoff_id", UUID(as_uuid=True), primary_key=True),
    Column("rep", Text, primary_key=True),
    Column("lead_id", UUID(as_uuid=True), nullable=False, index=True),
    Column(
        "until", DateTime(timezone=True), comment="When scoring learned that the rep had lost it."
    ),
    Index("ix_holdings_rep", "rep", "lead_id"),
    comment="The reps who hold a lead's handoffs or held them: what their keys may see.",
)

rejections = Table(
    "rejections",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False, comment="The source that sent it."),
    Column("event_id", Text, comment="The sender's id, if it could be read."),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="The first time."),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column(
        "format",
        Text,
        nullable=False,
        server_default="native",
        comment="How its bytes are read: native, segment/…",
    ),
    Column("size", Integer, nullable=False, comment="Bytes as they came."),
    Column("bytes", LargeBinary, comment="In rows of versions that knew no `rejected_bodies`."),
    Column("body", LargeBinary, comment="The digest of its bytes in `rejected_bodies`."),
    Column("key", LargeBinary, comment="SHA-256 of the source, the id, the reason and the body."),
    Column("count", BigInteger, nullable=False, server_default="1", comment="How often it came."),
    Column("last_received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("key"),
    Index("ix_rejections_last_received_at", "last_received_at", "id"),
    Index("ix_rejections_source", "source", "last_received_at", "id"),
    comment="Events that were refused, with the reason.",
)

event_counts = Table(
    "event_counts",
    metadata,
    Column("hour", DateTime(timezone=True), primary_key=True, comment="Its beginning, in UTC."),
    Column("source", Text, primary_key=True),
    Column(
        "counter",
        Integer,
        primary_key=True,
        comment="Several of a source in an hour, so that workers do not wait for each other.",
    ),
    Column(
        "accepted", BigInteger, nullable=False, server_default="0", comment="How many were added."
    ),
    Column(
        "repeated",
        BigInteger,
        nullable=False,
        comment="How many came again and counted for nothing.",
    ),
    comment="How many events of a source were added, or came again, in an hour.",
)

rejected_bodies = Table(
    "rejected_bodies",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of all of its bytes."),
    Column("bytes", LargeBinary, nullable=False, comment="As they came; the first 32 KB."),
    Column("last_received_at", DateTime(timezone=True), nullable=False, index=True),
    comment="The bytes of refused events, stored once however often they are refused.",
)
