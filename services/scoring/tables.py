"""The tables of this service, in the schema `scoring`."""

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
    Table,
    Text,
)

from shared.db.tables import NAMES

metadata = MetaData(schema="scoring", naming_convention=NAMES)

rejections = Table(
    "rejections",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False, comment="Whose key it came with."),
    Column("event_id", Text, comment="The sender's id, if it could be read."),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("size", Integer, nullable=False, comment="Bytes as they came."),
    Column("bytes", LargeBinary, nullable=False, comment="As they came; the first 32 KB."),
    Index("ix_rejections_source", "source", "id"),
    comment="Events that were refused, with the reason, so that nobody has to guess.",
)
