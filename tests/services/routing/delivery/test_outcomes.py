"""Webhooks: what fails is tried again, passed on, or given up in plain sight."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import event, text

from services.routing.delivery import Dispatcher, deliver
from services.routing.delivery.dispatcher import claim
from services.routing.delivery.send import post_webhook
from services.routing.main import run_delivery
from services.routing.queries import deliveries, delivery_lists
from services.routing.queries.endpoints import disabled_endpoints
from shared.db.session import Sessions, engine_for, sessions_on
from shared.embedded.postgres import PostgresServer, free_port
from shared.http.outbound import guarded_client
from shared.http.probes import Probes
from shared.process.destinations import destinations
from tests.damage import stop_after_patience
from tests.services.routing.builders import (
    entry,
    importing,
    vault,
)
from tests.services.routing.delivery.post import GRACE, LOOPBACK, Post, until
from tests.services.routing.delivery.receiver import Reply, receiving

pytestmark = pytest.mark.postgres


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def test_a_failed_webhook_is_attempted_again_with_the_same_id(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(500, body=b"oh \x00 no"), Reply(200))
    post.assign()
    post.run(until=1)
    [row] = post.deliveries()
    assert row.state == "pending"
    assert row.next_attempt_at > post.now() + timedelta(seconds=3)
    assert claim(post.dispatcher, 9) == []

    post.time_offset = timedelta(seconds=6)
    post.run(until=2)

    first, second = post.receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(row.id)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert [(it.number, it.status) for it in post.attempts()] == [(1, 500), (2, 200)]
    with post.sessions() as session:
        [delivery] = delivery_lists.list_deliveries(session, limit=9)
    assert [it.detail for it in delivery.attempts] == ["oh \ufffd no", ""]
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]


def test_410_disables_the_endpoint_and_notifies_the_team_and_ops(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(410))
    post.assign()
    post.run(until=3)

    assert sorted(post.states()) == [
        ("ops", "endpoint.disabled", "delivered"),
        ("rep/grace", "handoff.assigned", "exhausted"),
        ("team/sales", "handoff.undelivered", "delivered"),
    ]
    post.assign("alan")
    post.run(until=4)
    assert [it.path for it in post.receiver.got].count(GRACE) == 1
    assert post.receiver.got[-1].path == "/teams/sales"
    with post.sessions.begin() as session:
        assert list(disabled_endpoints(session)) == ["rep/grace"]
        importing(session, entry("grace", endpoint={"url": post.receiver.url(GRACE)}))
        assert disabled_endpoints(session) == {}


def test_an_exhausted_delivery_notifies_the_team_and_can_be_redelivered(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(500))
    post.assign()
    for number in range(1, 11):
        post.run(until=number)
        post.time_offset += timedelta(hours=11)
    [row, passed_on] = post.deliveries()
    assert (row.state, row.attempt_count) == ("exhausted", 10)
    assert (passed_on.endpoint, passed_on.type) == ("team/sales", "handoff.undelivered")

    post.receiver.reply(GRACE, Reply(500), Reply(200))
    with post.sessions.begin() as session:
        assert deliveries.redeliver(session, row.id, now=post.now())
    post.run(until=12)
    post.time_offset += timedelta(seconds=6)
    post.run(until=13)

    assert post.deliveries()[0].state == "delivered"
    ids = {it.headers["webhook-id"] for it in post.receiver.got if it.path == GRACE}
    assert ids == {str(row.id)}


def test_redirects_are_not_followed(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(302, {"location": post.receiver.url("/elsewhere")}))
    post.assign()
    post.run(until=1)

    assert [(it.status,) for it in post.attempts()] == [(302,)]
    assert [it.path for it in post.receiver.got] == [GRACE]
    assert post.deliveries()[0].state == "pending"


def test_retry_after_is_honoured(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(503, {"retry-after": "600"}))
    post.assign()
    post.run(until=1)

    [row] = post.deliveries()
    assert timedelta(seconds=590) < row.next_attempt_at - post.now() <= timedelta(seconds=600)


def test_a_private_address_that_is_not_allowed_gets_no_request(post: Post) -> None:
    post.assign()
    guarded = Dispatcher(post.sessions, vault(), destinations([]), post.now, lambda: 0.0)
    stop, wake_event = threading.Event(), asyncio.Event()

    async def main() -> None:
        task = asyncio.create_task(
            deliver(guarded, stop=stop, wake_event=wake_event, beat=lambda: None)
        )
        while not await asyncio.to_thread(post.attempts):
            wake_event.set()
        stop.set()
        wake_event.set()
        await task

    asyncio.run(main())

    assert post.receiver.got == []
    [attempt] = post.attempts()
    assert attempt.status is None
    assert "LEADBATON_ALLOW_NETWORKS" in attempt.detail


def test_a_response_that_does_not_come_in_time_is_a_failed_attempt(post: Post) -> None:
    hold = threading.Event()
    post.receiver.reply(GRACE, Reply(200, hold=hold))
    post.assign()

    post.run(until=1, dispatcher=replace(post.dispatcher, patience_s=0.2))
    hold.set()

    [attempt] = post.attempts()
    assert (attempt.status, attempt.detail) == (None, "no answer within 0.2 s")


def test_a_refused_connection_is_a_failed_attempt(post: Post) -> None:
    with post.sessions.begin() as session:
        nobody = f"http://127.0.0.1:{free_port()}/"
        importing(session, entry("grace", endpoint={"url": nobody}))
    post.assign()

    async def main() -> None:
        async with guarded_client(LOOPBACK, connections=1) as client:
            response = await post_webhook(client, nobody, headers={}, body=b"", within_s=5)
        assert response.status is None
        assert response.detail.startswith("ConnectError")

    asyncio.run(main())


def test_without_the_database_the_dispatcher_waits(post: Post) -> None:
    engine = engine_for(f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere")
    away = replace(post.dispatcher, sessions=sessions_on(engine))
    stop = threading.Event()

    asyncio.run(deliver(away, stop=stop, wake_event=asyncio.Event(), beat=stop.set))
    engine.dispose()

    assert post.receiver.got == []


def test_an_attempt_during_an_outage_is_recorded_when_the_database_is_back(
    post: Post, database_url: str
) -> None:
    answers, refused = threading.Event(), threading.Event()
    post.receiver.reply(GRACE, Reply(204, hold=answers))
    post.assign()
    engine = engine_for(database_url, lock_timeout_ms=50)
    event.listen(engine, "handle_error", lambda _: refused.set())
    dispatcher = replace(post.dispatcher, sessions=sessions_on(engine))
    running = threading.Thread(target=post.run, kwargs={"until": 1, "dispatcher": dispatcher})
    running.start()
    post.receiver.wait(lambda got: len(got) == 1)
    with post.sessions() as session:
        session.execute(text("lock table routing.handoffs in access exclusive mode"))
        answers.set()
        assert refused.wait(10)
    running.join()
    engine.dispose()

    assert len(post.receiver.got) == 1
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]


def test_outcomes_of_an_outage_are_recorded_after_it(
    mortal_postgres: PostgresServer,
) -> None:
    engine = engine_for(mortal_postgres.url())
    answers, away, stop = threading.Event(), threading.Event(), threading.Event()
    event.listen(engine, "handle_error", lambda _: away.set())
    with receiving() as receiver:
        post = Post(sessions_on(engine), receiver)
        receiver.reply(GRACE, Reply(204, hold=answers))
        post.assign()
        running = threading.Thread(
            target=lambda: asyncio.run(
                deliver(post.dispatcher, stop=stop, wake_event=asyncio.Event(), beat=lambda: None)
            )
        )
        running.start()
        receiver.wait(lambda got: len(got) == 1)
        mortal_postgres.stop("immediate")
        answers.set()
        assert away.wait(20)
        mortal_postgres.start()
        until(lambda: post.states() == [("rep/grace", "handoff.assigned", "delivered")])
        stop.set()
        running.join()

    assert [it.number for it in post.attempts()] == [1]
    assert len(receiver.got) == 1
    engine.dispose()


def test_the_milliseconds_of_an_attempt_are_milliseconds(post: Post) -> None:
    hold, pause = threading.Event(), threading.Event()
    post.receiver.reply(GRACE, Reply(204, hold=hold))
    post.assign()
    sums = [sum_of_seconds()]

    def answer() -> None:
        post.receiver.wait(lambda got: len(got) == 1)
        pause.wait(0.25)
        hold.set()

    answering = threading.Thread(target=answer)
    answering.start()
    began_s = time.monotonic()
    post.run(until=1)
    most_ms = (time.monotonic() - began_s) * 1000
    answering.join()
    sums.append(sum_of_seconds())

    with post.sessions() as session:
        [delivery] = delivery_lists.list_deliveries(session, limit=9)
    [attempt] = delivery.attempts
    assert 250 <= attempt.took_ms <= most_ms
    assert 0.25 <= sums[1] - sums[0] <= most_ms / 1000


def sum_of_seconds() -> float:
    """How long all tries took so far, as a scrape would see."""
    return REGISTRY.get_sample_value("leadbaton_delivery_attempt_seconds_sum") or 0.0


def test_the_delivery_stops_with_the_error_of_its_listener(
    sessions: Sessions, database_url: str
) -> None:
    """Its own connections work; that of the listener has an option that PostgreSQL does not know."""
    engine = engine_for(f"{database_url}?no_such_option=1")

    with receiving() as receiver, stop_after_patience() as stop:
        delivery = run_delivery(
            Post(sessions, receiver).dispatcher, engine, stop=stop, probe=Probes()
        )
        with pytest.raises(psycopg.ProgrammingError, match="no_such_option"):
            asyncio.run(delivery)
