"""What the figures of one report are computed from, each thing read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.groups import GroupCount
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.sums import BUSINESS, Counts, StepCounts, Timed, Valued
from services.alignment.queries.counts import counts_in, group_counts
from services.alignment.queries.open_hours import OpenHours, hours_of
from services.alignment.queries.scopes import Scope
from services.alignment.queries.times import times_in, waiting_in
from services.alignment.queries.values import values_in
from shared.agreement.store import Policies

_SALES = (Timed.SPREAD, Timed.ACCEPT, Timed.CONTACT, Timed.WIN)
_READ_TOGETHER = (*((it,) for it in (Timed.HANDOVER, Timed.WHOLE)), _SALES, tuple(sorted(BUSINESS)))


class Reading:
    """The sums of handoffs in the scopes of a report's figures."""

    def __init__(self, session: Session, policies: Policies[AlignmentPolicy]) -> None:
        self.session = session
        self._policies = policies
        self._counts: dict[Scope, Counts] = {}
        self._times: dict[tuple[Scope, Timed], StepCounts] = {}
        self._values: dict[tuple[Scope, Valued], Mapping[str, int]] = {}

    def counts(self, scope: Scope) -> Counts:
        """How many handoffs of each kind there are."""
        if scope not in self._counts:
            self._counts[scope] = counts_in(self.session, scope)
        return self._counts[scope]

    def groups(self, scope: Scope, fields: Sequence[str]) -> list[GroupCount]:
        """How many qualified by these facts."""
        if not fields:
            return [GroupCount((), self.counts(scope).qualified)]
        return group_counts(self.session, scope, fields)

    def times(self, scope: Scope, kind: Timed) -> StepCounts:
        """How many times of this kind there are, by their seconds in steps."""
        if (scope, kind) not in self._times:
            kinds = next(it for it in _READ_TOGETHER if kind in it)
            hours = self._hours(scope) if kind in BUSINESS else None
            counts = times_in(self.session, scope, kinds, hours)
            self._times.update({(scope, it): counts[it] for it in kinds})
        return self._times[scope, kind]

    def waiting(self, scope: Scope, now: datetime) -> StepCounts:
        """How long leads have waited for their first assignment."""
        return waiting_in(self.session, scope, now)

    def values(self, scope: Scope, kind: Valued) -> Mapping[str, int]:
        """How many handoffs have each value."""
        if (scope, kind) not in self._values:
            self._values[scope, kind] = values_in(self.session, scope, kind)
        return self._values[scope, kind]

    def _hours(self, scope: Scope) -> OpenHours:
        return OpenHours(hours_of(self.session, self._policies, scope.read_itself))
