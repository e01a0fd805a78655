"""Figures that cannot be computed say why."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.orm import Session

from services.alignment.api.attribution import find_policy
from services.alignment.api.figures import business_figure, figure_of
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
    policy = find_policy(session, Policies(AlignmentPolicy))
    assert policy is not None
    return policy


def population(measure: Measured) -> Population:
    return Population(Subject(measure, NOON.date() - days(7), NOON.date(), NOON, p=0.5))


def test_value_without_money_is_unknown(session: Session, policy: AlignmentPolicy) -> None:
    figure = figure_of(session, population(Measured.QUALIFIED_VALUE), policy)

    assert figure.is_unknown
    assert figure.why == "the agreement has no `money.value`"


def test_business_hours_are_computed_for_so_many_leads_at_most(
    session: Session, policy: AlignmentPolicy
) -> None:
    accepted = population(Measured.TIME_TO_ACCEPT)

    assert business_figure(session, accepted, policy, 0.5, limit=2).n == 2

    figure = business_figure(session, accepted, policy, 0.5, limit=1)
    assert figure.value is None
    assert figure.why == ("business hours are computed for 1 leads at most: name a shorter period")
