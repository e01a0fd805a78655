"""Keep the bytes of a refused event once, and a rejection that is repeated as one row with a count.

Rows of before keep their bytes and count from now on for the age limit: nothing is rewritten.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "scoring_03"
down_revision = "scoring_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "rejected_bodies",
        sa.Column(
            "digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of all of its bytes."
        ),
        sa.Column(
            "bytes", sa.LargeBinary(), nullable=False, comment="As they came; the first 32 KB."
        ),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_rejected_bodies")),
        schema="scoring",
        comment="What refused events hold, once however often and for whatever reasons it is refused.",
    )
    op.create_index(
        op.f("ix_rejected_bodies_last_received_at"),
        "rejected_bodies",
        ["last_received_at"],
        schema="scoring",
    )
    _widen_rejections()


def _widen_rejections() -> None:
    for column in (
        sa.Column(
            "body", sa.LargeBinary(), comment="The digest of its bytes in `rejected_bodies`."
        ),
        sa.Column(
            "key",
            sa.LargeBinary(),
            comment="SHA-256 of the source, the id, the reason and the body.",
        ),
        sa.Column(
            "count",
            sa.BigInteger(),
            nullable=False,
            server_default="1",
            comment="How often it came.",
        ),
        sa.Column(
            "last_received_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
        ),
    ):
        op.add_column("rejections", column, schema="scoring")
    op.alter_column(
        "rejections",
        "bytes",
        nullable=True,
        comment="In rows of versions that knew no `rejected_bodies`.",
        schema="scoring",
    )
    op.alter_column("rejections", "received_at", comment="The first time.", schema="scoring")
    op.create_unique_constraint(op.f("uq_rejections_key"), "rejections", ["key"], schema="scoring")
    op.create_index(
        "ix_rejections_last_received_at",
        "rejections",
        ["last_received_at", "id"],
        schema="scoring",
    )
    op.drop_index("ix_rejections_source", table_name="rejections", schema="scoring")
    op.create_index(
        "ix_rejections_source",
        "rejections",
        ["source", "last_received_at", "id"],
        schema="scoring",
    )


_BYTES_AGAIN = """
    update scoring.rejections set bytes = rejected_bodies.bytes
    from scoring.rejected_bodies where digest = body and rejections.bytes is null
"""


def downgrade() -> None:
    op.execute(_BYTES_AGAIN)
    op.drop_index("ix_rejections_source", table_name="rejections", schema="scoring")
    op.create_index("ix_rejections_source", "rejections", ["source", "id"], schema="scoring")
    op.drop_index("ix_rejections_last_received_at", table_name="rejections", schema="scoring")
    op.alter_column("rejections", "received_at", comment=None, schema="scoring")
    op.alter_column(
        "rejections",
        "bytes",
        nullable=False,
        comment="As they came; the first 32 KB.",
        schema="scoring",
    )
    for name in ("body", "key", "count", "last_received_at"):
        op.drop_column("rejections", name, schema="scoring")
    op.drop_table("rejected_bodies", schema="scoring")
