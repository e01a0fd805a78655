"""Webhooks about one handoff reach an endpoint in their order, whatever happens to the earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import orjson
import pytest
from sqlalchemy import update

from services.routing.delivery.dispatcher import LEASE, claim
from services.routing.domain.notifications import Notification
from services.routing.queries import deliveries as queries
from services.routing.tables import deliveries
from shared.db.session import Sessions
from tests.builders import an_id
from tests.services.routing.delivery.post import GRACE, Post, delivering, until
from tests.services.routing.delivery.receiver import Reply, receiving

pytestmark = pytest.mark.postgres

ADA, BOB = an_id("ada"), an_id("bob")


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def add(
    post: Post,
    name: str,
    *,
    handoff: UUID = ADA,
    endpoint: str = "rep/grace",
    waits_s: float | None = None,
) -> UUID:
    """One more notification about a handoff, which may wait for hours; its body has the name."""
    id = an_id(f"{handoff}/{name}")
    body = orjson.dumps({"type": "handoff.assigned", "data": {"name": name}})
    notification = Notification(id, endpoint, handoff, 1, "handoff.assigned", body)
    if waits_s is not None:
        not_before = post.now() + timedelta(seconds=waits_s)
        notification = notification._replace(not_before=not_before, clock_id=an_id("clock"))
    with post.sessions.begin() as session:
        queries.add_notifications(session, [notification], now=post.now())
    return id


def names(post: Post) -> list[str]:
    """What has arrived, in order."""
    return [orjson.loads(it.body)["data"]["name"] for it in post.receiver.got]


def claimed(post: Post) -> list[UUID]:
    return [it.notification.id for it in claim(post.dispatcher, 99)]


def test_a_later_webhook_waits_while_an_earlier_one_is_attempted_again_and_again(
    post: Post,
) -> None:
    post.receiver.reply(GRACE, *[Reply(500)] * 3, Reply(204))
    for name in ("first", "second", "third"):
        add(post, name)
    for requests, seconds in ((1, 0), (2, 6), (3, 40)):
        post.time_offset = timedelta(seconds=seconds)
        post.run(until=requests)
    post.time_offset = timedelta(seconds=200)
    post.run(until=6)

    assert names(post) == ["first"] * 4 + ["second", "third"]


def test_webhooks_of_other_handoffs_and_to_other_endpoints_do_not_wait(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(500))
    add(post, "first")
    post.run(until=1)
    later = add(post, "second")
    free = {add(post, "of another", handoff=BOB), add(post, "to another", endpoint="ops")}

    assert set(claimed(post)) == free
    assert later not in free


def test_a_later_webhook_waits_for_an_attempt_in_flight_and_after_a_crash_for_its_lease(
    post: Post,
) -> None:
    first, second = add(post, "first"), add(post, "second")

    assert claimed(post) == [first]
    assert claimed(post) == []
    post.time_offset = LEASE + timedelta(seconds=1)
    assert claimed(post) == [first]
    post.time_offset = 2 * LEASE + timedelta(minutes=1)
    with delivering(post.dispatcher):
        until(lambda: len(post.receiver.got) == 2)
    assert names(post) == ["first", "second"]
    assert second == UUID(post.receiver.got[1].headers["webhook-id"])


def test_what_waits_for_hours_holds_no_later_webhook_back_and_keeps_the_order_from_then_on(
    post: Post,
) -> None:
    waiting, urgent = add(post, "waits", waits_s=3600), add(post, "urgent")
    assert claimed(post) == [urgent]

    post.time_offset = timedelta(hours=2)
    add(post, "later")
    assert claimed(post) == [waiting]  # its hours have begun: from now on it is in its turn


def test_what_waits_for_hours_is_in_its_order_once_it_is_attempted(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(500), Reply(204))
    waiting = add(post, "waits", waits_s=1)
    post.time_offset = timedelta(seconds=2)
    post.run(until=1)
    add(post, "urgent")
    assert claimed(post) == []
    assert {it.id: it.state for it in post.deliveries()}[waiting] == "pending"


@pytest.mark.parametrize("state", ["delivered", "exhausted", "cancelled"])
def test_an_earlier_webhook_that_is_over_blocks_nothing(post: Post, state: str) -> None:
    first, second = add(post, "first"), add(post, "second")
    with post.sessions.begin() as session:
        over = update(deliveries).where(deliveries.c.id == first)
        session.execute(over.values(state=state, ended_at=post.now()))

    assert claimed(post) == [second]


def test_an_earlier_webhook_that_is_given_up_lets_the_later_one_go(post: Post) -> None:
    first, second = add(post, "first"), add(post, "second")
    with post.sessions.begin() as session:
        last = update(deliveries).where(deliveries.c.id == first)
        session.execute(last.values(attempt_count=9))
    post.receiver.reply(GRACE, Reply(500), Reply(204))
    post.run(until=3)

    assert [it.path for it in post.receiver.got].count(GRACE) == 2
    states = {it.id: it.state for it in post.deliveries()}
    assert (states[first], states[second]) == ("exhausted", "delivered")


def test_a_replay_keeps_the_order(post: Post) -> None:
    for name in ("first", "second", "third"):
        add(post, name)
    post.run(until=3)
    ids = [it.id for it in post.deliveries()]
    post.receiver.reply(GRACE, Reply(500), Reply(204))
    with post.sessions.begin() as session:
        queries.redeliver_all(session, ids, now=post.now())
    post.run(until=4)
    post.time_offset = timedelta(seconds=6)
    post.run(until=7)

    assert names(post) == ["first", "second", "third", "first", "first", "second", "third"]
