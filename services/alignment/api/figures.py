"""Figures: how each measure is computed from what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from services.alignment.api.capacity_figures import capacity_figure, groups_of_teams
from services.alignment.api.reading import Reading
from services.alignment.domain import measures
from services.alignment.domain.groups import Group, Groups, fields_read, groups_where
from services.alignment.domain.measures import Counted, Figure, Measured
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.sums import Counts, StepCounts, Timed, Valued
from services.alignment.domain.time_steps import is_on_step, nearest_rank
from services.alignment.queries.clocks import clock_groups, kept_clocks
from services.alignment.queries.measures import count_kept, handover_times
from services.alignment.queries.populations import Population
from shared.agreement.cel.condition import Condition

MEDIAN = 0.5


def figure_of(reading: Reading, population: Population, policy: AlignmentPolicy) -> Figure:
    """The figure of this population, by this version of the agreement; times in wall time."""
    return _FIGURES[population.subject.measure](reading, population, policy)


def business_figure(reading: Reading, population: Population) -> Figure:
    """The figure of a time in the business hours of the teams."""
    subject = population.subject
    return _figure_of_times(reading.times(population.scope, _IN_HOURS[subject.measure]), subject.p)


def groups_of(
    reading: Reading, population: Population, where: Condition | None
) -> tuple[Groups | None, list[Group]]:
    """The groups of a population that the condition holds for, None where there is no condition; and all of them."""
    if where is None:
        return None, []
    fields = fields_read([where])
    groups = groups_in_population(reading, population, fields)
    return groups_where(where, fields, groups), groups


def groups_in_population(
    reading: Reading, population: Population, fields: Sequence[str]
) -> list[Group]:
    """The different values of these facts among what a figure counts."""
    if population.subject.measure is Measured.CAPACITY:
        return groups_of_teams(reading.session, population.subject, fields)
    if population.is_of_clocks:
        return clock_groups(reading.session, population, fields)
    return [it.group for it in reading.groups(population.scope, fields)]


def rejection_reasons(reading: Reading, population: Population) -> list[str]:
    """The reasons for which leads were rejected, the most frequent first; an empty text: none is known."""
    counts = reading.values(population.scope, Valued.REASON)
    return sorted(counts, key=lambda it: (-counts[it], it))


_Compute = Callable[[Reading, Population, AlignmentPolicy], Figure]


def _number(count: Callable[[Counts], int]) -> _Compute:
    return lambda reading, population, _: measures.qualified(
        count(reading.counts(population.scope))
    )


def _share(count: Callable[[Counts], Counted]) -> _Compute:
    return lambda reading, population, _: measures.share_of(count(reading.counts(population.scope)))


def _time(kind: Timed) -> _Compute:
    return lambda reading, population, _: _figure_of_times(
        reading.times(population.scope, kind), population.subject.p
    )


def _figure_of_times(counts: StepCounts, p: float | None) -> Figure:
    seconds = nearest_rank(counts, p or MEDIAN)
    within = None if seconds is None else timedelta(seconds=seconds)
    return measures.time_within(sum(counts.values()), within)


def _handover(reading: Reading, population: Population, _: AlignmentPolicy) -> Figure:
    subject, scope = population.subject, population.scope
    p = subject.p or MEDIAN
    if subject.at_most is not None and not is_on_step(subject.at_most):
        exact = handover_times(reading.session, population, p)
        return measures.time_within(exact.n, exact.within)
    counts = Counter(reading.times(scope, Timed.HANDOVER))
    counts.update(reading.waiting(scope, subject.now))
    return _figure_of_times(counts, p)


def _rejected_share(reading: Reading, population: Population, _: AlignmentPolicy) -> Figure:
    counts = reading.counts(population.scope)
    reasons = reading.values(population.scope, Valued.REASON)
    kept = reasons.get(population.subject.reason or "", 0)
    return measures.share_of(Counted(counts.accepted + counts.rejected, kept))


def _completeness(reading: Reading, population: Population, _: AlignmentPolicy) -> Figure:
    counts = reading.values(population.scope, Valued.TRAITS)
    needed = set(population.subject.traits)
    kept = sum(number for names, number in counts.items() if needed <= set(names.split("\n")))
    return measures.share_of(Counted(sum(counts.values()), kept))


def _win_rate(reading: Reading, population: Population, _: AlignmentPolicy) -> Figure:
    cohort = population.subject.cohort or timedelta()
    if not is_on_step(cohort):
        return measures.share_of(count_kept(reading.session, population))
    times = reading.times(population.scope, Timed.WHOLE)
    kept = sum(number for seconds, number in times.items() if seconds <= cohort.total_seconds())
    return measures.share_of(Counted(reading.counts(population.scope).qualified, kept))


def _attainment(reading: Reading, population: Population, _: AlignmentPolicy) -> Figure:
    return measures.share_of(kept_clocks(reading.session, population))


def _value(reading: Reading, population: Population, policy: AlignmentPolicy) -> Figure:
    money = policy.agreement.money
    if money is None or not money.value:
        return Figure(None, measures.MONEY, 0, "the agreement has no `money.value`")
    fields = fields_read(it.when for it in money.value)
    counts = reading.groups(population.scope, fields)
    return measures.qualified_value(fields, counts, money.value, money.currency)


def _attempts(reading: Reading, population: Population, _: AlignmentPolicy) -> Figure:
    counts = reading.counts(population.scope)
    return measures.attempts_per_lead(counts.attempts, counts.assigned)


def _capacity(reading: Reading, population: Population, _: AlignmentPolicy) -> Figure:
    return capacity_figure(reading.session, population)


_FIGURES: Mapping[Measured, _Compute] = {
    Measured.QUALIFIED: _number(lambda it: it.qualified),
    Measured.QUALIFIED_VALUE: _value,
    Measured.ACCEPTANCE_RATE: _share(lambda it: Counted(it.accepted + it.rejected, it.accepted)),
    Measured.REJECTED_SHARE: _rejected_share,
    Measured.COMPLETENESS: _completeness,
    Measured.HANDOVER_TIME: _handover,
    Measured.ATTAINMENT: _attainment,
    Measured.ATTEMPTS: _attempts,
    Measured.ATTEMPTS_SPREAD: _time(Timed.SPREAD),
    Measured.UNTOUCHED: _number(lambda it: it.untouched),
    Measured.REASONS: _share(lambda it: Counted(it.answers, it.reasoned)),
    Measured.WIN_RATE: _win_rate,
    Measured.CAPACITY: _capacity,
    Measured.TIME_TO_ACCEPT: _time(Timed.ACCEPT),
    Measured.TIME_TO_CONTACT: _time(Timed.CONTACT),
    Measured.TIME_TO_WIN: _time(Timed.WIN),
    Measured.RECYCLED: _number(lambda it: it.recycled),
    Measured.QUALIFIED_AGAIN: _share(lambda it: Counted(it.recycled, it.qualified_again)),
    Measured.ACCEPTED_AGAIN: _share(lambda it: Counted(it.recycled, it.accepted_again)),
    Measured.WON_AGAIN: _share(lambda it: Counted(it.recycled, it.won_again)),
}
"""How each measure is computed."""
_IN_HOURS: Mapping[Measured, Timed] = {
    Measured.TIME_TO_ACCEPT: Timed.BUSINESS_ACCEPT,
    Measured.TIME_TO_CONTACT: Timed.BUSINESS_CONTACT,
    Measured.TIME_TO_WIN: Timed.BUSINESS_WIN,
}
"""The times that are also measured in business hours."""
