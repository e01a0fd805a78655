"""Endpoints that fail again and again get one attempt at a time, until they take one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.routing.queries import breakers as queries
from services.routing.queries.claims import ClaimLimits, DueDelivery, due_deliveries
from shared.db.session import Sessions
from tests.services.routing.delivery.post import Post, delivering, until
from tests.services.routing.delivery.receiver import Reply, receiving
from tests.services.routing.queries.test_breakers import add, open_breakers, tell

pytestmark = pytest.mark.postgres


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def attempt(post: Post, id: str, *replies: Reply) -> None:
    """Let an endpoint answer so many webhooks in this way, one after the other, each attempted once."""
    for reply in replies:
        post.receiver.reply(f"/{id}", reply)
        tell(post, id)
        post.run(until=len(post.receiver.got) + 1)
        with post.sessions.begin() as session:
            session.execute(
                text("update routing.deliveries set state = 'exhausted' where state = 'pending'")
            )


def due(post: Post) -> list[DueDelivery]:
    """What may be attempted now."""
    limits = ClaimLimits(99, 99, endpoint_limit=4, host_limit=32)
    with post.sessions() as session:
        return due_deliveries(session, limits, now=post.now())


def test_after_five_failures_in_a_row_an_endpoint_gets_one_attempt_at_a_time_until_it_takes_one(
    post: Post,
) -> None:
    [rep] = add(post, post.receiver, 1)
    attempt(post, rep, *[Reply(500)] * 4)
    assert (open_breakers(post)[rep].failures, open_breakers(post)[rep].opened_at) == (4, None)
    attempt(post, rep, Reply(500))
    tell(post, *[rep] * 3)

    assert open_breakers(post)[rep].opened_at is not None
    assert due(post) == []
    post.time_offset = queries.PROBE_PAUSE + timedelta(seconds=1)
    assert [it.probes for it in due(post)] == [{rep}]
    post.run(until=6)
    assert (open_breakers(post)[rep].failures, due(post)) == (6, [])

    post.receiver.reply(f"/{rep}", Reply(204))
    post.time_offset = timedelta(minutes=1)
    with delivering(post.dispatcher):
        until(lambda: "pending" not in {it.state for it in post.deliveries()})
    assert [it.state for it in post.deliveries()] == ["exhausted"] * 5 + ["delivered"] * 3
    assert open_breakers(post) == {}


def test_a_success_ends_the_count_of_failures(post: Post) -> None:
    [rep] = add(post, post.receiver, 1)
    attempt(post, rep, *[Reply(500)] * 4, Reply(204), *[Reply(500)] * 4)

    assert (open_breakers(post)[rep].failures, open_breakers(post)[rep].opened_at) == (4, None)


def test_the_next_probe_of_a_failing_endpoint_is_not_before_its_retry_after(post: Post) -> None:
    [rep] = add(post, post.receiver, 1)
    attempt(post, rep, *[Reply(503, {"retry-after": "600"})] * 5)
    tell(post, rep)

    post.time_offset = timedelta(seconds=590)
    assert due(post) == []
    post.time_offset = timedelta(seconds=601)
    assert len(due(post)) == 1


def test_a_disabled_endpoint_has_no_failures(post: Post) -> None:
    [rep] = add(post, post.receiver, 1)
    attempt(post, rep, Reply(500), Reply(410))

    assert {it.failures for it in open_breakers(post).values()} <= {1}
    tell(post, rep)
    with delivering(post.dispatcher):
        until(lambda: [it.state for it in post.deliveries() if it.endpoint == rep][-1] != "pending")
    assert {it.failures for it in open_breakers(post).values()} <= {1}


def test_an_endpoint_that_hung_and_answers_with_an_error_is_counted_anew(post: Post) -> None:
    hang = queries.Hang("ops", "x", host_answers=True)
    rows = []
    for _ in range(2):
        with post.sessions.begin() as session:
            for _ in range(7):
                queries.open_breakers(session, [hang], now=post.now())
        rows.append(open_breakers(post)["ops"])
        with post.sessions.begin() as session:
            failures = queries.Failures("ops", 2, post.now())
            queries.count_failures(session, [failures], now=post.now())
        rows.append(open_breakers(post)["ops"])

    assert [(it.failures, it.hangs, it.opened_at is None) for it in rows] == [
        (7, True, False),
        (2, False, True),
        (7, True, False),
        (2, False, True),
    ]
