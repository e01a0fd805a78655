"""A month of changing rosters, from routing's announcements to the promise, against a plain count day by day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from services.alignment.api.promises import PromiseParameters, promises_to_date
from services.alignment.domain.capacity import CapacityDay
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.queries.capacity import TeamDays, days_of
from services.alignment.tables import capacity_days
from services.routing.domain.policy import RoutingPolicy
from services.routing.handlers import CapacityPlanner
from services.routing.queries.rosters import Rosters
from shared.agreement.store import Policies, publish
from shared.contracts.topics import CAPACITY_PLANNED
from tests.builders import DEFAULT_SECTIONS, days
from tests.seeds import random_of
from tests.services.alignment.capacity import BEGIN, read
from tests.services.routing.builders import entry, importing
from tests.services.scoring.conftest import payloads_in_outbox

pytestmark = pytest.mark.postgres

DAY = timedelta(days=1)
NOVEMBER = [BEGIN.date() + number * DAY for number in range(30)]
TEAMS = ("inbound", "emea")
SECTIONS = {
    "routing": {
        "teams": [{"id": it, "calendar": "office"} for it in TEAMS],
        "rules": [{"id": "everybody", "when": True, "team": "inbound"}],
    },
    "promises": {
        "sales": [
            {"id": "all", "measure": "capacity", "per": "month", "at_least": 1},
            {
                "id": "emea",
                "measure": "capacity",
                "per": "month",
                "at_least": 1,
                "where": 'team == "emea"',
            },
        ]
    },
}


@dataclass(frozen=True, slots=True)
class Person:
    """A rep of one day's file: the team, the limit a day, and the dates off from the first up to the last."""

    team: str
    limit: int
    off: tuple[date, date] | None

    def entry(self, name: str) -> dict[str, Any]:
        """The rep as the file says."""
        time_off = [{"from": str(self.off[0]), "to": str(self.off[1])}] if self.off else []
        return entry(name, team=self.team, capacity={"per_day": self.limit}, time_off=time_off)

    def takes(self, day: date) -> int:
        """What the rep can take on this date."""
        is_off = self.off is not None and self.off[0] <= day < self.off[1]
        return 0 if is_off or day.weekday() >= 5 else self.limit


def random_person(chance: Random) -> Person:
    since = chance.choice(NOVEMBER)
    off = (since, since + chance.randrange(1, 9) * DAY) if chance.random() < 0.4 else None
    return Person(chance.choice(TEAMS), chance.randrange(1, 30), off)


def live_through(session: Session, chance: Random) -> list[Mapping[str, Person]]:
    """Import a roster on some days of the month, and let routing's worker look every day; the rosters day by day."""
    planner = CapacityPlanner(Policies(RoutingPolicy), Rosters())
    rosters: list[Mapping[str, Person]] = []
    roster: dict[str, Person] = {}
    for number in range(len(NOVEMBER)):
        now = BEGIN + days(number + 0.5)
        if not roster or chance.random() < 0.4:
            names = chance.sample(["ada", "bob", "cyd", "dan", "eve"], chance.randrange(1, 6))
            roster = {it: random_person(chance) for it in names}
            entries = [person.entry(name) for name, person in roster.items()]
            importing(session, *entries, now=now, fallback=None)
        while planner.announce(session, now):
            pass
        rosters.append(roster)
    return rosters


def expected(rosters: Sequence[Mapping[str, Person]], teams: Sequence[str]) -> int:
    """The sum over the dates of what the roster of that date can take on it."""
    return sum(
        person.takes(day)
        for day, roster in zip(NOVEMBER, rosters, strict=True)
        for person in roster.values()
        if person.team in teams
    )


def stored(session: Session) -> list[CapacityDay]:
    return days_of(session, TeamDays(date.min, date.max), after=None, limit=10_000)


@pytest.mark.parametrize("seed", range(4))
def test_after_kafka_was_wiped_the_outbox_gives_the_same_days(session: Session, seed: int) -> None:
    """The relay publishes routing's records to the new log from the beginning; what was read before is read again.

    Alignment had read some of them, or nothing: its rows were lost too.
    """
    chance = random_of(seed)
    publish(session, json.dumps({**DEFAULT_SECTIONS, **SECTIONS}), by="test", now=BEGIN)
    live_through(session, chance)
    news = payloads_in_outbox(session, CAPACITY_PLANNED)
    read(session, *news)
    expected = stored(session)

    for kept in (len(news), chance.randrange(len(news)), 0):
        session.execute(delete(capacity_days))
        read(session, *news[:kept])
        again = [it for plan in news for it in [plan] * chance.randrange(1, 3)]
        if kept == 0:
            chance.shuffle(again)
        while again:
            size = chance.randrange(1, 20)
            read(session, *again[:size])
            again = again[size:]

        assert stored(session) == expected


@pytest.mark.parametrize("seed", range(4))
def test_the_month_is_what_the_roster_of_each_day_could_take(session: Session, seed: int) -> None:
    chance = random_of(seed)
    publish(session, json.dumps({**DEFAULT_SECTIONS, **SECTIONS}), by="test", now=BEGIN)
    rosters = live_through(session, chance)
    news = payloads_in_outbox(session, CAPACITY_PLANNED)
    news += chance.sample(news, len(news) // 2)
    chance.shuffle(news)
    while news:
        size = chance.randrange(1, 20)
        batch, news = news[:size], news[size:]
        read(session, *batch)

    report = promises_to_date(
        session,
        Policies(AlignmentPolicy),
        PromiseParameters(period="2026-11"),
        BEGIN + days(29.9),
    )

    values = {it.id: it.value for it in report.items}
    assert values == {"all": expected(rosters, TEAMS), "emea": expected(rosters, ["emea"])}
