"""Count what reps hold as it changes, keep the roster once an import, and a round's bench as what differs.

The only writers are routing's workers and API: stop both before, and start them again after (docs/operations).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "routing_05"
down_revision = "routing_04"
branch_labels = None
depends_on = None

_COUNTED = ("open", "today", "today_on", "period", "assigned", "credit")
_WHY = ("place", "by", "rule", "agreement_version", "previous_rep")

_COUNT = """
    update routing.reps set open = held.leads
    from (
        select rep, count(*) as leads from routing.handoffs
        where state in ('assigned', 'accepted', 'contacted') group by rep
    ) as held
    where held.rep = reps.id
"""
# In UTC, as a migration does not know the teams' zones: exact again with the next day.
_COUNT_TODAY = """
    update routing.reps set today = had.leads, today_on = had.day
    from (
        select rep, (now() at time zone 'UTC')::date as day, count(*) as leads from routing.hops
        where assigned_at >= date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'
        group by rep
    ) as had
    where had.rep = reps.id
"""
_COUNT_SHARES = """
    update routing.reps set period = had.period, assigned = had.assigned, credit = had.credit
    from (
        select distinct on (team, rep) team, rep, period, assigned, credit from routing.shares
        order by team, rep, period desc
    ) as had
    where had.rep = reps.id and had.team = reps.team
"""
_SHARES_AGAIN = """
    insert into routing.shares (team, period, rep, assigned, credit)
    select team, period, id, assigned, credit from routing.reps where period is not null
"""
_OLD_ROSTERS = """
    create temporary table old_benches on commit drop as
    select rounds.id,
        coalesce(json_agg(
            (one -> 'rep') || jsonb_build_object('time_off', (
                select coalesce(jsonb_agg(jsonb_build_array(off -> 'since', off -> 'until')), '[]')
                from jsonb_array_elements(one -> 'rep' -> 'time_off') as off
            )) order by one -> 'rep' ->> 'id'
        ) filter (where one is not null), '[]') as reps,
        coalesce(json_agg(json_build_array(
            one -> 'rep' -> 'id', one -> 'open', one -> 'today', one -> 'assigned', one -> 'credit',
            one -> 'last_assigned_at', one -> 'counted'
        )) filter (where one is not null), '[]') as bench
    from routing.rounds left join lateral jsonb_array_elements(bench) as one on true
    group by rounds.id;

    insert into routing.rosters (reps) select distinct on (reps::text) reps from old_benches;

    update routing.rounds set roster_id = rosters.id, bench = old_benches.bench
    from old_benches join routing.rosters on rosters.reps::text = old_benches.reps::text
    where rounds.id = old_benches.id;
"""
_ROSTER = """
    insert into routing.rosters (reps)
    select json_agg(json_build_object(
        'id', id, 'name', name, 'email', email, 'team', team, 'position', position,
        'territories', territories, 'languages', languages, 'skills', skills, 'segments', segments,
        'weight', weight, 'open_limit', open_limit, 'per_day_limit', per_day_limit, 'hours', hours,
        'time_off', time_off, 'active', active
    ) order by id)
    from routing.reps having count(*) > 0
"""
_WHY_OF_OLD = """
    update routing.hops set
        place = (decision ->> 'place')::integer, by = decision ->> 'by', rule = decision ->> 'rule',
        agreement_version = (decision ->> 'agreement_version')::integer,
        previous_rep = decision ->> 'previous_rep', decision = null
    where round_id is not null
"""
_WHOLE_AGAIN = """
    update routing.rounds set bench = (
        select coalesce(json_agg(json_build_object(
            'rep', rep::jsonb || jsonb_build_object('time_off', (
                select coalesce(jsonb_agg(jsonb_build_object('since', off -> 0, 'until', off -> 1)), '[]')
                from json_array_elements(rep -> 'time_off') as off
            )),
            'open', one -> 1, 'today', one -> 2, 'assigned', one -> 3, 'credit', one -> 4,
            'last_assigned_at', one -> 5, 'counted', one -> 6
        )), '[]')
        from (
            select distinct on (one ->> 0) one from (
                select one, 0 as rank from json_array_elements(rounds.bench) as one
                union all
                select one, 1 from routing.rounds as base, json_array_elements(base.bench) as one
                where base.id = rounds.base_id
            ) as any_of (one, rank) order by one ->> 0, rank
        ) as stood
        join lateral (
            select rep from routing.rosters, json_array_elements(reps) as rep
            where rosters.id = rounds.roster_id and rep ->> 'id' = one ->> 0
        ) as known on true
    )
"""
_OLD_CHANGES = """
    update routing.changes set hop = (said ->> 'hop')::integer, rep = said ->> 'rep', details = nullif(
        jsonb_strip_nulls(jsonb_build_object(
            'reason', said -> 'reason', 'recycle', nullif(said -> 'recycle', 'false'),
            'outcome', said -> 'outcome', 'channel', said -> 'channel',
            'amount', said -> 'amount', 'currency', said -> 'currency'
        )), '{}'
    )
"""
_SAID_AGAIN = """
    update routing.changes set said = jsonb_strip_nulls(
        jsonb_build_object('hop', hop, 'rep', rep, 'change', change) || coalesce(details, '{}')
    )
"""
_TOLD_AGAIN = """
    update routing.hops set decision = jsonb_build_object(
        'decided_at', rounds.decided_at, 'agreement_version', hops.agreement_version, 'rule', hops.rule,
        'team', rounds.team, 'previous_rep', hops.previous_rep, 'picked', hops.rep, 'by', hops.by,
        'place', hops.place, 'facts', '{}'::jsonb, 'rules', '[]'::jsonb
    )
    from routing.rounds where rounds.id = hops.round_id
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("lock table routing.handoffs, routing.hops, routing.rounds, routing.reps")
    _count_in_reps()
    _keep_rosters()
    _explain_by_columns()
    _keep_changes_narrow()


def _count_in_reps() -> None:
    counted = "2026-11, or ever: what `assigned` and `credit` count."
    for column in (
        _count("open", comment="Handoffs held now."),
        _count("today", comment="Got on that day."),
        sa.Column("today_on", sa.Date(), comment="The team's day that `today` counts."),
        sa.Column("period", sa.Text(), comment=counted),
        _count("assigned"),
        _count("credit", sa.Double(), comment="What others got during leave or before."),
    ):
        op.add_column("reps", column, schema="routing")
    comment = "Who may get leads, as the file of reps says, and what each has had."
    op.create_table_comment("reps", comment, schema="routing")
    op.execute("alter table routing.reps set (fillfactor = 50)")
    op.execute(_COUNT)
    op.execute(_COUNT_TODAY)
    op.execute(_COUNT_SHARES)
    op.drop_table("shares", schema="routing")


def _count(
    name: str, type_: sa.types.TypeEngine[Any] | None = None, *, comment: str | None = None
) -> sa.Column[Any]:
    kind = type_ or sa.Integer()
    return sa.Column(name, kind, server_default="0", nullable=False, comment=comment)


def _keep_rosters() -> None:
    op.create_table(
        "rosters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "reps",
            postgresql.JSON(astext_type=sa.Text()),
            nullable=False,
            comment="Each as in `reps`, but for what is counted.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rosters")),
        schema="routing",
        comment="All reps as an import left them; the newest is in force. It never changes.",
    )
    base = "The round whose bench this one's differs from; None: whole."
    op.add_column("rounds", sa.Column("roster_id", sa.BigInteger()), schema="routing")
    op.add_column("rounds", sa.Column("base_id", sa.BigInteger(), comment=base), schema="routing")
    op.execute(_OLD_ROSTERS)
    op.execute(_ROSTER)
    op.alter_column("rounds", "roster_id", nullable=False, schema="routing")
    op.alter_column(
        "rounds",
        "bench",
        type_=postgresql.JSON(astext_type=sa.Text()),
        postgresql_using="bench::json",
        comment="The reps as they stood before it, or those who stood otherwise than in the base: "
        "[[rep, open, today, assigned, credit, last_assigned_at, counted], …]",
        schema="routing",
    )
    op.create_index(
        "ix_rounds_whole",
        "rounds",
        ["team", "id"],
        schema="routing",
        postgresql_where=sa.text("base_id is null"),
    )


def _explain_by_columns() -> None:
    before, had = "So many leads of the round were given out before it.", "Who had held an earlier"
    for column in (
        sa.Column("place", sa.Integer(), comment=before),
        sa.Column("by", sa.Text(), comment="sticky, or the rule's strategy"),
        sa.Column("rule", sa.Text()),
        sa.Column("agreement_version", sa.Integer()),
        sa.Column("previous_rep", sa.Text(), comment=f"{had} handoff of the lead."),
    ):
        op.add_column("hops", column, schema="routing")
    op.alter_column(
        "hops",
        "decision",
        nullable=True,
        comment="The whole of it, where it was made without a round.",
        schema="routing",
    )
    op.create_table_comment(
        "hops", "Each assignee of a handoff, with what explains the decision.", schema="routing"
    )
    op.execute(_WHY_OF_OLD)
    op.drop_index("ix_hops_rep_assigned_at", "hops", schema="routing")
    op.create_index(
        "ix_hops_waiting",
        "hops",
        ["round_id"],
        schema="routing",
        postgresql_where=sa.text("rep is null"),
    )


def _keep_changes_narrow() -> None:
    after, more = "Who holds it after the change.", "The reason, the outcome and the like."
    op.add_column("changes", sa.Column("hop", sa.Integer()), schema="routing")
    op.add_column("changes", sa.Column("rep", sa.Text(), comment=after), schema="routing")
    details = sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), comment=more)
    op.add_column("changes", details, schema="routing")
    op.execute(_OLD_CHANGES)
    op.alter_column("changes", "hop", nullable=False, schema="routing")
    op.drop_column("changes", "said", schema="routing")


def downgrade() -> None:
    """As before; decisions made since lose the facts and the rules' verdicts, which the old code does not work out."""
    said = sa.Column(
        "said",
        postgresql.JSONB(astext_type=sa.Text()),
        comment="The change as it was announced.",
    )
    op.add_column("changes", said, schema="routing")
    op.execute(_SAID_AGAIN)
    op.alter_column("changes", "said", nullable=False, schema="routing")
    for name in ("hop", "rep", "details"):
        op.drop_column("changes", name, schema="routing")

    op.drop_index("ix_hops_waiting", "hops", schema="routing")
    op.create_index("ix_hops_rep_assigned_at", "hops", ["rep", "assigned_at"], schema="routing")
    op.execute(_TOLD_AGAIN)
    comment = "Each assignee of a handoff, with the whole decision."
    op.create_table_comment("hops", comment, schema="routing")
    op.alter_column("hops", "decision", nullable=False, comment=None, schema="routing")
    for name in _WHY:
        op.drop_column("hops", name, schema="routing")

    op.drop_index("ix_rounds_whole", "rounds", schema="routing")
    op.execute(_WHOLE_AGAIN)
    op.alter_column(
        "rounds",
        "bench",
        type_=postgresql.JSONB(astext_type=sa.Text()),
        postgresql_using="bench::jsonb",
        comment="The reps as they stood before it.",
        schema="routing",
    )
    op.drop_column("rounds", "base_id", schema="routing")
    op.drop_column("rounds", "roster_id", schema="routing")
    op.drop_table("rosters", schema="routing")
    _shares_again()
    for name in _COUNTED:
        op.drop_column("reps", name, schema="routing")
    comment = "Who may get leads, as the file of reps says."
    op.create_table_comment("reps", comment, schema="routing")
    op.execute("alter table routing.reps reset (fillfactor)")


def _shares_again() -> None:
    op.create_table(
        "shares",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False, comment="2026-11, or ever"),
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("assigned", sa.Integer(), nullable=False),
        sa.Column(
            "credit", sa.Double(), nullable=False, comment="What others got during leave or before."
        ),
        sa.PrimaryKeyConstraint("team", "period", "rep", name=op.f("pk_shares")),
        schema="routing",
        comment="How many leads each rep has had of the team's, per period.",
    )
    op.execute(_SHARES_AGAIN)
