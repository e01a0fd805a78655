"""Sums of tallies, from which attainment is computed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, Text, cast, func, select
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.reports import TallySum
from services.sla_monitor.domain.source_tallies import SourceField
from services.sla_monitor.domain.tallies import EVERY, PROMISED
from services.sla_monitor.queries.lists import ClockFilter, equalities

tally = tables.tallies.c
source_tally = tables.source_tallies.c


class GroupBy(StrEnum):
    """What the groups of a report are."""

    TEAM = "team"
    REP = "rep"
    TIER = "tier"
    DAY = "day"
    SOURCE = "source"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Which tallies a report reads: the first and the last due date, and what narrows them.

    `names` are the sources or campaigns that alone are read; None: all of them.
    """

    clock_filter: ClockFilter
    first: date
    last: date
    names: Collection[str] | None = None

    def field_of(self, group_by: GroupBy) -> SourceField | None:
        """Whether the report reads tallies by source or by campaign; None: tallies by rep."""
        is_filtered = (self.clock_filter.source, self.clock_filter.campaign)
        for field, name in zip(SourceField, is_filtered, strict=True):
            if name is not None or group_by.value == field.value:
                return field
        return None

    def tallies(self, group_by: GroupBy) -> tuple[Any, list[ColumnElement[bool]]]:
        """The columns of the tallies that are read, and the conditions on them."""
        field = self.field_of(group_by)
        columns: Any = tally if field is None else source_tally
        conditions = [
            columns.due_on.between(self.first, self.last),
            *equalities(self.clock_filter, columns),
        ]
        if self.clock_filter.tier is None:
            is_every_tier = columns.tier == EVERY
            conditions.append(~is_every_tier if group_by is GroupBy.TIER else is_every_tier)
        if field is None:
            return columns, [*conditions, *self._reps(group_by)]
        name = self.clock_filter.source or self.clock_filter.campaign
        conditions.append(columns.field == field.value)
        conditions += [columns.name == name] if name is not None else []
        conditions += [columns.name.in_(self.names)] if self.names is not None else []
        return columns, conditions

    def _reps(self, group_by: GroupBy) -> list[ColumnElement[bool]]:
        """The condition that reads the tallies over all reps, where single ones are not asked for."""
        if self.clock_filter.rep is not None:
            return []
        return [tally.rep.not_in(["", EVERY]) if group_by is GroupBy.REP else tally.rep == EVERY]


class LargestGroups(NamedTuple):
    """The names with the most promises; how many others there are, and how many promises they have."""

    names: list[str]
    more_groups: int
    more_promised: int


def largest_groups(
    session: Session, group_by: GroupBy, cohorts: Cohorts, *, limit: int
) -> LargestGroups:
    """The sources or campaigns with the most promises that count, so many at most."""
    columns, conditions = cohorts.tallies(group_by)
    promised = cast(func.sum(columns.count), BigInteger)
    statement = (
        select(
            columns.name,
            promised.label("promised"),
            func.count().over().label("groups"),
            cast(func.sum(promised).over(), BigInteger).label("promised_in_all"),
        )
        .where(columns.measure.in_(PROMISED), *conditions)
        .group_by(columns.name)
        .having(promised > 0)
        .order_by(promised.desc(), columns.name)
        .limit(limit)
    )
    rows = session.execute(statement).all()
    groups, promised_in_all = next(((it.groups, it.promised_in_all) for it in rows), (0, 0))
    listed = sum(it.promised for it in rows)
    return LargestGroups([it.name for it in rows], groups - len(rows), promised_in_all - listed)


def _group_column(columns: Any, group_by: GroupBy) -> ColumnElement[Any]:
    if group_by is GroupBy.DAY:
        return cast(columns.due_on, Text)
    is_name = group_by in (GroupBy.SOURCE, GroupBy.CAMPAIGN)
    column: ColumnElement[Any] = columns.name if is_name else columns[group_by.value]
    return column


def tally_sums(session: Session, group_by: GroupBy, cohorts: Cohorts) -> list[TallySum]:
    """The sums of the tallies by group, in the groups' order."""
    columns, conditions = cohorts.tallies(group_by)
    statement = _sums([_group_column(columns, group_by)], columns, conditions)
    return [_tally_sum(*row) for row in session.execute(statement)]


def daily_tally_sums(
    session: Session, group_by: GroupBy, cohorts: Cohorts
) -> dict[str, list[TallySum]]:
    """For each team, rep, tier, source or campaign the sums of the tallies by day."""
    columns, conditions = cohorts.tallies(group_by)
    day = cast(columns.due_on, Text)
    statement = _sums([_group_column(columns, group_by), day], columns, conditions)
    series: dict[str, list[TallySum]] = defaultdict(list)
    for name, *row in session.execute(statement):
        series[name].append(_tally_sum(*row))
    return series


def _sums(
    groups: Sequence[ColumnElement[Any]], columns: Any, conditions: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    """One row for each group, kind and measure, with its buckets as arrays: a row a bucket is slow to read."""
    names = [f"group_{index}" for index in range(len(groups))]
    keys = [group.label(name) for name, group in zip(names, groups, strict=True)]
    number = cast(func.sum(columns.count), BigInteger)
    each = (columns.kind, columns.measure, columns.bucket)
    buckets = (
        select(*keys, *each, number.label("number"))
        .where(*conditions)
        .group_by(*groups, *each)
        .subquery()
        .c
    )
    by = [buckets[name] for name in (*names, "kind", "measure")]
    return (
        select(*by, func.array_agg(buckets.bucket), func.array_agg(buckets.number))
        .group_by(*by)
        .order_by(*by[: len(groups)])
    )


def _tally_sum(
    group: str, kind: str, measure: str, buckets: list[int], numbers: list[int]
) -> TallySum:
    return TallySum(group, kind, measure, dict(zip(buckets, numbers, strict=True)))
