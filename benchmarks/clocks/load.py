"""Millions of clocks such as a year leaves: most are met, some are late, some are open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine, Index, PrimaryKeyConstraint, text
from sqlalchemy.schema import AddConstraint, DropConstraint

from benchmarks.machine import console
from services.sla_monitor.tables import clocks, timers

T = TypeVar("T")
CHUNK = 50_000
LOADERS = 2
KEYS = (clocks.primary_key, timers.primary_key)
TEAMS, REPS_A_TEAM, DAYS = 4, 25, 90
SOURCES, CAMPAIGNS = 5, 200

_EACH = """
    with drawn as materialized (
        select n, n % 2 = 0 as accepts, n % {teams} as team, (n / 8) % {reps} as rep,
            (array['hot', 'warm', 'cold'])[1 + n % 3] as tier, random() as fate, random() as pace,
            {part} as part
        from generate_series(cast(:first as bigint), cast(:last as bigint)) as n
    ), timed as (
        select *, case when accepts then interval '15 min' else interval '4 h' end as target,
            {due_at} as due_at
        from drawn
    ), ended as materialized (
        select *, gen_random_uuid() as id, due_at - target as started_at, {state} as state,
            {spent} as spent
        from timed
    ), clock as (
        insert into sla.clocks (
            id, handoff_id, lead_id, hop, policy, kind, scope, team, rep, tier, lead_name, calendar,
            agreement_version, target, started_at, warn_at, due_at, due_on, escalation_steps, state, ended_at,
            ended_by, spent, traceparent, sources, campaign
        )
        select id, gen_random_uuid(), gen_random_uuid(), case when accepts then 1 else 0 end,
            case when accepts then 'inbound_accept' else 'first_touch' end,
            case when accepts then 'accept' else 'first_touch' end,
            case when accepts then 'hop' else 'journey' end, 'team_' || team,
            'rep_' || team || '_' || rep, tier, 'Lead ' || n, 'berlin_office', 1, target, started_at,
            due_at - target / 5, due_at, cast(due_at at time zone 'UTC' as date),
            case when accepts
                then jsonb_build_array(jsonb_build_array(to_jsonb(due_at + interval '30 min'), 'ops'))
                else '[]' end,
            state, started_at + spent, case when spent is not null then 'accepted' end, spent,
            '00-' || md5(cast(n as text)) || '-' || left(md5(cast(pace as text)), 16) || '-01',
            array['source_' || n % {sources}], 'campaign_' || n % {campaigns}
        from ended
    )
    insert into sla.timers (clock_id, fire_at, warned_at, breached_at, detected_at, escalation_count)
    select id, {fire_at}, {warned_at}, {breached_at}, {breached_at}, 0 from ended
"""

_OPEN = {
    "part": "random()",
    # 1 in 100 is broken and nobody has answered, 2 are at risk, the others are due within a month
    "due_at": """case when fate < 0.01 then now() - interval '7 days' * part
        when fate < 0.03 then now() + interval '2 h' + interval '2 h' * part
        else now() + interval '5 h' + interval '30 days' * part end""",
    "state": "'running'",
    "spent": "cast(null as interval)",
    "warned_at": "case when fate between 0.01 and 0.03 then now() end",
    "breached_at": "case when fate < 0.01 then due_at end",
    "fire_at": """case when fate >= 0.03 then due_at - target / 5 when fate >= 0.01 then due_at
        when accepts then now() + interval '5 h' end""",
}
_CLOSED = {
    "part": "1 - cast(n as float) / :count",  # the oldest first
    "due_at": f"now() - interval '{DAYS} days' * part",
    "state": "case when fate < 0.85 then 'met' when fate < 0.95 then 'late' else 'cancelled' end",
    "spent": "target * case when fate < 0.85 then pace * pace else 1 + 2 * pace end",
    "warned_at": "case when pace > 0.8 then due_at - target / 5 end",
    "breached_at": "case when fate >= 0.85 then due_at end",
    "fire_at": "cast(null as timestamptz)",
}

_ENDED = """
    select due_on, team, case when scope = 'hop' then rep else '' end as rep, tier, kind, scope, sources, campaign,
        case state when 'running' then 'overdue' else state end as outcome,
        ln(1 + cast(extract(epoch from spent) as float)) / ln(2) as spent_octaves,
        ln(1 + cast(extract(epoch from ended_at - started_at) as float)) / ln(2) as wall_octaves
    from sla.clocks where due_on = :day and (ended_at is not null or due_at < now())
"""

_MEASURES = """
    select outcome as measure, 0 as bucket
    union all select 'business', round(4 * spent_octaves) where outcome in ('met', 'late')
    union all select 'wall', round(4 * wall_octaves) where outcome in ('met', 'late')
"""

_TALLIES = """
    insert into sla.tallies (rep, tier, due_on, team, kind, scope, measure, bucket, count)
    select coalesce(rep, '*'), coalesce(tier, '*'), due_on, team, kind, scope, measure, bucket, count(*)
    from ({ended}) as clock, lateral ({measures}) as tallied
    group by due_on, team, kind, scope, measure, bucket, cube (rep, tier)
"""

_SOURCE_TALLIES = """
    insert into sla.source_tallies (field, tier, due_on, name, team, kind, scope, measure, bucket, count)
    select field, coalesce(tier, '*'), due_on, name, team, kind, scope, measure, bucket, count(*)
    from ({ended}) as clock,
    lateral (values ('source', sources[1]), ('campaign', campaign)) as origin (field, name),
    lateral ({measures}) as tallied
    group by field, due_on, name, team, kind, scope, measure, bucket, grouping sets ((tier), ())
"""

_OPEN_COUNTS = """
    insert into sla.open_counts (team, rep, tier, kind, scope, state, count)
    select team, coalesce(rep, ''), tier, kind, scope, case when breached_at is not null then 'breached'
        when warned_at is not null then 'at_risk' else 'running' end as state, count(*)
    from sla.clocks join sla.timers on clock_id = id where ended_at is null
    group by 1, 2, 3, 4, 5, 6
"""


def load(engine: Engine, *, open_: int, closed: int) -> None:
    """Insert the clocks without indexes, then create the indexes, then the tallies and counts."""
    chunks = [
        *((_EACH.format(**_CLOSED, **_SIZES), part) for part in _parts(closed)),
        *((_EACH.format(**_OPEN, **_SIZES), part) for part in _parts(open_)),
    ]
    indexes = sorted((*clocks.indexes, *timers.indexes), key=lambda index: str(index.name))
    by_day = Index("ix_for_loading", clocks.c.due_on)
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
        for key in KEYS:
            connection.execute(DropConstraint(key))
        days = connection.execute(
            text("select cast(now() as date) - n from generate_series(-1, :days) as n"),
            {"days": DAYS + 1},
        )
        dates = list(days.scalars())
    with _progress() as progress:
        _each(progress, "clocks", chunks, lambda chunk: _run(engine, *chunk), worth=CHUNK)
        _each(progress, "keys", KEYS, lambda key: _add(engine, key))
        _each(progress, "indexes", [*indexes, by_day], lambda index: index.create(engine))
        _each(progress, "tallies", dates, lambda day: _tally(engine, _TALLIES, day))
        _each(progress, "sources", dates, lambda day: _tally(engine, _SOURCE_TALLIES, day))
        _each(progress, "counts", [_OPEN_COUNTS], lambda it: _run(engine, it, {}))
        by_day.drop(engine)
        _each(progress, "settled", ["vacuum analyze", "checkpoint"], lambda it: settle(engine, it))


_SIZES = {"teams": TEAMS, "reps": REPS_A_TEAM, "sources": SOURCES, "campaigns": CAMPAIGNS}


def _add(engine: Engine, key: PrimaryKeyConstraint) -> None:
    with engine.begin() as connection:
        connection.execute(AddConstraint(key))


def settle(engine: Engine, command: str) -> None:
    """Run a command that PostgreSQL would else run in the background during a measurement."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(command)


def _tally(engine: Engine, statement: str, day: date) -> None:
    _run(engine, statement.format(ended=_ENDED, measures=_MEASURES), {"day": day})


def _parts(count: int) -> list[dict[str, int]]:
    firsts = range(0, count, CHUNK)
    return [
        {"first": first, "last": min(first + CHUNK, count) - 1, "count": count} for first in firsts
    ]


def _run(engine: Engine, statement: str, arguments: Mapping[str, object]) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("set local synchronous_commit = off")
        connection.exec_driver_sql("set local work_mem = '256MB'")
        connection.execute(text(statement), arguments)


def _progress() -> Progress:
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console)


def _each(
    progress: Progress, name: str, items: Sequence[T], do: Callable[[T], None], *, worth: int = 1
) -> None:
    """Call `do` for all items, two at a time."""
    task = progress.add_task(name, total=len(items) * worth)
    with ThreadPoolExecutor(LOADERS) as pool:
        for _ in pool.map(do, items):
            progress.advance(task, worth)
