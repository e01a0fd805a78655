"""Create the tables that all services share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "messaging_01"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema messaging")
    op.create_table(
        "agreements",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="The file as published."),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the file."),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column(
            "note", sa.Text(), server_default="", nullable=False, comment="What changes, and why."
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_agreements")),
        schema="messaging",
        comment="Published versions of the agreement; never changed.",
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False, comment="The key's public part."),
        sa.Column(
            "secret_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the whole key."
        ),
        sa.Column("scope", sa.Text(), nullable=False, comment="ingest, rep, ops or read"),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="The source, the rep, or the owner of an ops key.",
        ),
        sa.Column(
            "origins",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="CORS allow-list.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "suspended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The time since which its rep is not active.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        schema="messaging",
        comment="Keys of the APIs; only a hash of each key is stored.",
    )
    op.create_table(
        "condition_failures",
        sa.Column(
            "consumer_group",
            sa.Text(),
            nullable=False,
            comment="The group of the workers that evaluated it.",
        ),
        sa.Column("rule", sa.Text(), nullable=False, comment="scoring.signals.pricing.when"),
        sa.Column("cause", sa.Text(), nullable=False, comment="work, iterations or error"),
        sa.Column(
            "failures",
            sa.BigInteger(),
            nullable=False,
            comment="The number of failures since first_at.",
        ),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "consumer_group", "rule", "cause", name=op.f("pk_condition_failures")
        ),
        schema="messaging",
        comment="Conditions of the agreement that could not be evaluated and were taken as false.",
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("topic_id", sa.UUID(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("log_offset", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column(
            "headers",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[name, value in base64], …]",
        ),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column(
            "failed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint(
            "consumer_group",
            "topic",
            "topic_id",
            "partition",
            "log_offset",
            name="uq_dead_letters_record",
        ),
        schema="messaging",
        comment="Records that cannot be handled, with unchanged bytes and the reason.",
    )
    op.create_index(
        "ix_dead_letters_unreplayed",
        "dead_letters",
        ["topic", "code"],
        unique=False,
        schema="messaging",
        postgresql_where=sa.text("replayed_at is null"),
    )
    op.create_table(
        "lags",
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column(
            "records", sa.BigInteger(), nullable=False, comment="Records that are not processed."
        ),
        sa.Column(
            "oldest_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the first of them was written.",
        ),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("consumer_group", "topic", name=op.f("pk_lags")),
        schema="messaging",
        comment="How far each group is behind, as the relay has measured it last.",
    )
    op.create_table(
        "offsets",
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("topic_id", sa.UUID(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "consumer_group", "topic", "topic_id", "partition", name=op.f("pk_offsets")
        ),
        schema="messaging",
        comment="The next offset of each group, moved in the transaction that handles the records.",
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column(
            "headers",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[name, value in base64], …]",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "topic_id", sa.UUID(), nullable=True, comment="The log that it was published to."
        ),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("log_offset", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        schema="messaging",
        comment="Records that a transaction publishes; kept until every group has consumed them.",
    )
    op.create_index(
        "ix_outbox_published",
        "outbox",
        ["topic", "topic_id", "partition", "log_offset"],
        unique=False,
        schema="messaging",
        postgresql_where=sa.text("published_at is not null"),
    )
    op.create_index(
        "ix_outbox_unpublished",
        "outbox",
        ["id"],
        unique=False,
        schema="messaging",
        postgresql_where=sa.text("published_at is null"),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token."),
        sa.Column("scope", sa.Text(), nullable=False, comment="rep or ops"),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="The rep, or the name of the ops key's user.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True, comment="The key that it gave."),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_links")),
        schema="messaging",
        comment="Links that sign somebody in to the console, once; kept until their keys have ended.",
    )


def downgrade() -> None:
    op.execute("drop schema messaging cascade")
