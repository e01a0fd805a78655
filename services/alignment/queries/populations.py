"""Which handoffs or clocks a figure is computed from, and which of them count for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Text,
    and_,
    cast,
    column,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)

from services.alignment.domain.funnel import Stage
from services.alignment.domain.groups import FIELDS, Groups
from services.alignment.domain.measures import Measured, Subject
from services.alignment.domain.progress import Outcome
from services.alignment.domain.promised_dates import DAY, midnight
from services.alignment.queries.promises import IS_BROKEN, IS_MET
from services.alignment.queries.selection import COUNTED, IN_STAGE, Selection
from services.alignment.tables import handoffs, promises
from shared.db.time_range import TimeRange

handoff, promise = handoffs.c, promises.c
FIRST = 1
"""The index of the first value of an array."""
later = handoffs.alias("later")


@dataclass(frozen=True, slots=True)
class Population:
    """The handoffs or clocks of a figure: by its subject, by facts, and by the groups that a condition holds for."""

    subject: Subject
    filters: Selection | None = None
    groups: Groups | None = None

    @property
    def is_of_clocks(self) -> bool:
        """Whether clocks are counted, each by its due date; else handoffs are, by when they qualified."""
        return self.subject.measure is Measured.ATTAINMENT

    @property
    def source(self) -> FromClause:
        """The tables that are read."""
        if self.is_of_clocks:
            return promises.outerjoin(handoffs, promise.handoff_id == handoff.handoff_id)
        return handoffs

    @property
    def columns(self) -> Mapping[str, ColumnElement[Any]]:
        """The facts by which conditions hold; a clock has the team and the tier that it was about."""
        columns: dict[str, ColumnElement[Any]] = {it: handoff[it] for it in FIELDS}
        if self.is_of_clocks:
            of_clock = {
                it: func.coalesce(func.nullif(promise[it], ""), handoff[it])
                for it in ("team", "tier")
            }
            columns.update(of_clock)
        return columns

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on what is counted."""
        return [
            *(self._of_clocks() if self.is_of_clocks else self._of_handoffs()),
            *([] if self.filters is None else self.filters.conditions()),
            *([] if self.groups is None else [_is_in(self.groups, self.columns)]),
        ]

    def _of_clocks(self) -> list[ColumnElement[bool]]:
        subject = self.subject
        return [
            promise.policy == subject.policy,
            promise.due_on.between(subject.first, subject.last),
            or_(IS_MET, IS_BROKEN),
        ]

    def _of_handoffs(self) -> list[ColumnElement[bool]]:
        return [*_times(self.subject).conditions(handoff.qualified_at), counted(self.subject)]


def _times(subject: Subject) -> TimeRange:
    """When the handoffs qualified; those of a cohort so long before, and not later than so long ago."""
    since, until = midnight(subject.first), midnight(subject.last + DAY)
    if subject.cohort is None:
        return TimeRange(since, until)
    return TimeRange(since - subject.cohort, min(until, subject.now) - subject.cohort)


def counted(subject: Subject) -> ColumnElement[bool]:
    """The condition on a handoff that the figure is computed from."""
    return _COUNTED.get(subject.measure, COUNTED)


def kept(subject: Subject) -> ColumnElement[bool]:
    """The condition on a handoff or a clock that counts for the figure, among those that it is computed from."""
    condition = _KEPT.get(subject.measure)
    return true() if condition is None else condition(subject)


def _is_fast(subject: Subject) -> ColumnElement[bool]:
    return true() if subject.at_most is None else time_of(subject) <= subject.at_most


def _is_won_in_cohort(subject: Subject) -> ColumnElement[bool]:
    cohort = subject.cohort or timedelta()
    return and_(IN_STAGE[Stage.WON], handoff.closed_at - handoff.qualified_at <= cohort)


def _is_rejected_for(subject: Subject) -> ColumnElement[bool]:
    reason = func.coalesce(handoff.rejection_reason, "")
    return and_(IN_STAGE[Stage.REJECTED], reason == (subject.reason or ""))


def _has_later(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the lead has a later qualification for which the condition holds."""
    return (
        select(later.c.lead_id)
        .where(
            later.c.lead_id == handoff.lead_id,
            later.c.qualification > handoff.qualification,
            later.c.qualified_at.is_not(None),
            later.c.outcome.is_distinct_from(Outcome.MERGED.value),
            condition,
        )
        .exists()
    )


def span_of(subject: Subject) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The instants between which a time is measured."""
    attempts = handoff.attempted_at
    match subject.measure:
        case Measured.HANDOVER_TIME:
            begin = func.coalesce(handoff.triggered_at, handoff.qualified_at)
            return begin, func.coalesce(handoff.assigned_at, _instant(subject.now))
        case Measured.ATTEMPTS_SPREAD:
            return attempts[FIRST], attempts[func.cardinality(attempts)]
        case Measured.TIME_TO_ACCEPT:
            return handoff.qualified_at, handoff.accepted_at
        case Measured.TIME_TO_CONTACT:
            return handoff.accepted_at, handoff.contacted_at
    return handoff.contacted_at, handoff.closed_at


def time_of(subject: Subject) -> ColumnElement[Any]:
    """The time that is measured of a handoff; none is less than nothing, whatever the senders' clocks say."""
    begin, end = span_of(subject)
    return func.greatest(end - begin, timedelta())


def _instant(at: datetime) -> ColumnElement[datetime]:
    return cast(literal(at), handoff.qualified_at.type)


def _is_in(groups: Groups, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    """Whether the facts are those of one of the groups."""
    if not groups.members or not groups.fields:
        return true() if groups.members else false()
    rows = [dict(zip(groups.fields, it, strict=True)) for it in groups.members]
    members = (
        func.json_to_recordset(cast(literal(orjson.dumps(rows).decode(), Text), JSON))
        .table_valued(*(column(it, Text) for it in groups.fields), name="member")
        .render_derived(with_types=True)
    )
    facts = [func.coalesce(columns[it], "") for it in groups.fields]
    return tuple_(*facts).in_(select(*(members.c[it] for it in groups.fields)))


_ANSWERED = or_(IN_STAGE[Stage.ACCEPTED], IN_STAGE[Stage.REJECTED])
IS_REJECTED = and_(COUNTED, handoff.rejected_at.is_not(None))
IS_LOST = IN_STAGE[Stage.LOST]
HAS_REASONS = and_(
    or_(~IS_REJECTED, handoff.rejection_reason.is_not(None)),
    or_(~IS_LOST, handoff.loss_reason.is_not(None)),
)
_COUNTED: Mapping[Measured, ColumnElement[bool]] = {
    Measured.ACCEPTANCE_RATE: _ANSWERED,
    Measured.REJECTED_SHARE: _ANSWERED,
    Measured.COMPLETENESS: and_(COUNTED, handoff.traits.is_not(None)),
    Measured.HANDOVER_TIME: and_(
        COUNTED, or_(handoff.assigned_at.is_not(None), handoff.closed_at.is_(None))
    ),
    Measured.ATTEMPTS: IN_STAGE[Stage.ASSIGNED],
    Measured.ATTEMPTS_SPREAD: and_(COUNTED, func.cardinality(handoff.attempted_at) > 1),
    Measured.UNTOUCHED: and_(
        IN_STAGE[Stage.ACCEPTED], handoff.contacted_at.is_(None), handoff.closed_at.is_(None)
    ),
    Measured.REASONS: or_(IS_REJECTED, IS_LOST),
    Measured.CAPACITY: false(),
    Measured.TIME_TO_ACCEPT: IN_STAGE[Stage.ACCEPTED],
    Measured.TIME_TO_CONTACT: and_(IN_STAGE[Stage.CONTACTED], handoff.accepted_at.is_not(None)),
    Measured.TIME_TO_WIN: and_(IN_STAGE[Stage.WON], handoff.contacted_at.is_not(None)),
    Measured.RECYCLED: IN_STAGE[Stage.RECYCLED],
    Measured.QUALIFIED_AGAIN: IN_STAGE[Stage.RECYCLED],
    Measured.ACCEPTED_AGAIN: IN_STAGE[Stage.RECYCLED],
    Measured.WON_AGAIN: IN_STAGE[Stage.RECYCLED],
}
"""What each measure counts; those that are not here count every qualified lead."""
_KEPT: Mapping[Measured, Callable[[Subject], ColumnElement[bool]]] = {
    Measured.ACCEPTANCE_RATE: lambda _: IN_STAGE[Stage.ACCEPTED],
    Measured.REJECTED_SHARE: _is_rejected_for,
    Measured.COMPLETENESS: lambda subject: handoff.traits.contains(list(subject.traits)),
    Measured.HANDOVER_TIME: _is_fast,
    Measured.ATTAINMENT: lambda _: IS_MET,
    Measured.REASONS: lambda _: HAS_REASONS,
    Measured.WIN_RATE: _is_won_in_cohort,
    Measured.QUALIFIED_AGAIN: lambda _: _has_later(true()),
    Measured.ACCEPTED_AGAIN: lambda _: _has_later(later.c.accepted_at.is_not(None)),
    Measured.WON_AGAIN: lambda _: _has_later(later.c.outcome == Outcome.WON.value),
}
"""What counts for each measure; for those that are not here, all that is counted."""
