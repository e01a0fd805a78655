"""Figures that cannot be computed say why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from services.alignment.api.figures import business_figure, figure_of
from services.alignment.api.reading import Reading
from services.alignment.domain.measures import Measured, Subject
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.queries.populations import Population
from shared.agreement.store import Policies, publish
from shared.contracts.payloads import Change
from tests.builders import DEFAULT_SECTIONS, NOON, days
from tests.services.alignment.builders import numbered, qualified, read, step

pytestmark = pytest.mark.postgres


@pytest.fixture
def policy(session: Session) -> AlignmentPolicy:
    """An agreement without money; Ada's lead and Alan's were accepted."""
    publish(session, json.dumps(DEFAULT_SECTIONS), by="test", now=NOON)
    for lead in ("ada", "alan"):
        steps = (step(Change.ASSIGNED, lead=lead), step(Change.ACCEPTED, 5, lead=lead))
        read(session, qualified(lead), *numbered(*steps))
    return Policies(AlignmentPolicy).current(session)


def population(measure: Measured) -> Population:
    return Population(Subject(measure, NOON.date() - days(7), NOON.date(), NOON, p=0.5))


def test_value_without_money_is_unknown(session: Session, policy: AlignmentPolicy) -> None:
    figure = figure_of(
        Reading(session, Policies(AlignmentPolicy)), population(Measured.QUALIFIED_VALUE), policy
    )

    assert figure.is_unknown
    assert figure.why == "the agreement has no `money.value`"


def test_leads_of_a_version_that_was_never_published_here_have_no_business_hours(
    session: Session, policy: AlignmentPolicy
) -> None:
    steps = (step(Change.ASSIGNED, lead="emmy"), step(Change.ACCEPTED, 5, lead="emmy"))
    read(session, qualified("emmy", agreement_version=7), *numbered(*steps))
    reading = Reading(session, Policies(AlignmentPolicy))

    assert business_figure(reading, population(Measured.TIME_TO_ACCEPT)).n == 2
    assert figure_of(reading, population(Measured.TIME_TO_ACCEPT), policy).n == 3


@pytest.mark.parametrize(("at_most", "value"), [(300, 5), (3.5, 4.25)])
def test_times_are_exact_where_the_target_lies_between_two_steps(
    session: Session, policy: AlignmentPolicy, at_most: float, value: float
) -> None:
    read(session, qualified("emmy"), step(Change.ASSIGNED, 4.25 / 60, lead="emmy"))
    promise = replace(
        population(Measured.HANDOVER_TIME).subject, p=1, at_most=timedelta(seconds=at_most)
    )
    figure = figure_of(Reading(session, Policies(AlignmentPolicy)), Population(promise), policy)

    assert figure.value == value


@pytest.mark.parametrize(("cohort_s", "share"), [(1.5, 0), (2.5, 1 / 3)])
def test_wins_are_compared_exactly_with_a_cohort_between_two_steps(
    session: Session, policy: AlignmentPolicy, cohort_s: float, share: float
) -> None:
    won = step(Change.WON, 2 / 60, lead="emmy", amount=5, currency="EUR")
    read(session, qualified("emmy"), *numbered(step(Change.ASSIGNED, lead="emmy"), won))
    cohort = timedelta(seconds=cohort_s)
    subject = replace(population(Measured.WIN_RATE).subject, now=NOON + days(1), cohort=cohort)
    figure = figure_of(Reading(session, Policies(AlignmentPolicy)), Population(subject), policy)

    assert (figure.n, figure.value) == (3, share)
