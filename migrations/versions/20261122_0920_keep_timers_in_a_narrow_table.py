"""Keep timers, and what sweeps find, in a narrow table: what is due at once is fired at once.

The only writers are the SLA worker and the sweep: stop both before, and start them again after (docs/operations).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sla_02"
down_revision = "routing_02"
branch_labels = None
depends_on = None

_FOUND = ("fire_at", "warned_at", "breached_at", "detected_at", "retracted_at")
_BROKEN_AND_OPEN = "breached_at is not null and state = 'running'"
_AT_RISK = "warned_at is not null and breached_at is null and "


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("lock table sla.clocks in access exclusive mode")
    op.create_table(
        "timers",
        sa.Column("clock_id", sa.UUID(), nullable=False),
        sa.Column(
            "fire_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The next thing to do, while it runs.",
        ),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "breached_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="due_at, however late it was found.",
        ),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retracted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "escalated", sa.SmallInteger(), nullable=False, comment="Steps of the ladder taken."
        ),
        schema="sla",
        comment="What sweeps move and find, a row a clock, which is also the clock's lock: narrow and with "
        "few indexes, because a hundred thousand may be due at one instant.",
    )
    op.execute("""
        insert into sla.timers
            (clock_id, fire_at, warned_at, breached_at, detected_at, retracted_at, escalated)
        select id, fire_at, warned_at, breached_at, detected_at, retracted_at, escalated
        from sla.clocks
    """)
    op.create_primary_key("pk_timers", "timers", ["clock_id"], schema="sla")
    _index("timers", "fire_at", ["fire_at"], where="fire_at is not null")
    _index("timers", "at_risk", ["fire_at", "clock_id"], where=_AT_RISK + "fire_at is not null")

    for name in (*_FOUND, "escalated"):  # and the indexes that speak of them
        op.drop_column("clocks", name, schema="sla")
    _index("clocks", "open", ["due_at", "id"], where="ended_at is null")
    _index("clocks", "open_of_rep", ["rep", "due_at", "id"], where="ended_at is null")
    either = "ended_at is null or ended_at > due_at"
    _index("clocks", "open_or_broken", ["due_at", "id"], where=either)
    op.execute("analyze sla.timers")


def downgrade() -> None:
    for name in ("open", "open_of_rep", "open_or_broken"):
        op.drop_index(f"ix_clocks_{name}", table_name="clocks", schema="sla")
    comments = {
        "fire_at": "The next thing to do, while it runs.",
        "breached_at": "due_at, however late it was found.",
    }
    for name in _FOUND:
        column = sa.Column(name, sa.DateTime(timezone=True), comment=comments.get(name))
        op.add_column("clocks", column, schema="sla")
    steps = "Steps of the ladder taken."
    op.add_column("clocks", sa.Column("escalated", sa.SmallInteger(), comment=steps), schema="sla")
    op.execute("""
        update sla.clocks as clock
        set fire_at = timer.fire_at, warned_at = timer.warned_at, breached_at = timer.breached_at,
            detected_at = timer.detected_at, retracted_at = timer.retracted_at,
            escalated = timer.escalated
        from sla.timers as timer where clock.id = timer.clock_id
    """)
    op.alter_column("clocks", "escalated", nullable=False, schema="sla")
    op.drop_table("timers", schema="sla")
    _index("clocks", "fire_at", ["fire_at"], where="fire_at is not null")
    _index("clocks", "breached_at", ["breached_at", "id"], where="breached_at is not null")
    _index("clocks", "overdue", ["breached_at", "id"], where=_BROKEN_AND_OPEN)
    _index("clocks", "overdue_of_rep", ["rep", "breached_at", "id"], where=_BROKEN_AND_OPEN)
    _index("clocks", "at_risk", ["due_at", "id"], where=_AT_RISK + "state = 'running'")


def _index(table: str, name: str, columns: list[str], *, where: str) -> None:
    op.create_index(
        f"ix_{table}_{name}", table, columns, schema="sla", postgresql_where=sa.text(where)
    )
