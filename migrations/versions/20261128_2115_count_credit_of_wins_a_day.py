"""Count the credit of wins by the day of the win. Every day of a win is marked at first, so that reports are exact."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alignment_14"
down_revision = "messaging_backfills_01"
branch_labels = None
depends_on = None

MODELS = ("first", "last", "linear", "time_decay", "u_shaped", "w_shaped", "full_path")
ROWS = {
    "insert": "(select * from rows_after)",
    "update": "(select * from rows_before union all select * from rows_after)",
    "delete": "(select * from rows_before)",
}
TRANSITIONS = {
    "insert": "new table as rows_after",
    "update": "old table as rows_before new table as rows_after",
    "delete": "old table as rows_before",
}
DAYS_OF_WINS = """
    select distinct cast(closed_at at time zone 'UTC' as date)
    from {rows} as won where outcome = 'won' and closed_at is not null
"""
# The wins are looked up row by row, which offset makes sure of. Who stores touches has locked their handoff: a win is
# either seen here, or stored later and marks its day itself.
DAYS_OF_TOUCHES = """
    select distinct day from (
        select touched.lead_id, touched.qualification, touched.known_at, touched.touches,
            cast(won.closed_at at time zone 'UTC' as date) as day
        from {rows} as touched cross join lateral (
            select handoff.closed_at from alignment.handoffs as handoff
            where handoff.lead_id = touched.lead_id and handoff.qualification = touched.qualification
                and handoff.outcome = 'won' and handoff.closed_at is not null
            offset 0
        ) as won
    ) as of_win
    group by day, lead_id, qualification, known_at, touches having count(*) = 1
"""
MARK = """
    create function alignment.{name}() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
    begin
        insert into alignment.stale_credits (day) {days};
        return null;
    end
    $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    create_tables()
    create_triggers("handoffs", DAYS_OF_WINS)
    create_triggers("touches", DAYS_OF_TOUCHES)
    # the triggers' locks keep all other transactions from writing until this one is committed
    op.execute(
        f"insert into alignment.stale_credits (day) {DAYS_OF_WINS.format(rows='alignment.handoffs')}"
    )


def create_tables() -> None:
    op.create_table(
        "daily_credits",
        sa.Column(
            "counted_on", sa.Date(), nullable=False, comment="When the leads were won, in UTC."
        ),
        sa.Column("field", sa.Text(), nullable=False, comment="campaign or channel"),
        sa.Column(
            "is_touched", sa.Boolean(), nullable=False, comment="False: wins without a touch."
        ),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="Empty: touches that name none, or no touch.",
        ),
        sa.Column("currency", sa.Text(), nullable=False),
        *(sa.Column(f"{it}_cents", sa.Numeric(30, 0), nullable=False) for it in MODELS),
        *(sa.Column(f"{it}_wins", sa.Integer(), nullable=False) for it in MODELS),
        sa.PrimaryKeyConstraint(
            "counted_on",
            "field",
            "is_touched",
            "name",
            "currency",
            name=op.f("pk_daily_credits"),
        ),
        schema="alignment",
        comment="What campaigns and channels are credited with by each model, of days in credit_days.",
    )
    op.create_table(
        "credit_days",
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column(
            "terms",
            sa.Text(),
            nullable=False,
            comment="By which it was counted; the credit of other terms is not read.",
        ),
        sa.Column("won", sa.Integer(), nullable=False, comment="Wins of the day."),
        sa.Column(
            "unknown", sa.Integer(), nullable=False, comment="Of them those without an amount."
        ),
        sa.PrimaryKeyConstraint("counted_on", name=op.f("pk_credit_days")),
        schema="alignment",
        comment="The days whose wins are counted in daily_credits.",
    )
    op.create_table(
        "stale_credits",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="In UTC."),
        sa.Column(
            "marked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stale_credits")),
        schema="alignment",
        comment="Days of wins that have changed, or whose touches have, since they were counted; triggers add them.",
    )
    op.create_index("ix_stale_credits_day", "stale_credits", ["day"], schema="alignment")


def create_triggers(table: str, days: str) -> None:
    """One function and one trigger a kind of statement, which sees all rows of the statement."""
    statements = {kind: days.format(rows=it) for kind, it in ROWS.items()}
    statements["truncate"] = "select counted_on from alignment.credit_days"
    for kind, statement in statements.items():
        name = f"mark_credits_of_{kind}s_of_{table}"
        op.execute(MARK.format(name=name, days=statement))
        referencing = "" if kind == "truncate" else f"referencing {TRANSITIONS[kind]} "
        op.execute(
            f"create trigger {name} after {kind} on alignment.{table} {referencing}"
            f"for each statement execute function alignment.{name}()"
        )


def downgrade() -> None:
    for table in ("handoffs", "touches"):
        for kind in (*ROWS, "truncate"):
            op.execute(f"drop function alignment.mark_credits_of_{kind}s_of_{table}() cascade")
    for name in ("stale_credits", "credit_days", "daily_credits"):
        op.drop_table(name, schema="alignment")
