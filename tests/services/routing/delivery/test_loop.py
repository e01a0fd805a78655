"""A worker that is asked to stop waits for nobody long, and records what it can."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import event, text

from services.routing.delivery import deliver
from services.routing.delivery.dispatcher import claim
from services.routing.delivery.finished import FinishedAttempt
from services.routing.delivery.loop import record_last
from services.routing.domain.attempts import Delivered, Response
from services.routing.queries.deliveries import Attempt
from shared.db.session import Sessions, engine_for, sessions_on
from shared.embedded.postgres import free_port
from tests.services.routing.builders import (
    entry,
    importing,
)
from tests.services.routing.delivery.post import GRACE, Post
from tests.services.routing.delivery.receiver import Reply, receiving

pytestmark = pytest.mark.postgres


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def test_a_stop_does_not_wait_for_a_hanging_endpoint_and_records_the_other_responses(
    post: Post,
) -> None:
    hold = threading.Event()
    post.receiver.reply(GRACE, Reply(204, hold=hold))
    with post.sessions.begin() as session:
        importing(
            session,
            entry("grace", endpoint={"url": post.receiver.url(GRACE)}),
            entry("linus", endpoint={"url": post.receiver.url("/reps/linus")}),
        )
    post.assign("ada", "alan")

    post.run(until=2, dispatcher=replace(post.dispatcher, grace_s=0.5))
    hold.set()

    assert sorted(state for _, _, state in post.states()) == ["delivered", "pending"]


def test_a_stop_records_the_last_attempts_if_the_database_is_back_shortly_after(
    post: Post, database_url: str
) -> None:
    answers, refused, stop = threading.Event(), threading.Event(), threading.Event()
    post.receiver.reply(GRACE, Reply(204, hold=answers))
    post.assign()
    engine = engine_for(database_url, lock_timeout_ms=50)
    dispatcher = replace(post.dispatcher, sessions=sessions_on(engine))
    running = threading.Thread(
        target=lambda: asyncio.run(
            deliver(dispatcher, stop=stop, wake_event=asyncio.Event(), beat=lambda: None)
        )
    )
    running.start()
    post.receiver.wait(lambda got: len(got) == 1)
    stop.set()
    with post.sessions() as session:
        session.execute(text("lock table routing.handoffs in access exclusive mode"))
        event.listen(engine, "handle_error", lambda _: refused.set())
        answers.set()
        assert refused.wait(10)
    running.join()
    engine.dispose()

    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]
    assert [(it.number, it.status) for it in post.attempts()] == [(1, 204)]


def test_a_stop_does_not_wait_for_ever_for_a_database_that_stays_away(
    post: Post,
) -> None:
    engine = engine_for(f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere")
    post.assign()
    [claimed] = claim(post.dispatcher, 1)
    finished = FinishedAttempt(
        claimed, Attempt(1, post.now(), 1.0, Response(204, ""), 0), Delivered()
    )

    asyncio.run(record_last(replace(post.dispatcher, sessions=sessions_on(engine)), [finished]))
    engine.dispose()

    assert post.states() == [("rep/grace", "handoff.assigned", "pending")]
