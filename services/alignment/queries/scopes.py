"""Which handoffs the sums of a figure are about, and what of them is read that was not counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, case, func

from services.alignment.domain.groups import FIELDS, Groups
from services.alignment.domain.whole_days import edges_of, whole_days_of
from services.alignment.queries.selection import EVERYTHING, GroupBy, Selection, is_in
from services.alignment.queries.stale_days import STALE_DAYS, is_counted, of_stale_days
from services.alignment.tables import handoffs
from shared.db.time_range import TimeRange

handoff = handoffs.c
FACTS: Mapping[str, ColumnElement[Any]] = {it.value: handoff[it.value] for it in GroupBy}
"""The facts of handoffs by which sums are narrowed."""
OF_HANDOFF = {it: FACTS[it] for it in FIELDS}
"""Those of them that conditions read."""
ALL = ""
"""The field of sums of all handoffs of a day, and their name."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Handoffs by when they qualified, by their facts, and by the groups that a condition holds for."""

    since: datetime
    until: datetime
    filters: Selection = EVERYTHING
    groups: Groups | None = None

    @property
    def fields(self) -> frozenset[str]:
        """The facts by which it is narrowed."""
        return self.filters.fields.union(() if self.groups is None else self.groups.fields)

    @property
    def field(self) -> str | None:
        """The field of the sums that are read if it is narrowed by one fact at most; else None."""
        return next(iter(self.fields), ALL) if len(self.fields) < 2 else None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on handoffs."""
        times = TimeRange(self.since, self.until).conditions(handoff.qualified_at)
        groups = [] if self.groups is None else [is_in(self.groups, FACTS)]
        return [*times, *self.filters.conditions(), *groups]

    def narrowed(self, columns: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[bool]]:
        """The conditions on facts in these columns, which have an empty text for what is not known."""
        groups = [] if self.groups is None else [is_in(self.groups, columns)]
        return [*self.filters.narrowed(columns), *groups]

    def counted(self, counted_on: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The conditions on the day of what was counted and holds."""
        since, until = (it.astimezone(UTC).date() for it in whole_days_of(self.since, self.until))
        return [is_counted(counted_on), counted_on >= since, counted_on < until]

    @property
    def read_itself(self) -> list[Uncounted]:
        """The handoffs that are read themselves, where sums of one field are read beside them."""
        return [self.itself] if self.field is None else self.uncounted

    @property
    def uncounted(self) -> list[Uncounted]:
        """The handoffs that are read beside what was counted: of stale days, and of parts of days."""
        stale = STALE_DAYS.join(handoffs, of_stale_days(handoff.qualified_at))
        whole = self._within(*whole_days_of(self.since, self.until))
        edges = [self._within(*it) for it in edges_of(self.since, self.until)]
        return [Uncounted(stale, whole.conditions()), *(it.itself for it in edges)]

    @property
    def itself(self) -> Uncounted:
        """All handoffs, where nothing was counted."""
        return Uncounted(handoffs, self.conditions())

    def _within(self, since: datetime, until: datetime) -> Scope:
        return replace(self, since=since, until=until)


def named(scope: Scope, name: ColumnElement[str]) -> list[ColumnElement[bool]]:
    """The conditions on the name of a row of sums of the scope's field."""
    return scope.narrowed({it.value: name for it in GroupBy})


def field_and_name(columns: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """The field and the name of a row that is grouped by one of these facts, or by none."""
    is_of = {it.value: func.grouping(columns[it.value]) == 0 for it in GroupBy}
    field = case(*((condition, it) for it, condition in is_of.items()), else_=ALL)
    names = {it: func.coalesce(columns[it], "") for it in is_of}
    name = case(*((condition, names[it]) for it, condition in is_of.items()), else_=ALL)
    return [field.label("field"), name.label("name")]


class Uncounted(NamedTuple):
    """Handoffs that are read themselves."""

    source: FromClause
    conditions: list[ColumnElement[bool]]
