"""After kills, stops and outages the results are those of an undisturbed run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

import httpx
import pytest

from services.cli.processes import PROCESSES, SCORING_API
from shared.embedded.broker import Broker
from tests.journey.world import Json, World, event, until
from tests.kafka.server import ApacheKafka
from tests.loopback import NO_TLS

pytestmark = [pytest.mark.journey, pytest.mark.postgres, pytest.mark.fault]

PEOPLE = 30
CHUNK = 10
TRAITS = {"employees": 500, "country": "AT"}


def people(tag: str) -> list[str]:
    return [f"{tag}-{number}@stream.example.com" for number in range(PEOPLE)]


def stream(tag: str) -> Iterator[list[Json]]:
    """The events of the people, interleaved: half of them qualify by looking at prices, half by asking for a demo."""
    for start in range(0, PEOPLE, CHUNK):
        group = people(tag)[start : start + CHUNK]
        for step in range(4):
            yield [_step(email, step, asks=at % 2 == 0) for at, email in enumerate(group)]


def _step(email: str, step: int, *, asks: bool) -> Json:
    type = "demo_requested" if asks and step == 3 else "page_viewed"
    path = "/about" if asks and step < 2 else "/pricing"
    return event(email, type, str(step), traits=TRAITS, properties={"path": path})


@dataclass(frozen=True)
class Outcome:
    """The results of one person."""

    events: int
    stage: str
    fit: float
    engagement: float
    tiers: tuple[str, ...]
    assigned: tuple[int, int]
    """How many ids the webhooks of the assignment have, and 1 if there is at least one webhook."""
    breaches: int
    broken: set[str]
    """The promises whose breach is dated to the instant at which they were due."""


def outcome(running: World, email: str) -> Outcome:
    """Wait for the assignment and the breach of this person, and return the results."""
    handoff = running.handoff(email, "assigned")
    webhooks = until(
        lambda: running.receiver.of(handoff["id"], "handoff.assigned"), why="assigned told"
    )
    broken = until(
        lambda: running.receiver.of(handoff["id"], "handoff.breached"), why="breach told"
    )
    clocks = running.clocks(handoff["id"])
    lead = until(lambda: running.lead(email))
    return Outcome(
        events=len(running.get(SCORING_API, f"/v1/leads/{lead['id']}/events")["items"]),
        stage=lead["stage"],
        fit=lead["fit"],
        engagement=round(lead["engagement"], 1),
        tiers=tuple(it["tier"] for it in running.handoffs(email)),
        assigned=(len({it.id for it in webhooks}), min(len(webhooks), 1)),
        breaches=len({it.id for it in broken}),
        broken={policy for policy, it in clocks.items() if it["breached_at"] == it["due_at"]},
    )


@pytest.fixture(scope="package")
def undisturbed(lasting: World) -> list[Outcome]:
    """The results of the stream without a fault."""
    for chunk in stream("undisturbed"):
        lasting.send(chunk)
    return [outcome(lasting, email) for email in people("undisturbed")]


def test_the_undisturbed_run_is_what_the_agreement_says(undisturbed: list[Outcome]) -> None:
    for number, outcome_ in enumerate(undisturbed):
        assert outcome_.events == 4
        assert outcome_.tiers == (("hot",) if number % 2 == 0 else ("warm",))
        assert outcome_.assigned == (1, 1)
        assert outcome_.breaches == 1
        assert outcome_.broken == {"patience"}


@pytest.mark.parametrize("service", sorted({it.command[0] for it in PROCESSES}))
def test_processes_that_are_killed_lose_and_double_nothing(
    running: World, undisturbed: list[Outcome], service: str
) -> None:
    """The processes of a service are killed together, three times."""
    tag = f"killed-{service}"
    for number, chunk in enumerate(stream(tag)):
        running.send(chunk)
        if number in {3, 6, 10}:
            for process in PROCESSES:
                if process.command[0] == service:
                    running.kill(process)

    assert [outcome(running, email) for email in people(tag)] == undisturbed


def test_all_processes_stop_in_time_under_load_and_leave_nothing_half_done(
    running: World, undisturbed: list[Outcome]
) -> None:
    running.neglect()
    sent = Thread(target=send_all, args=(running, "stopped"))
    sent.start()
    until(lambda: running.lead(people("stopped")[0]), why="some of it is done")

    began = time.monotonic()
    killed = running.installation.stop()

    assert killed == []
    assert time.monotonic() - began < 10
    running.installation.supervisor.start()
    running.restart()
    sent.join()
    assert [outcome(running, email) for email in people("stopped")] == undisturbed


def send_all(running: World, tag: str) -> None:
    for chunk in stream(tag):
        running.send(chunk, within_s=60)


def test_without_the_broker_the_api_says_ok_and_nothing_is_lost(
    running: World, undisturbed: list[Outcome]
) -> None:
    broker = running.installation.stack.broker
    assert isinstance(broker, Broker | ApacheKafka)
    chunks = list(stream("outage"))
    for chunk in chunks[:4]:
        running.send(chunk)

    broker.pause()
    answers = [running.post(chunk) for chunk in chunks[4:]]
    broker.resume()

    assert {it.status_code for it in answers} == {200}
    assert all(
        result["status"] == "ok" for it in answers for result in it.json()["results"].values()
    )
    assert [outcome(running, email) for email in people("outage")] == undisturbed


def test_the_loss_of_the_broker_loses_nothing(running: World, undisturbed: list[Outcome]) -> None:
    broker = running.installation.stack.broker
    assert isinstance(broker, Broker | ApacheKafka)
    for number, chunk in enumerate(stream("lost")):
        running.send(chunk)
        if number == 5:
            broker.kill()

    assert [outcome(running, email) for email in people("lost")] == undisturbed


def test_a_crash_of_the_database_loses_nothing(running: World, undisturbed: list[Outcome]) -> None:
    for number, chunk in enumerate(stream("crash")):
        running.send(chunk, within_s=60)
        if number == 5:
            running.crash_database()

    assert [outcome(running, email) for email in people("crash")] == undisturbed


def test_without_both_servers_the_api_asks_to_retry(running: World) -> None:
    broker = running.installation.stack.broker
    assert isinstance(broker, Broker | ApacheKafka)
    email = running.fresh("both")
    running.post([event(email, "page_viewed", "known")])
    running.neglect()
    running.installation.stack.postgres.stop("immediate")
    broker.pause()

    answer = running.post([event(email, "demo_requested", "refused")])

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"]
    running.restart()
    running.send([event(email, "demo_requested", "refused")])
    running.handoff(email, "assigned")


def test_the_api_starts_without_kafka(running: World) -> None:
    broker = running.installation.stack.broker
    assert isinstance(broker, Broker | ApacheKafka)
    running.neglect()
    broker.kill()
    running.kill(SCORING_API)

    email = running.fresh("early")
    until(lambda: _alive(running), why="alive")
    running.send([event(email, "demo_requested", "asks")])

    running.restart()
    running.handoff(email, "assigned")


def _alive(running: World) -> bool:
    """Whether the scoring API answers; the supervisor starts it again if it has died."""
    running.installation.supervisor.maintain()
    return _status(f"{running.installation.url(SCORING_API)}/healthz") == 200


def _status(url: str) -> int | None:
    try:
        return httpx.get(url, timeout=2, trust_env=False, verify=NO_TLS).status_code
    except httpx.TransportError:
        return None
