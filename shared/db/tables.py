"""The tables that all services share, in the schema `messaging`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""The names of constraints in every schema, so that migrations can refer to them."""

metadata = MetaData(schema="messaging", naming_convention=NAMES)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSONB, nullable=False, comment="[[name, value in base64], …]"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("published_at", DateTime(timezone=True)),
    Column("topic_id", UUID(as_uuid=True), comment="The log that it was published to."),
    Column("partition", Integer),
    Column("log_offset", BigInteger),
    Index("ix_outbox_unpublished", "id", postgresql_where=text("published_at is null")),
    Index(
        "ix_outbox_published",
        "topic",
        "topic_id",
        "partition",
        "log_offset",
        postgresql_where=text("published_at is not null"),
    ),
    comment="Records that a transaction publishes; kept until every group has consumed them.",
)

offsets = Table(
    "offsets",
    metadata,
    Column("consumer_group", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("topic_id", UUID(as_uuid=True), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="The next offset of each group, moved in the transaction that handles the records.",
)

lags = Table(
    "lags",
    metadata,
    Column("consumer_group", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("records", BigInteger, nullable=False, comment="Records that are not processed."),
    Column("oldest_at", DateTime(timezone=True), comment="When the first of them was written."),
    Column("measured_at", DateTime(timezone=True), nullable=False),
    comment="How far each group is behind, as the relay has measured it last.",
)

backfills = Table(
    "backfills",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True), comment="Null: it still runs."),
    comment="Topics on which things of before the topic are announced after an upgrade.",
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("consumer_group", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("topic_id", UUID(as_uuid=True), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("log_offset", BigInteger, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSONB, nullable=False, comment="[[name, value in base64], …]"),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("failed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("replayed_at", DateTime(timezone=True)),
    UniqueConstraint(
        "consumer_group",
        "topic",
        "topic_id",
        "partition",
        "log_offset",
        name="uq_dead_letters_record",
    ),
    Index(
        "ix_dead_letters_unreplayed", "topic", "code", postgresql_where=text("replayed_at is null")
    ),
    comment="Records that cannot be handled, with unchanged bytes and the reason.",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True, comment="The key's public part."),
    Column("secret_hash", LargeBinary, nullable=False, comment="SHA-256 of the whole key."),
    Column("scope", Text, nullable=False, comment="ingest, rep, ops or read"),
    Column(
        "subject", Text, nullable=False, comment="The source, the rep, or the owner of an ops key."
    ),
    Column("origins", ARRAY(Text), nullable=False, server_default="{}", comment="CORS allow-list."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column(
        "suspended_at",
        DateTime(timezone=True),
        comment="The time since which its rep is not active.",
    ),
    comment="Keys of the APIs; only a hash of each key is stored.",
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="SHA-256 of the token."),
    Column("scope", Text, nullable=False, comment="rep or ops"),
    Column("subject", Text, nullable=False, comment="The rep, or the name of the ops key's user."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
    Column("key_id", Text, comment="The key that it gave."),
    comment="Links that sign somebody in to the console, once; kept until their keys have ended.",
)

agreements = Table(
    "agreements",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False, comment="The file as published."),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the file."),
    Column("published_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("published_by", Text, nullable=False),
    Column("note", Text, nullable=False, server_default="", comment="What changes, and why."),
    Column(
        "holidays",
        JSONB(none_as_null=True),
        comment="The dates of its holiday sets as they were when it was published; null in older versions.",
    ),
    comment="Published versions of the agreement; never changed.",
)

condition_failures = Table(
    "condition_failures",
    metadata,
    Column(
        "consumer_group",
        Text,
        primary_key=True,
        comment="The group of the workers that evaluated it.",
    ),
    Column("rule", Text, primary_key=True, comment="scoring.signals.pricing.when"),
    Column("cause", Text, primary_key=True, comment="work, iterations or error"),
    Column(
        "failures", BigInteger, nullable=False, comment="The number of failures since first_at."
    ),
    Column("first_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    comment="Conditions of the agreement that could not be evaluated and were taken as false.",
)
