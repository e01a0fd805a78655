"""Count stale days anew: triggers mark the days of what changes. At first every day is stale, so reports are exact.

What older versions keep (`tallies`, `tally_changes`, `categories`, `promise_links`, `recounts`, and two columns of
`handoffs`) stays for their processes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alignment_08"
down_revision = "scoring_04"
branch_labels = None
depends_on = None

NAMES = ("team", "tier", "source", "campaign", "channel", "persona", "rep")
STAGES = (
    "qualified", "assigned", "accepted", "rejected", "contacted", "won", "lost", "recycled", "merged",
)  # fmt: skip
EMPTY = "Empty: unknown, or not of the field."

DAYS_OF_HANDOFFS = """
    select distinct cast(instant.at at time zone 'UTC' as date)
    from {rows} as handoff cross join lateral (values
        (handoff.qualified_at), (handoff.accepted_at), (handoff.rejected_at), (handoff.contacted_at),
        (handoff.closed_at)
    ) as instant(at)
    where instant.at is not null
"""
DAYS_OF_PROMISES = "select distinct due_on from {rows} as promise where due_on is not null"
ROWS_OF_UPDATE = "(select * from rows_before union all select * from rows_after)"
ROWS = {"insert": "rows_after", "update": ROWS_OF_UPDATE, "delete": "rows_before"}
TRANSITIONS = {
    "insert": "new table as rows_after",
    "update": "old table as rows_before new table as rows_after",
    "delete": "old table as rows_before",
}

MARK = """
    create function alignment.{name}() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
    begin
        {statements}
        return null;
    end
    $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for column, comment in (
        (
            "promises",
            "{policy: [met, broken]}, which only older versions read, as they do category_id.",
        ),
        ("category_id", None),
    ):
        op.alter_column("handoffs", column, comment=comment, schema="alignment")
    op.create_table(
        "stale_days",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="In UTC."),
        sa.Column(
            "marked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stale_days")),
        schema="alignment",
        comment="Days on which something is dated that has changed since they were counted; triggers add them.",
    )
    op.create_table(
        "stale_handoffs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stale_handoffs")),
        schema="alignment",
        comment="Handoffs about which promises have changed: the days on which their leads qualified are stale.",
    )
    create_daily_tallies()
    create_triggers()
    mark_all_days()


def create_daily_tallies() -> None:
    op.create_table(
        "daily_tallies",
        sa.Column(
            "counted_on", sa.Date(), nullable=False, comment="When the leads qualified, in UTC."
        ),
        sa.Column(
            "field",
            sa.Text(),
            nullable=False,
            comment="By what the handoffs are summed: team, …, or category, which is all but the rep.",
        ),
        *(sa.Column(it, sa.Text(), nullable=False, comment=EMPTY) for it in NAMES),
        sa.Column("agreement_version", sa.Integer(), nullable=False, comment="0: unknown."),
        sa.Column(
            "currency",
            sa.Text(),
            nullable=False,
            comment="Of won amounts; empty: none, or unknown.",
        ),
        *(sa.Column(it, sa.Integer(), nullable=False) for it in STAGES),
        sa.Column(
            "cents", sa.Numeric(30, 0), nullable=False, comment="Of the wins in the currency."
        ),
        sa.Column(
            "met",
            sa.Integer(),
            nullable=False,
            comment="Promises about the handoffs, as is broken.",
        ),
        sa.Column("broken", sa.Integer(), nullable=False),
        schema="alignment",
        comment="The sums of handoffs that reports read of days that are not stale.",
    )
    for name, columns in (("field", ["field", "counted_on"]), ("counted_on", ["counted_on"])):
        op.create_index(f"ix_daily_tallies_{name}", "daily_tallies", columns, schema="alignment")


def create_triggers() -> None:
    """Of each table one function and one trigger a kind of statement, which sees all rows of the statement."""
    marks = {
        "handoffs": [f"insert into alignment.stale_days (day) {DAYS_OF_HANDOFFS};"],
        "promises": [
            f"insert into alignment.stale_days (day) {DAYS_OF_PROMISES};",
            "insert into alignment.stale_handoffs (handoff_id) select distinct handoff_id from {rows} as promise;",
        ],
    }
    for table, statements in marks.items():
        for kind, rows in ROWS.items():
            name = f"mark_{kind}s_of_{table}"
            body = " ".join(statements).format(rows=rows)
            op.execute(MARK.format(name=name, statements=body))
            op.execute(
                f"create trigger {name} after {kind} on alignment.{table} referencing {TRANSITIONS[kind]} "
                f"for each statement execute function alignment.{name}()"
            )
        name = f"mark_truncates_of_{table}"
        counted = "insert into alignment.stale_days (day) select distinct counted_on from alignment.daily_tallies;"
        op.execute(MARK.format(name=name, statements=counted))
        op.execute(
            f"create trigger {name} after truncate on alignment.{table} "
            f"for each statement execute function alignment.{name}()"
        )


def mark_all_days() -> None:
    """The triggers' locks keep all other transactions from writing until this one is committed."""
    for query, table in ((DAYS_OF_HANDOFFS, "handoffs"), (DAYS_OF_PROMISES, "promises")):
        rows = f"alignment.{table}"
        op.execute(f"insert into alignment.stale_days (day) {query.format(rows=rows)}")


def downgrade() -> None:
    for table in ("handoffs", "promises"):
        for kind in (*ROWS, "truncate"):
            name = f"mark_{kind}s_of_{table}"
            op.execute(f"drop function alignment.{name}() cascade")
    for table in ("daily_tallies", "stale_handoffs", "stale_days"):
        op.drop_table(table, schema="alignment")
