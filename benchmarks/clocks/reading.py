"""Frequent reads: due clocks, breaches, attainment, and due times by a calendar."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from statistics import median
from time import perf_counter

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from benchmarks.machine import Figure, does, takes
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.queries.attainment import Cohorts, GroupBy, tally_sums
from services.sla_monitor.queries.counts import due_soon_counts, open_counts
from services.sla_monitor.queries.lists import ClockFilter, breaches
from services.sla_monitor.queries.walks import Slice
from services.sla_monitor.sweep import GRACE
from shared.agreement.model import Calendar, Weekday
from shared.calendar import compile_calendar
from shared.clock import utc_now
from shared.db.session import Sessions, sessions_on

TIMES = 200
PAGE = Slice(limit=101)
DAYS = 30


def reads(engine: Engine) -> Iterator[Figure]:
    """The median time of each read, in a transaction of its own, with its rows made into values."""
    sessions = sessions_on(engine)
    url = engine.url.render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as bare, engine.connect() as own:
        yield _empty_poll(
            sessionmaker(own), bare
        )  # on a connection of its own, as a sweeper has it
        yield from _lists(sessions, bare)
        yield from _counts(sessions, bare)
        yield from _attainment(sessions, bare)


def _empty_poll(sessions: Sessions, bare: psycopg.Connection) -> Figure:
    def poll() -> None:
        now = utc_now()
        with sessions.begin() as session:
            assert fire_due_clocks(session, now=now, low=now - GRACE) == 0

    floor = (
        "select clock_id from sla.timers"
        " where fire_at between now() - interval '5 s' and now() for update skip locked"
    )
    return takes("empty poll", _median(poll), at_most_s=0.001, floor_s=_median(_bare(bare, floor)))


def _lists(sessions: Sessions, bare: psycopg.Connection) -> Iterator[Figure]:
    lists = {
        "open breaches": (ClockFilter(), True, "ended_at is null"),
        "open breaches of a rep": (
            ClockFilter(rep="rep_1_7"),
            True,
            "ended_at is null and rep = 'rep_1_7'",
        ),
        "breaches of a team": (
            ClockFilter(team="team_2"),
            False,
            "(ended_at is null or ended_at > due_at) and team = 'team_2'",
        ),
    }
    for name, (clock_filter, still_open, where) in lists.items():
        look = partial(_look, sessions, clock_filter, still_open=still_open)
        floor = _BROKEN.format(where=where)
        yield takes(name, _median(look), at_most_s=0.005, floor_s=_median(_bare(bare, floor)))


_BROKEN = """
    select * from sla.clocks join sla.timers on clock_id = id
    where due_at <= now() and {where} order by due_at desc, id desc limit 101
"""


def _look(sessions: Sessions, clock_filter: ClockFilter, *, still_open: bool) -> None:
    with sessions() as session:
        listed = breaches(session, clock_filter, PAGE, now=utc_now(), still_open=still_open)
        assert len(listed.clocks) > 1


def _counts(sessions: Sessions, bare: psycopg.Connection) -> Iterator[Figure]:
    def count() -> None:
        with sessions() as session:
            assert open_counts(session, ClockFilter())
            due_soon_counts(session, ClockFilter(), now=utc_now())

    floor_s = _median(_bare(bare, "select sum(count) from sla.open_counts"))
    yield takes("open clocks by team and rep", _median(count), at_most_s=0.01, floor_s=floor_s)


def _attainment(sessions: Sessions, bare: psycopg.Connection) -> Iterator[Figure]:
    last = utc_now().date()
    first = last - timedelta(days=DAYS)
    floor = (
        "select sum(count) from sla.tallies where rep = '*' and tier = '*'"
        " and due_on between current_date - 30 and current_date"
    )
    floor_s = _median(_bare(bare, floor))
    for group_by in GroupBy:
        yield takes(
            f"attainment over {DAYS} days by {group_by}",
            _median(partial(_attained, sessions, group_by, first=first, last=last)),
            at_most_s=0.01 if group_by is GroupBy.TEAM else None,
            floor_s=floor_s,
        )


def _attained(sessions: Sessions, group_by: GroupBy, *, first: date, last: date) -> None:
    with sessions() as session:
        assert tally_sums(session, group_by, Cohorts(ClockFilter(), first, last))


def _bare(connection: psycopg.Connection, statement: str) -> Callable[[], None]:
    return lambda: list(connection.execute(statement.encode())).clear()


def _median(do: Callable[[], None]) -> float:
    return median(map(_timed, [do] * TIMES))


def _timed(do: Callable[[], None]) -> float:
    started = perf_counter()
    do()
    return perf_counter() - started


BERLIN_CALENDAR = Calendar.model_validate(
    {
        "id": "berlin_office",
        "zone": "Europe/Berlin",
        "hours": {day.value: ["09:00-12:30", "13:15-17:00"] for day in list(Weekday)[:5]},
        "holidays": "DE",
    }
)
ADDS = 300_000


def calendar_adds() -> Figure:
    """Due times a second on one core, beside one bisection each in as long a list."""
    calendar, chance = compile_calendar(BERLIN_CALENDAR), random.Random(7)  # noqa: S311 - instants, no secrets
    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    year_s = 365 * 86_400
    instants = [new_year + timedelta(seconds=chance.randrange(year_s)) for _ in range(ADDS)]
    target = timedelta(hours=4)
    calendar.add(instants[0], target)

    started = perf_counter()
    for instant in instants:
        calendar.add(instant, target)
    took_s = perf_counter() - started

    edges = list(range(0, year_s, year_s // 1_500))
    numbers = [chance.randrange(year_s) for _ in range(ADDS)]
    started = perf_counter()
    for number in numbers:
        bisect_right(edges, number)
    floor_s = perf_counter() - started
    return does("calendar adds", ADDS / took_s, at_least=300_000, floor=ADDS / floor_s)
