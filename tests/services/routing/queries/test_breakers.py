"""Hosts that hang hold up nobody else, and get one try at a time until they answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Row, select, text

from services.routing.delivery.dispatcher import HOST_LIMIT, LEASE, claim
from services.routing.delivery.loop import MAX_QUICK, RESERVED_FOR_FIRST
from services.routing.domain.endpoints import Address
from services.routing.domain.formats import Format
from services.routing.handlers.endpoint_addresses import save_addresses
from services.routing.queries import breakers as queries
from services.routing.queries.claims import _DUE
from services.routing.tables import breakers
from shared.db.session import Sessions
from tests.services.routing.builders import vault
from tests.services.routing.delivery.post import Post, delivering, endpoint, notify, until
from tests.services.routing.delivery.receiver import Receiver, Reply, receiving

pytestmark = pytest.mark.postgres

PATIENCE_S = 240.0
"""Longer than a test takes: none of those that hang is given up meanwhile."""
IMPATIENCE_S = 0.5
"""After so long an attempt that hangs is given up, where a test needs that."""


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


@pytest.fixture
def hanging() -> Iterator[tuple[Receiver, threading.Event]]:
    """A host that answers nobody until the event is set."""
    answers = threading.Event()
    with receiving("127.0.0.2") as receiver:
        hang(receiver, answers)
        yield receiver, answers
        answers.set()


def hang(receiver: Receiver, answers: threading.Event) -> None:
    receiver.replies.default_factory = lambda: [Reply(204, hold=answers)]


def add(post: Post, receiver: Receiver, count: int, *, name: str = "crm") -> list[str]:
    """So many endpoints at a receiver."""
    ids = [f"rep/{name}-{number:03}" for number in range(count)]
    with post.sessions.begin() as session:
        for id in ids:
            endpoint(session, id, receiver.url(f"/{id}"))
    return ids


def tell(post: Post, *endpoints: str) -> None:
    with post.sessions.begin() as session:
        notify(session, *endpoints, now=post.now())


def open_breakers(post: Post) -> dict[str, Row[Any]]:
    with post.sessions() as session:
        return {row.id: row for row in session.execute(select(breakers))}


def starts_meanwhile(post: Post, id: str) -> None:
    """Told now, it is there before one that hangs is given up: its first request, at the path of its own."""
    tell(post, id)
    with post.receiver.arrival:
        assert post.receiver.arrival.wait_for(
            lambda: any(it.path == f"/{id}" for it in post.receiver.got), timeout=PATIENCE_S / 4
        )


def test_many_endpoints_of_a_hanging_host_do_not_delay_others(
    post: Post, hanging: tuple[Receiver, threading.Event]
) -> None:
    crm, answers = hanging
    reps = add(post, crm, 20)
    [healthy] = add(post, post.receiver, 1, name="healthy")
    tell(post, *reps * 8)
    with delivering(replace(post.dispatcher, patience_s=PATIENCE_S)):
        crm.wait(lambda got: len(got) >= HOST_LIMIT)
        starts_meanwhile(post, healthy)
        answers.set()
        until(lambda: {it.state for it in post.deliveries()} == {"delivered"})


def test_a_host_that_is_known_to_hang_does_not_delay_others(
    post: Post, hanging: tuple[Receiver, threading.Event]
) -> None:
    crm, answers = hanging
    reps = add(post, crm, 20)
    [healthy] = add(post, post.receiver, 1, name="healthy")
    tell(post, *reps * 8)
    with delivering(replace(post.dispatcher, patience_s=IMPATIENCE_S)):
        until(lambda: f"host/127.0.0.2:{crm.server_address[1]}" in open_breakers(post))
    before = len(crm.got)
    post.time_offset = timedelta(minutes=1)
    with delivering(replace(post.dispatcher, patience_s=PATIENCE_S)):
        crm.wait(lambda got: len(got) > before)
        starts_meanwhile(post, healthy)
        answers.set()
        until(lambda: open_breakers(post) == {})
        post.time_offset = timedelta(minutes=2)
        until(lambda: {it.state for it in post.deliveries()} == {"delivered"})


def test_a_hanging_host_gets_one_attempt_at_a_time_from_all_workers(
    post: Post, hanging: tuple[Receiver, threading.Event]
) -> None:
    crm, answers = hanging
    reps = add(post, crm, 12)
    tell(post, *reps[:4])
    dispatcher = replace(post.dispatcher, patience_s=IMPATIENCE_S)
    with delivering(dispatcher):
        until(lambda: len(open_breakers(post)) == 5)
    answers.set()
    until(lambda: crm.busy == 0)
    answers.clear()
    with crm.lock:
        crm.most_busy, before = 0, len(crm.got)
    tell(post, *reps * 6)
    post.time_offset = timedelta(minutes=1)
    with (
        delivering(replace(dispatcher, patience_s=20)),
        delivering(replace(dispatcher, patience_s=20)),
    ):
        crm.wait(lambda got: len(got) > before)
        assert claim(post.dispatcher, 99) == []
        assert crm.most_busy == 1
        answers.set()
        until(lambda: {it.state for it in post.deliveries()} == {"delivered"})

    assert open_breakers(post) == {}


def test_many_hanging_hosts_do_not_delay_others(post: Post) -> None:
    answers = threading.Event()
    [healthy] = add(post, post.receiver, 1, name="healthy")
    with ExitStack() as stack:
        for number in range(2, 20):
            host = stack.enter_context(receiving(f"127.0.0.{number}"))
            hang(host, answers)
            tell(post, *add(post, host, 1, name=f"on-{number}") * 4)
        with delivering(replace(post.dispatcher, patience_s=PATIENCE_S)):
            until(lambda: sum(it.attempt_count for it in post.deliveries()) >= 18 * 4 > MAX_QUICK)
            starts_meanwhile(post, healthy)
            answers.set()


def test_a_hanging_endpoint_does_not_delay_others_of_its_host(post: Post) -> None:
    answers = threading.Event()
    dead, *alive = add(post, post.receiver, 6)
    post.receiver.reply(f"/{dead}", Reply(204, hold=answers))
    tell(post, *[dead] * 8)
    with delivering(replace(post.dispatcher, patience_s=PATIENCE_S)):
        post.receiver.wait(lambda got: len(got) == 4)
        for id in alive:
            starts_meanwhile(post, id)
        answers.set()
        until(lambda: {it.state for it in post.deliveries()} == {"delivered"})


def test_of_a_host_that_answers_only_the_hanging_endpoint_is_known_to_hang(post: Post) -> None:
    answers = threading.Event()
    dead, *alive = add(post, post.receiver, 6)
    post.receiver.reply(f"/{dead}", Reply(204, hold=answers))
    tell(post, *alive, *[dead] * 8)
    with delivering(replace(post.dispatcher, patience_s=IMPATIENCE_S)):
        until(lambda: list(open_breakers(post)) == [dead])
        tell(post, *alive)
        post.receiver.wait(lambda got: sum(it.path != f"/{dead}" for it in got) == 10)
        answers.set()
        until(lambda: open_breakers(post) == {})


def test_a_probe_that_a_crash_interrupted_is_repeated_after_its_lease(post: Post) -> None:
    reps = add(post, post.receiver, 3)
    tell(post, *reps)
    with post.sessions.begin() as session:
        hangs = [queries.Hang(it, host(post), host_answers=False) for it in reps[:2]]
        queries.open_breakers(session, hangs, now=post.now())
    [probe] = claim(post.dispatcher, 9)
    assert probe.notification.endpoint == reps[2]
    assert claim(post.dispatcher, 9) == []

    post.time_offset = LEASE - timedelta(seconds=1)
    assert claim(post.dispatcher, 9) == []
    post.time_offset = LEASE + timedelta(seconds=1)
    assert len(claim(post.dispatcher, 9)) == 1


def host(post: Post) -> str:
    """The host of our receiver, as endpoints are grouped."""
    return f"127.0.0.1:{post.receiver.server_address[1]}"


def test_a_hanging_host_that_then_refuses_connections_gets_one_attempt_at_a_time(
    post: Post,
) -> None:
    with receiving("127.0.0.3") as gone:
        reps = add(post, gone, 3)
    tell(post, *reps)
    with post.sessions.begin() as session:
        hang = queries.Hang(reps[0], f"127.0.0.3:{gone.server_address[1]}", host_answers=False)
        queries.open_breakers(session, [hang], now=post.now())
    with delivering(post.dispatcher):
        until(lambda: [it.attempt_count for it in post.deliveries()] == [1, 1, 1])

    assert {it.detail.partition(":")[0] for it in post.attempts()} == {"ConnectError"}
    assert {it.failures for it in open_breakers(post).values()} == {1}


def test_a_new_url_closes_the_breaker_of_an_endpoint(post: Post) -> None:
    with post.sessions.begin() as session:
        queries.open_breakers(
            session, [queries.Hang("ops", "x", host_answers=True)], now=post.now()
        )
        assert list(open_breakers(post)) == []
    assert list(open_breakers(post)) == ["ops"]
    with post.sessions.begin() as session:
        address = Address("https://elsewhere.example", Format.STANDARD)
        save_addresses(session, {"ops": address}, vault=vault())
    assert open_breakers(post) == {}


def test_first_attempts_come_first_and_have_reserved_room(post: Post) -> None:
    reps = add(post, post.receiver, 30)
    tell(post, *reps * 2)
    with post.sessions.begin() as session:
        session.execute(text("update routing.deliveries set attempt_count = 1"))
    tell(post, *reps[:8])

    claimed = claim(post.dispatcher, MAX_QUICK, retries=MAX_QUICK - RESERVED_FOR_FIRST)

    numbers = [it.number for it in claimed]
    assert numbers.count(1) == 8
    assert len(numbers) == HOST_LIMIT
    assert claim(post.dispatcher, MAX_QUICK, retries=0) == []


def test_the_cost_of_a_claim_does_not_grow_with_delivered_or_pending_webhooks(
    post: Post,
) -> None:
    reps = add(post, post.receiver, 5)
    tell(post, *reps * 20)
    few = cost(post)
    with post.sessions.begin() as session:
        queries.open_breakers(
            session, [queries.Hang(reps[0], "x", host_answers=True)], now=post.now()
        )
        for state, attempts in (("delivered", 1), ("pending", 0), ("pending", 3)):
            session.execute(MANY, {"state": state, "attempt_count": attempts, "endpoint": reps[0]})
        session.execute(MANY, {"state": "pending", "attempt_count": 2, "endpoint": reps[1]})
        session.execute(MANY, {"state": "delivered", "attempt_count": 2, "endpoint": reps[1]})
    engine = post.sessions.kw["bind"]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze routing.deliveries"))

    assert cost(post) < 3 * few


MANY = text("""
    insert into routing.deliveries
        (id, endpoint, handoff_id, hop, type, body, state, attempt_count, next_attempt_at)
    select gen_random_uuid(), :endpoint, gen_random_uuid(), 1, 'handoff.breached', '', :state, :attempt_count,
        now() - interval '1 hour'
    from generate_series(1, 5000)
""")


def cost(post: Post) -> int:
    """How many pages a claim looks at."""
    arguments = {
        "now": post.now(),
        "attempts": 64,
        "retries": 48,
        "endpoint_limit": 4,
        "host_limit": 32,
    }
    with post.sessions() as session:
        plan = session.scalar(
            text(f"explain (analyze, buffers, format json) {_DUE.text}"), arguments
        )
    read = orjson.loads(orjson.dumps(plan))[0]["Plan"]
    return int(read["Shared Hit Blocks"]) + int(read["Shared Read Blocks"])
