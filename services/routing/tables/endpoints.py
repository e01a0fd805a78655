"""Where webhooks go, and what holds them back from what hangs or fails."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.routing.tables.schema import metadata

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", Text, primary_key=True, comment="rep/ID, team/ID, ops or marketing"),
    Column("url", LargeBinary, nullable=False, comment="Encrypted with LEADBATON_SECRET_KEY."),
    Column(
        "host",
        Text,
        nullable=False,
        comment="The URL's host, with its port where that is neither 80 nor 443.",
    ),
    Column("format", Text, nullable=False, comment="standard, slack or teams"),
    Column("secret", LargeBinary, nullable=False, comment="Encrypted with LEADBATON_SECRET_KEY."),
    Column("old_secrets", JSONB, nullable=False, server_default="[]", comment="[[secret, until]]"),
    Column("private_key", LargeBinary, comment="Of ed25519, encrypted like the secret."),
    Column("public_key", Text, comment="Of the private key: whpk_…"),
    Column("old_keys", JSONB, nullable=False, server_default="[]", comment="[[key, until]]"),
    Column("disabled_at", DateTime(timezone=True)),
    Column("disabled_reason", Text),
    Column("tested_at", DateTime(timezone=True), comment="When a test of ops was sent last."),
    comment="Where webhooks go.",
)

breakers = Table(
    "breakers",
    metadata,
    Column("id", Text, primary_key=True, comment="host/HOST, or the endpoint's id"),
    Column("opened_at", DateTime(timezone=True), comment="Null: closed, failures are counted."),
    Column("failures", Integer, nullable=False, comment="Failed attempts, one after the other."),
    Column(
        "hangs",
        Boolean,
        nullable=False,
        comment="Attempts got no answer in time; else they were refused or failed at once.",
    ),
    Column(
        "probe_at",
        DateTime(timezone=True),
        nullable=False,
        comment="When one attempt may start again; put off by each that starts.",
    ),
    comment="Hosts that hang, endpoints that hang or fail: one attempt at a time while it is open.",
)
