"""Count known and engaged leads a day; triggers mark the days of what changes. At first their days are stale."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alignment_09"
down_revision = "capacity_01"
branch_labels = None
depends_on = None

NAMES = ("source", "campaign", "channel", "persona")
DAYS = """
    insert into alignment.stale_days (day)
    select distinct cast(instant.at at time zone 'UTC' as date)
    from {rows} as lead cross join lateral (values (lead.known_at), (lead.engaged_at)) as instant(at)
    where instant.at is not null
"""
COUNTED_DAYS = (
    "insert into alignment.stale_days (day) select distinct counted_on from alignment.daily_leads"
)
ROWS = {
    "insert": "rows_after",
    "update": "(select * from rows_before union all select * from rows_after)",
    "delete": "rows_before",
}
TRANSITIONS = {
    "insert": "referencing new table as rows_after",
    "update": "referencing old table as rows_before new table as rows_after",
    "delete": "referencing old table as rows_before",
    "truncate": "",
}
STATEMENTS = {
    **{kind: DAYS.format(rows=rows) for kind, rows in ROWS.items()},
    "truncate": COUNTED_DAYS,
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "daily_leads",
        sa.Column("counted_on", sa.Date(), nullable=False, comment="When leads became so, in UTC."),
        *(sa.Column(it, sa.Text(), nullable=False, comment="Empty: unknown.") for it in NAMES),
        sa.Column(
            "known", sa.Integer(), nullable=False, comment="Leads that became known on the day."
        ),
        sa.Column("engaged", sa.Integer(), nullable=False),
        schema="alignment",
        comment="How many leads became known and engaged, which reports read of days that are not stale.",
    )
    op.create_index("ix_daily_leads_counted_on", "daily_leads", ["counted_on"], schema="alignment")
    for kind, statement in STATEMENTS.items():
        name = f"mark_{kind}s_of_leads"
        op.execute(
            f"create function alignment.{name}() returns trigger language plpgsql "
            "security definer set search_path = pg_catalog, pg_temp as "
            f"$$ begin {statement}; return null; end $$"
        )
        op.execute(
            f"create trigger {name} after {kind} on alignment.leads {TRANSITIONS[kind]} "
            f"for each statement execute function alignment.{name}()"
        )
    op.execute(DAYS.format(rows="alignment.leads"))


def downgrade() -> None:
    for kind in STATEMENTS:
        op.execute(f"drop function alignment.mark_{kind}s_of_leads() cascade")
    op.drop_table("daily_leads", schema="alignment")
