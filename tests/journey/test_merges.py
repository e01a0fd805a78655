"""Leads that turn out to be one person keep one live handoff, with two scoring workers and four routers on Kafka."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import pytest
from sqlalchemy import text

from services.cli.processes import ROUTING_API, ROUTING_WORKER, SCORING_API, SCORING_WORKER
from shared.kafka.config import of
from shared.messaging.lag import behind
from tests.fault.audit import reading
from tests.fault.processes import join, leave, pause, resume
from tests.journey.world import Json, World, event, until
from tests.kafka.server import ApacheKafka

pytestmark = [
    pytest.mark.journey,
    pytest.mark.postgres,
    pytest.mark.kafka,
    pytest.mark.parametrize("lasting", [ApacheKafka], indirect=True),
]

PEOPLE = 6
ROUTERS = [ROUTING_WORKER.name, *(f"{ROUTING_WORKER.name}-{number}" for number in (1, 2, 3))]
LIVE = {"waiting", "assigned", "accepted", "contacted"}
AUSTRIAN = {"country": "AT"}
"""Traits by which a lead goes to a team of two reps."""


class Person(NamedTuple):
    """A person with two leads, until an event has the address and the user id of both."""

    email: str
    user_id: str

    def asks_by_email(self) -> Json:
        """The event that makes the first lead, and qualifies it."""
        return event(self.email, "demo_requested", "by-email", traits=AUSTRIAN)

    def asks_by_user_id(self) -> Json:
        """The event that makes the second lead, and qualifies it."""
        return self.asks_by_email() | {
            "id": f"{self.email}/by-user-id",
            "lead": {"user_id": self.user_id},
        }

    def signs_in(self) -> Json:
        """The event that shows that both leads are one person."""
        return event(self.email, "signed_in", "signs-in") | {
            "lead": {"email": self.email, "user_id": self.user_id}
        }


def people(world: World, name: str) -> list[Person]:
    emails = [world.fresh(name) for _ in range(PEOPLE)]
    return [Person(email, email.partition("@")[0]) for email in emails]


@pytest.fixture(scope="module")
def many_workers(lasting: World) -> Iterator[World]:
    """The installation with one more scoring worker and three more routers."""
    programs = [
        lasting.installation.program(SCORING_WORKER, 1),
        *(lasting.installation.program(ROUTING_WORKER, number) for number in (1, 2, 3)),
    ]
    join(lasting, *programs)
    yield lasting
    for program in programs:
        leave(lasting, program.name)


def leads_of(world: World, person: Person) -> set[str]:
    """The ids of the person's leads, as soon as each has qualified."""

    def qualified() -> set[str] | None:
        answers = [
            world.ask(SCORING_API, "/v1/leads", email=person.email),
            world.ask(SCORING_API, "/v1/leads", user_id=person.user_id, source="site"),
        ]
        leads = [it.json() for it in answers if it.status_code == 200]
        is_ready = len(leads) == 2 and all(it["stage"] == "qualified" for it in leads)
        return {it["id"] for it in leads} if is_ready else None

    return until(qualified, why=f"both leads of {person.email} are qualified")


def handoffs_of(world: World, leads: set[str]) -> list[Json]:
    """The handoffs of these leads."""
    return [
        handoff
        for lead in leads
        for handoff in world.get(ROUTING_API, "/v1/handoffs", lead=lead)["items"]
    ]


def settled(world: World, leads: set[str]) -> tuple[Json, Json]:
    """The handoff that stays and the one that was merged into it, as soon as there are both."""

    def find_pair() -> tuple[Json, Json] | None:
        handoffs = handoffs_of(world, leads)
        live = [it for it in handoffs if it["state"] in LIVE]
        merged = [it for it in handoffs if it["state"] == "merged"]
        return (live[0], merged[0]) if (len(live), len(merged)) == (1, 1) else None

    return until(find_pair, why=f"one of the handoffs of {leads} is merged")


def check_notifications(world: World, stays: Json, merged: Json) -> None:
    """The rep who had the merged handoff is notified once that it is withdrawn, and who has the lead now."""
    details = world.get(ROUTING_API, f"/v1/handoffs/{merged['id']}")
    holders = [it["rep"] for it in details["history"] if it["change"] == "assigned"]
    created = [it for it in details["deliveries"] if it["type"] == "handoff.withdrawn"]

    assert merged["merged_into"] == stays["id"]
    assert merged["rep"] is None
    assert [it["endpoint"] for it in created] == [f"rep/{holder}" for holder in holders]
    for delivery in created:
        [webhook] = until(lambda: world.receiver.of(merged["id"], "handoff.withdrawn"))
        assert webhook.id == delivery["id"]
        withdrawn = webhook.body["data"]["withdrawn"]
        assert withdrawn["reason"] == "merged"
        assert withdrawn["handoff_id"] == stays["id"]
        assert withdrawn["rep"] == stays["rep"]


def test_a_merge_after_both_assignments_leaves_the_handoff_that_a_rep_accepted(
    many_workers: World, running: World
) -> None:
    group = people(many_workers, "assigned")
    running.send(
        [it for person in group for it in (person.asks_by_email(), person.asks_by_user_id())]
    )
    leads = {person: leads_of(running, person) for person in group}
    accepted: dict[Person, str] = {}
    for person, ids in leads.items():
        pair = until(partial(_assigned_pair, running, ids), why="both are assigned")
        newest = max(pair, key=lambda it: it["qualified_at"])
        assert running.answer("ops", newest["id"], "accept").status_code == 200
        accepted[person] = newest["id"]

    running.send([person.signs_in() for person in group])

    for person in group:
        stays, merged = settled(running, leads[person])
        assert stays["id"] == accepted[person]
        assert len(_withdrawals(running, merged)) == 1
        check_notifications(running, stays, merged)


def _assigned_pair(world: World, leads: set[str]) -> list[Json] | None:
    handoffs = handoffs_of(world, leads)
    is_ready = len(handoffs) == 2 and all(it["state"] == "assigned" for it in handoffs)
    return handoffs if is_ready else None


def _withdrawals(world: World, handoff: Json) -> list[Json]:
    details = world.get(ROUTING_API, f"/v1/handoffs/{handoff['id']}")
    return [it for it in details["deliveries"] if it["type"] == "handoff.withdrawn"]


def test_merges_that_wait_beside_the_qualifications_leave_one_handoff(
    many_workers: World, running: World
) -> None:
    group = people(many_workers, "waiting")
    for router in ROUTERS:
        pause(running, router)
    running.send(
        [it for person in group for it in (person.asks_by_email(), person.asks_by_user_id())]
    )
    leads = {person: leads_of(running, person) for person in group}
    running.send([person.signs_in() for person in group])
    until(lambda: all(_is_one_lead(running, person) for person in group), why="all are merged")
    for router in ROUTERS:
        resume(running, router)

    for person in group:
        check_notifications(running, *settled(running, leads[person]))


def test_qualifications_and_merges_at_once_leave_one_handoff(
    many_workers: World, running: World
) -> None:
    group = people(many_workers, "at_once")
    for person in group:
        running.send([person.asks_by_email(), person.asks_by_user_id(), person.signs_in()])
    until(lambda: all(_is_one_lead(running, person) for person in group), why="all are merged")
    wait_until_idle(running)

    newest = running.get(ROUTING_API, "/v1/handoffs", limit=10 * PEOPLE)["items"]
    live = [it["lead_id"] for it in newest if it["state"] in LIVE]
    survivors = [running.get(SCORING_API, f"/v1/leads/{lead}") for lead in live]
    counts = Counter(it["email"] for it in survivors)
    assert {person.email: counts[person.email] for person in group} == dict.fromkeys(
        (person.email for person in group), 1
    )


def wait_until_idle(world: World) -> None:
    """Return when two looks in a row find every record published and processed: records cause other records."""
    config, idle = of(world.installation.stack.settings()), 0

    def is_idle() -> bool:
        nonlocal idle
        with sessions() as session:
            unpublished = session.scalar(_UNPUBLISHED)
        has_work = bool(unpublished) or any(it.records for it in behind(sessions, config))
        idle = 0 if has_work else idle + 1
        return idle == 2

    with reading(world) as sessions:
        until(is_idle, why="every record is processed")


_UNPUBLISHED = text("select count(*) from messaging.outbox where published_at is null")


def _is_one_lead(world: World, person: Person) -> bool:
    by_user_id = world.ask(SCORING_API, "/v1/leads", user_id=person.user_id, source="site")
    by_email = world.ask(SCORING_API, "/v1/leads", email=person.email)
    if {by_user_id.status_code, by_email.status_code} != {200}:
        return False
    return bool(by_user_id.json()["id"] == by_email.json()["id"])
