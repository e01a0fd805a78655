"""Keep which versions of the agreement ops apply to running clocks, how far that is, and since when they count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "sla_06"
down_revision = "alignment_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "clocks",
        sa.Column(
            "applied_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When ops applied the version that it counts by, if it started under another.",
        ),
        schema="sla",
    )
    _create_applications()
    _create_applied_versions()


def downgrade() -> None:
    op.drop_table("applied_versions", schema="sla")
    op.drop_table("applications", schema="sla")
    op.drop_column("clocks", "applied_at", schema="sla")


def _create_applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="Of the agreement."),
        sa.Column(
            "policy",
            sa.Text(),
            nullable=True,
            comment="The only policy that it concerns; null: all.",
        ),
        sa.Column("actor", sa.Text(), nullable=False, comment="ops/NAME"),
        sa.Column("state", sa.Text(), nullable=False, comment="running, done or replaced"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "position",
            postgresql.UUID(as_uuid=True),
            nullable=True,
            comment="The last handoff that it has come to.",
        ),
        sa.Column("handoffs", sa.BigInteger(), nullable=False, comment="That it has come to."),
        sa.Column(
            "effects",
            postgresql.JSONB(),
            nullable=False,
            comment="How many clocks, by what became of them.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        schema="sla",
        comment="Versions of the agreement that ops applied to running clocks, and how far that is.",
    )
    op.create_index(
        "uq_applications_running",
        "applications",
        [sa.text("(true)")],
        unique=True,
        schema="sla",
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_applications_started_at",
        "applications",
        ["started_at", "id"],
        unique=False,
        schema="sla",
    )


def _create_applied_versions() -> None:
    op.create_table(
        "applied_versions",
        sa.Column("handoff_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "policy",
            sa.Text(),
            nullable=False,
            comment="The only one that it concerns; empty: all.",
        ),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "handoff_id", "version", "policy", name=op.f("pk_applied_versions")
        ),
        schema="sla",
        comment="From when on the clocks of a handoff count by another version of the agreement.",
    )
