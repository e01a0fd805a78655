"""Processes are killed while secrets of endpoints change, and while the webhooks of a time are sent again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.cli.processes import ROUTING_API, ROUTING_DELIVERY
from shared.clock import utc_now
from tests.fault.audit import reading
from tests.fault.processes import metric
from tests.fault.proof import Disturbance, Proof
from tests.fault.stream import FULL
from tests.journey.world import Json, World, until
from tests.loopback import NO_TLS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

ROUNDS = 4 if FULL else 2
LATEST_KILL_S = 0.03
"""How long after a request its process is killed at the latest: most requests take about as long."""
KILLS = 2
"""How often the delivery is killed while a replay goes on."""
ENDPOINTS = ("rep/ada", "rep/bob")


@dataclass
class Command:
    """A command of ops, sent again until it is answered, as ops do who got no answer."""

    world: World
    path: str
    body: Json | None = None
    requests: int = 0
    answers: list[Json] = field(default_factory=list)

    def send_while(self, disturb: Callable[[], None]) -> Json:
        """Send it, while the process that takes it is disturbed; returns its answer."""
        thread = Thread(target=self._send)
        thread.start()
        disturb()
        thread.join()
        [answer] = self.answers
        return answer

    def _send(self) -> None:
        with self.world.client(ROUTING_API, "ops") as client:
            self.answers.append(until(lambda: self._answer(client), within_s=60, why=self.path))

    def _answer(self, client: httpx.Client) -> Json | None:
        self.requests += 1
        try:
            answer = client.post(self.path, json=self.body)
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            return None
        assert answer.status_code < 300, answer.text
        return dict(answer.json())


def _kill_api(disturbance: Disturbance) -> None:
    """Kill the API at a random moment of a request."""
    Event().wait(disturbance.chance.uniform(0, LATEST_KILL_S))
    began_s = time.monotonic()
    disturbance.world.kill(ROUTING_API)
    until(lambda: _ready(disturbance.world), within_s=30, why="the API is ready again")
    disturbance.times += 1
    disturbance.recover_s.append(time.monotonic() - began_s)


def _ready(world: World) -> bool:
    try:
        url = world.installation.url(ROUTING_API) + ROUTING_API.health
        return httpx.get(url, timeout=2, trust_env=False, verify=NO_TLS).status_code == 200
    except httpx.TransportError:
        return False


def _kill_delivery(disturbance: Disturbance) -> None:
    """Kill the delivery while it sends webhooks, and wait until it sends them again."""
    Event().wait(disturbance.chance.uniform(0, 0.2))
    began_s = time.monotonic()
    disturbance.world.kill(ROUTING_DELIVERY)
    attempts = "leadbaton_delivery_attempts_total"
    until(
        lambda: metric(disturbance.world, ROUTING_DELIVERY.name, attempts) > 0,
        within_s=60,
        why="webhooks are sent again",
    )
    disturbance.times += 1
    disturbance.recover_s.append(time.monotonic() - began_s)


def test_killed_while_secrets_change_every_webhook_is_signed_with_the_old_and_the_new(
    proof: Proof,
) -> None:
    """The receiver verifies each webhook with the secret of the import: a fault if one is not signed with it."""
    world = proof.world
    with proof.disturb("kill -9 in the rotation of a secret", "rotated") as disturbance:
        disturbance.wait_for_flow()
        for number in range(ROUNDS):
            endpoint = ENDPOINTS[number % len(ENDPOINTS)]
            command = Command(world, f"/v1/endpoints/{endpoint}/rotate-secret")
            answer = command.send_while(lambda: _kill_api(disturbance))
            _wait_for_webhook(world, endpoint, answer["secret"])
            _kill_delivery(disturbance)


def _wait_for_webhook(world: World, endpoint: str, secret: str) -> None:
    """Wait for a webhook that is sent from now on, and check that it is signed with the new secret."""
    since = int(utc_now().timestamp()) + 2

    def later() -> list[Any]:
        webhooks = list(world.receiver.webhooks)
        return [it for it in webhooks if it.endpoint == endpoint and it.sent_at >= since]

    webhooks = until(later, within_s=60, why=f"a webhook to {endpoint}")
    assert all(it.is_signed_with(secret) for it in webhooks)


def test_killed_while_it_goes_on_a_replay_sends_everything_again(proof: Proof) -> None:
    """A webhook arrives once more for the replay, and at most once more for each repeated request and each kill."""
    with proof.disturb("kill -9 in the replay of a range", "replayed") as disturbance:
        disturbance.wait_for_flow()
        for number in range(ROUNDS):
            _replay(disturbance, ENDPOINTS[number % len(ENDPOINTS)])


def _replay(disturbance: Disturbance, endpoint: str) -> None:
    """Replay the last half hour of the endpoint while processes are killed, and check how often each webhook came."""
    world, end = disturbance.world, utc_now()
    begin = end - timedelta(minutes=30)
    ids, before = _delivered(world, endpoint, begin, end), _arrivals(world)
    body = {"endpoint": endpoint, "since": begin.isoformat(), "until": end.isoformat()}
    command = Command(world, "/v1/deliveries/replay", body)
    command.send_while(lambda: _kill_api(disturbance))
    for _ in range(KILLS):
        _kill_delivery(disturbance)
    until(
        lambda: ids <= _delivered(world, endpoint, begin, end),
        within_s=120,
        why="everything is sent again",
    )
    arrivals = _arrivals(world)
    more = {id: arrivals[id] - before[id] for id in ids}
    assert ids, "nothing was delivered before"
    assert [id for id, times in more.items() if times < 1] == [], "lost"
    assert max(more.values()) <= command.requests + KILLS


def _delivered(world: World, endpoint: str, begin: datetime, end: datetime) -> set[str]:
    """The ids of the endpoint's deliveries of this time that are delivered now."""
    statement = text("""
        select id from routing.deliveries
        where endpoint = :endpoint and created_at >= :begin and created_at < :end and state = 'delivered'
    """)
    with reading(world) as sessions, sessions() as session:
        ids = session.scalars(statement, {"endpoint": endpoint, "begin": begin, "end": end})
        return {str(id) for id in ids}


def _arrivals(world: World) -> Counter[str]:
    """How often each webhook has arrived."""
    return Counter(it.id for it in list(world.receiver.webhooks))
