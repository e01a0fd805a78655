"""What teams can take is announced when it has changed, once, and once a day."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy.orm import Session

from services.routing.domain.policy import RoutingPolicy
from services.routing.domain.roster import OPEN_END, Absence, RecordedAbsence
from services.routing.handlers import CapacityPlanner
from services.routing.handlers.absences import record_absence
from services.routing.handlers.deactivation import deactivate_rep
from services.routing.queries.rosters import Rosters
from shared.agreement.store import Policies
from shared.contracts.payloads import CapacityPlanned
from shared.contracts.payloads.capacity import DAYS_AHEAD
from shared.contracts.topics import CAPACITY_PLANNED
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, days, minutes
from tests.services.routing.builders import entry, importing, publishing
from tests.services.scoring.conftest import payloads_in_outbox

pytestmark = pytest.mark.postgres

TEN = {"capacity": {"per_day": 10}}
OPEN_ON_THURSDAYS = {
    "calendars": [{"id": "office", "zone": "UTC", "hours": {"thu": ["09:00-17:00"]}}],
    "policies": DEFAULT_SECTIONS["sla"]["policies"],
}


def planner() -> CapacityPlanner:
    return CapacityPlanner(Policies(RoutingPolicy), Rosters())


def announced(session: Session) -> list[CapacityPlanned]:
    return payloads_in_outbox(session, CAPACITY_PLANNED)


def last_week(session: Session) -> list[int]:
    """What the first seven days of the last announcement sum to, day by day."""
    return [it.leads for it in announced(session)[-1].days[:7]]


def test_nothing_is_announced_without_reps_or_without_an_agreement(session: Session) -> None:
    assert not planner().announce(session, NOON)

    publishing(session)

    assert not planner().announce(session, NOON)
    assert announced(session) == []


def test_a_plan_is_announced_once_until_the_next_day(session: Session) -> None:
    publishing(session)
    importing(session, entry("grace", **TEN), entry("linus", **TEN))
    first, second = planner(), planner()

    results = [
        first.announce(session, NOON),
        first.announce(session, NOON + minutes(1)),
        first.announce(session, NOON + minutes(2)),
        second.announce(session, NOON + minutes(3)),
    ]

    [plan] = announced(session)
    assert results == [True, False, False, False]
    assert (plan.team, plan.number, plan.agreement_version) == ("sales", 1, 1)
    assert plan.planned_at == NOON
    assert [it.on for it in plan.days] == [NOON.date() + days(it) for it in range(DAYS_AHEAD)]
    assert [it.leads for it in plan.days[:7]] == [20, 20, 20, 0, 0, 20, 20]
    assert first.announce(session, NOON + days(1))
    assert second.announce(session, NOON + days(1)) is False
    plan = announced(session)[-1]
    assert (plan.number, plan.days[0].on) == (2, date(2026, 11, 19))


def fire_linus(session: Session) -> None:
    deactivate_rep(session, "linus", now=NOON)


def let_linus_go_home(session: Session) -> None:
    sick = RecordedAbsence(Absence(NOON - days(1), OPEN_END), "ops/olga")
    record_absence(session, "linus", sick, now=NOON)


def hire(session: Session) -> None:
    importing(session, entry("grace", **TEN), entry("linus", **TEN), entry("rosa", **TEN))


def close_but_for_thursdays(session: Session) -> None:
    publishing(session, sla=OPEN_ON_THURSDAYS)


@pytest.mark.parametrize(
    ("change", "week"),
    [
        (fire_linus, [10, 10, 10, 0, 0, 10, 10]),
        (let_linus_go_home, [10, 10, 10, 0, 0, 10, 10]),
        (hire, [30, 30, 30, 0, 0, 30, 30]),
        (close_but_for_thursdays, [0, 20, 0, 0, 0, 0, 0]),
    ],
)
def test_a_change_of_reps_or_calendars_is_announced(
    session: Session, change: Callable[[Session], None], week: list[int]
) -> None:
    publishing(session)
    importing(session, entry("grace", **TEN), entry("linus", **TEN))
    process = planner()
    while process.announce(session, NOON):
        pass

    change(session)

    assert process.announce(session, NOON + minutes(1))
    assert last_week(session) == week
    assert not process.announce(session, NOON + minutes(2))


def test_a_change_that_leaves_the_numbers_as_they_are_is_not_announced(session: Session) -> None:
    publishing(session)
    importing(session, entry("grace", **TEN))
    process = planner()
    while process.announce(session, NOON):
        pass

    importing(session, entry("grace", **TEN, languages=["en"]))
    publishing(session, name="Another name")

    assert not process.announce(session, NOON)
    assert len(announced(session)) == 1


def test_an_announcement_that_was_rolled_back_is_made_again(sessions: Sessions) -> None:
    with sessions.begin() as session:
        publishing(session)
        importing(session, entry("grace", **TEN))
    process = planner()

    with sessions() as session:
        assert process.announce(session, NOON)
        session.rollback()
    with sessions.begin() as session:
        assert process.announce(session, NOON)

    with sessions() as session:
        assert [it.number for it in announced(session)] == [1]


def test_workers_that_look_at_once_announce_once(sessions: Sessions) -> None:
    with sessions.begin() as session:
        publishing(session)
        importing(session, entry("grace", **TEN))

    def announce(process: CapacityPlanner) -> bool:
        with sessions.begin() as session:
            return process.announce(session, NOON)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(announce, [planner() for _ in range(4)]))

    assert sorted(results) == [False, False, False, True]
    with sessions() as session:
        assert [it.number for it in announced(session)] == [1]
