"""Count clocks by all facts of handoffs. At first every due date is stale.

Processes of the version before read and count `daily_clocks`: it becomes a view of what is counted now, and days that
they count are stale again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alignment_13"
down_revision = "alignment_12"
branch_labels = None
depends_on = None

NAMES = ("team", "tier", "source", "campaign", "channel", "persona", "rep")
FACTS = """
    select handoff_id, team, tier, source, campaign, channel, persona, rep from {rows} where handoff_id is not null
"""
BEFORE, AFTER = FACTS.format(rows="rows_before"), FACTS.format(rows="rows_after")
MARKED = {
    "insert": ("new table as rows_after", AFTER),
    "update": (
        "old table as rows_before new table as rows_after",
        f"({AFTER} except {BEFORE}) union ({BEFORE} except {AFTER})",
    ),
    "delete": ("old table as rows_before", BEFORE),
}
MARK = (
    "insert into alignment.stale_facts (handoff_id) select distinct handoff_id from ({rows}) as changed;"
    " return null"
)
MARK_COUNTED = (
    "insert into alignment.stale_days (day) select distinct counted_on from alignment.daily_attainment;"
    " return null"
)
MARK_AGAIN = (
    "insert into alignment.stale_days (day) values (coalesce(new.counted_on, old.counted_on));"
    " return null"
)
VIEW = """
    create view alignment.daily_clocks as
    select counted_on, policy, team, tier, cast(sum(met) as integer) as met, cast(sum(broken) as integer) as broken
    from alignment.daily_attainment where field = 'category' group by counted_on, policy, team, tier
"""
ROLES = """
    select grantee from information_schema.role_table_grants
    where table_schema = 'alignment' and table_name = 'daily_clocks' and privilege_type = 'INSERT'
"""
MARK_DUE_DATES = """
    insert into alignment.stale_days (day)
    select distinct due_on from alignment.promises where due_on is not null
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    create_daily_attainment()
    mark_facts()
    replace_daily_clocks()
    op.execute(MARK_DUE_DATES)


def replace_daily_clocks() -> None:
    """An older process that counts a day waits until this is committed, and marks the day then."""
    roles = op.get_bind().scalars(sa.text(ROLES)).all()
    op.drop_table("daily_clocks", schema="alignment")
    op.execute(VIEW)
    for role in roles:
        op.execute(f'grant select, insert, delete on alignment.daily_clocks to "{role}"')
    create_function("mark_days_of_older_counts", MARK_AGAIN)
    op.execute(
        "create trigger mark_days_of_older_counts instead of insert or delete on alignment.daily_clocks "
        "for each row execute function alignment.mark_days_of_older_counts()"
    )


def create_daily_attainment() -> None:
    op.create_table(
        "daily_attainment",
        sa.Column("counted_on", sa.Date(), nullable=False, comment="When the clocks were due."),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column(
            "field",
            sa.Text(),
            nullable=False,
            comment="By what the clocks are summed, as handoffs are.",
        ),
        *(
            sa.Column(it, sa.Text(), nullable=False, comment="Empty: unknown, or not of the field.")
            for it in NAMES
        ),
        sa.Column("met", sa.Integer(), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        schema="alignment",
        comment="How many clocks were met and broken, of days that are not stale: by their own team and tier, and by "
        "the other facts of their handoffs.",
    )
    for name, columns in (
        ("field", ["field", "policy", "counted_on"]),
        ("counted_on", ["counted_on"]),
    ):
        op.create_index(
            f"ix_daily_attainment_{name}", "daily_attainment", columns, schema="alignment"
        )


def mark_facts() -> None:
    op.create_table(
        "stale_facts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("handoff_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stale_facts")),
        schema="alignment",
        comment="Handoffs of which a fact has changed that promises are counted by: the days on which promises about "
        "them were due are stale.",
    )
    for kind, (transitions, rows) in MARKED.items():
        name = f"mark_facts_of_{kind}s"
        create_function(name, MARK.format(rows=rows))
        op.execute(
            f"create trigger {name} after {kind} on alignment.handoffs referencing {transitions} "
            f"for each statement execute function alignment.{name}()"
        )
    create_function("mark_due_dates_of_truncates", MARK_COUNTED)
    for table in ("handoffs", "promises"):
        op.execute(
            f"create trigger mark_due_dates_of_truncates after truncate on alignment.{table} "
            "for each statement execute function alignment.mark_due_dates_of_truncates()"
        )


def create_function(name: str, statements: str) -> None:
    op.execute(
        f"create function alignment.{name}() returns trigger language plpgsql "
        f"security definer set search_path = pg_catalog, pg_temp as $$ begin {statements}; end $$"
    )


def downgrade() -> None:
    op.execute("drop view alignment.daily_clocks")
    for name in (
        *(f"mark_facts_of_{kind}s" for kind in MARKED),
        "mark_due_dates_of_truncates",
        "mark_days_of_older_counts",
    ):
        op.execute(f"drop function alignment.{name}() cascade")
    for table in ("stale_facts", "daily_attainment"):
        op.drop_table(table, schema="alignment")
    op.create_table(
        "daily_clocks",
        sa.Column("counted_on", sa.Date(), nullable=False, comment="When the clocks were due."),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column(
            "team",
            sa.Text(),
            nullable=False,
            comment="Of the clock, as the tier; empty: unknown.",
        ),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("met", sa.Integer(), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "counted_on", "policy", "team", "tier", name=op.f("pk_daily_clocks")
        ),
        schema="alignment",
        comment="How many clocks were met and broken, of days that are not stale.",
    )
    op.execute(MARK_DUE_DATES)
