"""Figures: how each measure is computed from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from services.alignment.domain import measures
from services.alignment.domain.groups import Group, Groups, fields_read, groups_where
from services.alignment.domain.measures import Figure, Measured
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.speeds import business_times
from services.alignment.queries.measures import (
    count_attempts,
    count_groups,
    count_kept,
    count_reasons,
    laps_of,
    times_of,
)
from services.alignment.queries.populations import Population
from shared.agreement.cel.condition import Condition

MEDIAN = 0.5
MAX_LAPS = 100_000
"""Business hours are computed for so many leads at most."""


def figure_of(session: Session, population: Population, policy: AlignmentPolicy) -> Figure:
    """The figure of this population, by this version of the agreement."""
    compute = _FIGURES.get(population.subject.measure, _share)
    return compute(session, population, policy)


def business_figure(
    session: Session,
    population: Population,
    policy: AlignmentPolicy,
    p: float,
    *,
    limit: int = MAX_LAPS,
) -> Figure:
    """The figure of a time in the business hours of the teams; none of more leads than the limit."""
    laps = laps_of(session, population, limit=limit + 1)
    if len(laps) > limit:
        why = f"business hours are computed for {limit:,} leads at most: name a shorter period"
        return Figure(None, measures.SECONDS, len(laps), why)
    times = business_times(laps, policy.calendars)
    return measures.time_within(len(times), measures.nearest_rank(times, p))


def groups_of(
    session: Session, population: Population, where: Condition | None
) -> tuple[Groups | None, list[Group]]:
    """The groups of a population that the condition holds for, None where there is no condition; and all of them."""
    if where is None:
        return None, []
    fields = fields_read([where])
    groups = [it.group for it in count_groups(session, population, fields)]
    return groups_where(where, fields, groups), groups


def _count(session: Session, population: Population, _: AlignmentPolicy) -> Figure:
    return measures.qualified(count_kept(session, population).n)


def _share(session: Session, population: Population, _: AlignmentPolicy) -> Figure:
    return measures.share_of(count_kept(session, population))


def _reasons(session: Session, population: Population, _: AlignmentPolicy) -> Figure:
    return measures.share_of(count_reasons(session, population))


def _value(session: Session, population: Population, policy: AlignmentPolicy) -> Figure:
    money = policy.agreement.money
    if money is None or not money.value:
        return Figure(None, measures.MONEY, 0, "the agreement has no `money.value`")
    fields = fields_read(it.when for it in money.value)
    counts = count_groups(session, population, fields)
    return measures.qualified_value(fields, counts, money.value, money.currency)


def _time(session: Session, population: Population, _: AlignmentPolicy) -> Figure:
    times = times_of(session, population, population.subject.p or MEDIAN)
    return measures.time_within(times.n, times.within)


def _attempts(session: Session, population: Population, _: AlignmentPolicy) -> Figure:
    counted = count_attempts(session, population)
    return measures.attempts_per_lead(counted.kept, counted.n)


def _capacity(_: Session, __: Population, ___: AlignmentPolicy) -> Figure:
    return measures.capacity(None)


_FIGURES: Mapping[Measured, Callable[[Session, Population, AlignmentPolicy], Figure]] = {
    Measured.QUALIFIED: _count,
    Measured.QUALIFIED_VALUE: _value,
    Measured.HANDOVER_TIME: _time,
    Measured.ATTEMPTS: _attempts,
    Measured.ATTEMPTS_SPREAD: _time,
    Measured.UNTOUCHED: _count,
    Measured.REASONS: _reasons,
    Measured.CAPACITY: _capacity,
    Measured.TIME_TO_ACCEPT: _time,
    Measured.TIME_TO_CONTACT: _time,
    Measured.TIME_TO_WIN: _time,
    Measured.RECYCLED: _count,
}
"""How each measure is computed; those that are not here are shares."""
