"""Attainment is what the SLA monitor counts, at every moment when all that it announced is read."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy.orm import Session

from services.alignment.domain.measures import Counted, Measured, Subject
from services.alignment.queries.clocks import kept_clocks
from services.alignment.queries.populations import Population
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from shared.contracts.payloads import Change, HandoffChanged
from tests.builders import NOON, an_id
from tests.seeds import random_of
from tests.services.alignment.builders import read
from tests.services.sla_monitor.builders import (
    ACCEPT,
    JOURNEY,
    TOUCH,
    announced_changes,
    handle_changes,
    minutes_after_noon,
    numbered,
    outcome_counts,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres

KINDS = (
    Change.ACCEPTED,
    Change.CONTACTED,
    Change.DELIVERED,
    Change.LOST,
    Change.RETURNED,
    Change.WON,
)


def random_history(seed: int, lead: str) -> list[HandoffChanged]:
    """A handoff that is assigned at noon, and what happens with it soon after it, in any order of time."""
    chance = random_of(seed)
    steps = [
        step(chance.choice(KINDS), chance.randrange(1, 70)) for _ in range(chance.randrange(2, 6))
    ]
    ids: dict[str, Any] = {"lead_id": an_id(lead), "handoff_id": an_id(f"{an_id(lead)}/1")}
    return [replace(it, **ids) for it in numbered(step(Change.ASSIGNED), *steps)]


@pytest.mark.parametrize("seed", range(3))
def test_attainment_is_what_the_sla_monitor_counts(session: Session, seed: int) -> None:
    publish_policies(session, ACCEPT, TOUCH, JOURNEY)
    chance = random_of(seed)
    changes = [it for lead in range(20) for it in random_history(31 * seed + lead, f"lead {lead}")]
    chance.shuffle(changes)

    minute = 0
    while changes:
        batch, changes = changes[:9], changes[9:]
        minute += chance.randrange(1, 40)
        handle_changes(session, *batch, minute=minute)
        fire_due_clocks(session, now=minutes_after_noon(minute))
        announced = announced_changes(session)
        chance.shuffle(announced)
        read(session, *announced)

        assert counted(session) == monitored(session)


def counted(session: Session) -> Counted:
    """The promises that alignment counts, and those of them that were met."""
    first, last = (NOON - timedelta(days=9)).date(), (NOON + timedelta(days=9)).date()
    subject = Subject(Measured.ATTAINMENT, first, last, NOON)
    sums = [
        kept_clocks(session, Population(dataclasses.replace(subject, policy=it)))
        for it in ("accept", "touch", "journey")
    ]
    return Counted(sum(it.n for it in sums), sum(it.kept for it in sums))


def monitored(session: Session) -> Counted:
    """The promises that the SLA monitor's own tallies count, and those of them that were met."""
    outcomes = outcome_counts(session)
    outcomes.pop("reported_late", None)
    return Counted(sum(outcomes.values()), outcomes.get("met", 0))
