"""Which handoffs or clocks a figure is computed from, and which of them count for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from services.alignment.domain.funnel import Stage
from services.alignment.domain.groups import Groups
from services.alignment.domain.measures import Measured, Subject
from services.alignment.domain.progress import Outcome
from services.alignment.domain.promised_dates import DAY, midnight
from services.alignment.queries.promises import IS_BROKEN, IS_MET
from services.alignment.queries.scopes import FACTS, Scope
from services.alignment.queries.selection import (
    COUNTED,
    EVERYTHING,
    IN_STAGE,
    IS_LOST,
    IS_REJECTED,
    IS_UNTOUCHED,
    Selection,
)
from services.alignment.tables import handoffs, promises

handoff, promise = handoffs.c, promises.c
later = handoffs.alias("later")
TRIGGERED_AT = func.coalesce(handoff.triggered_at, handoff.qualified_at)
"""When the event happened that qualified the lead."""
OF_CLOCK: Mapping[str, ColumnElement[Any]] = {
    **{it: func.coalesce(fact, "") for it, fact in FACTS.items()},
    **{it: func.coalesce(func.nullif(promise[it], ""), FACTS[it], "") for it in ("team", "tier")},
}
"""The facts by which clocks are counted: the team and the tier that one was about, and the others of its handoff."""


@dataclass(frozen=True, slots=True)
class Population:
    """The handoffs or clocks of a figure: by its subject, by facts, and by the groups that a condition holds for."""

    subject: Subject
    filters: Selection = EVERYTHING
    groups: Groups | None = None

    @property
    def is_of_clocks(self) -> bool:
        """Whether clocks are counted, each by its due date; else handoffs are, by when they qualified."""
        return self.subject.measure is Measured.ATTAINMENT

    @property
    def scope(self) -> Scope:
        """The handoffs among which those of the figure are."""
        return Scope(*_bounds(self.subject), self.filters, self.groups)

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on what is counted."""
        if not self.is_of_clocks:
            return [*self.scope.conditions(), counted(self.subject)]
        return [*self._of_clocks(), *self.scope.narrowed(OF_CLOCK)]

    def _of_clocks(self) -> list[ColumnElement[bool]]:
        subject = self.subject
        return [
            promise.policy == subject.policy,
            promise.due_on.between(subject.first, subject.last),
            or_(IS_MET, IS_BROKEN),
        ]


def _bounds(subject: Subject) -> tuple[datetime, datetime]:
    """When the handoffs qualified; those of a cohort so long before, and not later than so long ago."""
    since, until = midnight(subject.first), midnight(subject.last + DAY)
    if subject.cohort is None:
        return since, until
    return since - subject.cohort, min(until, subject.now) - subject.cohort


def counted(subject: Subject) -> ColumnElement[bool]:
    """The condition on a handoff that the figure is computed from."""
    return _COUNTED.get(subject.measure, COUNTED)


def kept(subject: Subject) -> ColumnElement[bool]:
    """The condition on a handoff or a clock that counts for the figure, among those that it is computed from."""
    condition = _KEPT.get(subject.measure)
    return true() if condition is None else condition(subject)


def _is_fast(subject: Subject) -> ColumnElement[bool]:
    return true() if subject.at_most is None else handover_time(subject.now) <= subject.at_most


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


def handover_time(now: datetime) -> ColumnElement[Any]:
    """The time until the first assignment, or so far; none is less than nothing, whatever the senders' clocks say."""
    end = func.coalesce(handoff.assigned_at, cast(literal(now), handoff.qualified_at.type))
    return func.greatest(end - TRIGGERED_AT, timedelta())


_ANSWERED = or_(IN_STAGE[Stage.ACCEPTED], IN_STAGE[Stage.REJECTED])
IS_WAITING = and_(COUNTED, handoff.assigned_at.is_(None), handoff.closed_at.is_(None))
HAS_REASONS = and_(
    or_(~IS_REJECTED, handoff.rejection_reason.is_not(None)),
    or_(~IS_LOST, handoff.loss_reason.is_not(None)),
)
_COUNTED: Mapping[Measured, ColumnElement[bool]] = {
    Measured.ACCEPTANCE_RATE: _ANSWERED,
    Measured.REJECTED_SHARE: _ANSWERED,
    Measured.COMPLETENESS: and_(COUNTED, handoff.traits.is_not(None)),
    Measured.HANDOVER_TIME: or_(IN_STAGE[Stage.ASSIGNED], IS_WAITING),
    Measured.ATTEMPTS: IN_STAGE[Stage.ASSIGNED],
    Measured.ATTEMPTS_SPREAD: and_(COUNTED, func.cardinality(handoff.attempted_at) > 1),
    Measured.UNTOUCHED: IS_UNTOUCHED,
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
