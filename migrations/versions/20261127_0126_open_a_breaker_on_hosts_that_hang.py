"""Group endpoints by host, keep which hosts and endpoints hang, and find what is due endpoint by endpoint."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "routing_06"
down_revision = "messaging_03"
branch_labels = None
depends_on = None

_HOST_OF_URL = (
    "lower(regexp_replace("
    "COALESCE(\"substring\"(url, '^[A-Za-z]+://(?:[^/?#@]*@)?([^/?#]+)'::text), url), "
    "'[.]?([:]80|[:]443)?$'::text, ''::text))"
)
_PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "endpoints",
        sa.Column(
            "host",
            sa.Text(),
            sa.Computed(_HOST_OF_URL, persisted=True),
            comment="The URL's host, with its port where that is neither 80 nor 443.",
        ),
        schema="routing",
    )
    op.create_table(
        "breakers",
        sa.Column("id", sa.Text(), nullable=False, comment="host/HOST, or the endpoint's id"),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "failures", sa.Integer(), nullable=False, comment="Tries without an answer, since then."
        ),
        sa.Column(
            "probe_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When one try may start again; put off by each that starts.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breakers")),
        schema="routing",
        comment="Hosts and endpoints that hang: one try at a time, until they answer.",
    )
    for name, attempts in (("first_tries", "attempts = 0"), ("retries", "attempts > 0")):
        op.create_index(
            f"ix_deliveries_{name}",
            "deliveries",
            ["endpoint", "next_attempt_at"],
            schema="routing",
            postgresql_where=sa.text(f"state = 'pending' and {attempts}"),
        )
    op.drop_index("ix_deliveries_pending", "deliveries", schema="routing")


def downgrade() -> None:
    op.create_index(
        "ix_deliveries_pending",
        "deliveries",
        ["next_attempt_at"],
        schema="routing",
        postgresql_where=_PENDING,
    )
    for name in ("retries", "first_tries"):
        op.drop_index(f"ix_deliveries_{name}", "deliveries", schema="routing")
    op.drop_table("breakers", schema="routing")
    op.drop_column("endpoints", "host", schema="routing")
