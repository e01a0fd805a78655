"""Sums of tallies, from which attainment is computed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from enum import StrEnum

from sqlalchemy import BigInteger, ColumnElement, Text, cast, func, select
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.reports import TallySum
from services.sla_monitor.domain.tallies import EVERY
from services.sla_monitor.queries.lists import ClockFilter, equalities

tally = tables.tallies.c


class GroupBy(StrEnum):
    """What the groups of a report are."""

    TEAM = "team"
    REP = "rep"
    TIER = "tier"
    DAY = "day"


def tally_sums(
    session: Session, group_by: GroupBy, clock_filter: ClockFilter, *, first: date, last: date
) -> list[TallySum]:
    """The sums, by group, of tallies of clocks that were due from the first to the last date."""
    group = tally.due_on if group_by is GroupBy.DAY else tally[group_by.value]
    number = cast(func.sum(tally.count), BigInteger)  # a sum is a numeric, which is slow to read
    statement = (
        select(cast(group, Text), tally.kind, tally.measure, tally.bucket, number)
        .where(
            tally.due_on.between(first, last),
            *equalities(clock_filter, tally),
            *_sums_over_all(group_by, clock_filter),
        )
        .group_by(group, tally.kind, tally.measure, tally.bucket)
        .order_by(group)
    )
    return list(map(TallySum._make, session.execute(statement)))


def _sums_over_all(group_by: GroupBy, clock_filter: ClockFilter) -> list[ColumnElement[bool]]:
    """Conditions that read the tallies over all reps or tiers, where single ones are not asked for."""
    reps = [tally.rep.not_in(["", EVERY])] if group_by is GroupBy.REP else [tally.rep == EVERY]
    tiers = [tally.tier != EVERY] if group_by is GroupBy.TIER else [tally.tier == EVERY]
    return [
        *(reps if clock_filter.rep is None else ()),
        *(tiers if clock_filter.tier is None else ()),
    ]


def daily_tally_sums(
    session: Session, group_by: GroupBy, clock_filter: ClockFilter, *, first: date, last: date
) -> dict[str, list[TallySum]]:
    """For each team, rep or tier the sums by day of tallies of clocks that were due from the first to the last date."""
    group = tally[group_by.value]
    number = cast(func.sum(tally.count), BigInteger)
    keys = (tally.due_on, tally.kind, tally.measure, tally.bucket)
    statement = (
        select(group, cast(tally.due_on, Text), tally.kind, tally.measure, tally.bucket, number)
        .where(
            tally.due_on.between(first, last),
            *equalities(clock_filter, tally),
            *_sums_over_all(group_by, clock_filter),
        )
        .group_by(group, *keys)
        .order_by(group, tally.due_on)
    )
    series: dict[str, list[TallySum]] = defaultdict(list)
    for name, *tally_sum in session.execute(statement):
        series[name].append(TallySum(*tally_sum))
    return series
