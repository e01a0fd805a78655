"""The team, then ops, are notified while there is still time to accept, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import text

from services.routing.delivery.dispatcher import claim
from services.routing.delivery.fallbacks import notify_due_fallbacks
from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import handoff_id
from services.routing.handlers import on_answer
from services.routing.queries import endpoints
from services.routing.queries.breakers import Failures, Hang, count_failures, open_breakers
from services.routing.queries.fallbacks import _CLAIM
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import an_id
from tests.services.routing.builders import entry, importing
from tests.services.routing.delivery.post import GRACE, Post, endpoint, notify, promised
from tests.services.routing.delivery.receiver import Got, Reply, receiving
from tests.services.routing.queries.test_claims import scans_of_deliveries

pytestmark = pytest.mark.postgres

TEAM = "/teams/sales"


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    """An installation in which reps accept within a minute."""
    with receiving() as receiver:
        yield Post(sessions, receiver, sla=promised("1m"))


def attempt_at(post: Post, seconds: int, *, until: int) -> None:
    """Deliver, so many seconds after the assignment, until so many requests have come."""
    post.time_offset = timedelta(seconds=seconds)
    post.run(until=until)


def accept(post: Post) -> None:
    with post.sessions.begin() as session:
        on_answer(
            session,
            handoff_id(an_id("ada"), 1),
            Answer(Change.ACCEPTED),
            actor=Actor("rep", "grace"),
            assigner=post.assigner,
            now=post.now(),
        )


def hang(post: Post, host: str, *, host_answers: bool) -> None:
    with post.sessions.begin() as session:
        hangs = [Hang("rep/grace", host, host_answers)]
        open_breakers(session, hangs, now=post.now())


def paths(post: Post) -> list[str]:
    return [it.path for it in post.receiver.got]


def undelivered(got: Got) -> dict[str, str]:
    """What the webhook says about the notification that has not arrived."""
    payload = orjson.loads(got.body)
    assert payload["type"] == "handoff.undelivered"
    assert payload["data"]["lead"]["email"].endswith("@example.com")
    return dict(payload["data"]["undelivered"])


def test_the_team_is_notified_once_when_the_next_attempt_comes_after_the_accept_clock(
    post: Post,
) -> None:
    post.receiver.reply(GRACE, Reply(500))
    post.assign()
    attempt_at(post, 0, until=1)
    attempt_at(post, 6, until=2)
    attempt_at(post, 37, until=4)

    assert paths(post) == [GRACE, GRACE, GRACE, TEAM]
    assert undelivered(post.receiver.got[-1]) == {
        "type": "handoff.assigned",
        "endpoint": "rep/grace",
        "state": "pending",
    }
    for number in range(4, 11):
        post.time_offset += timedelta(hours=11)
        post.run(until=number + 1)
    notify_due_fallbacks(post.sessions, post.now)

    assert post.states() == [
        ("rep/grace", "handoff.assigned", "exhausted"),
        ("team/sales", "handoff.undelivered", "delivered"),
    ]


def test_ops_are_notified_where_the_team_cannot_be_in_time_either(post: Post) -> None:
    for path in (GRACE, TEAM):
        post.receiver.reply(path, Reply(503))
    post.assign()
    for seconds, requests in ((0, 1), (6, 2), (37, 4), (43, 6)):
        attempt_at(post, seconds, until=requests)

    assert paths(post)[3:] == [TEAM, TEAM, "/ops"]
    assert undelivered(post.receiver.got[-1]) == {
        "type": "handoff.undelivered",
        "endpoint": "team/sales",
        "state": "pending",
    }


def test_ops_are_notified_where_the_team_has_no_endpoint(sessions: Sessions) -> None:
    with receiving() as receiver:
        post = Post(sessions, receiver, sla=promised("4s"))
        with sessions.begin() as session:
            endpoints.delete_endpoint(session, "team/sales")
        receiver.reply(GRACE, Reply(500))
        post.assign()
        post.run(until=2)

    assert paths(post) == [GRACE, "/ops"]


def test_nobody_is_notified_where_the_rep_has_accepted_meanwhile(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(500))
    post.assign()
    attempt_at(post, 0, until=1)
    accept(post)
    attempt_at(post, 6, until=2)
    attempt_at(post, 37, until=3)
    hang(post, "crm.example", host_answers=True)
    notify_due_fallbacks(post.sessions, post.now)

    assert post.states() == [("rep/grace", "handoff.assigned", "pending")]


@pytest.mark.parametrize("host_answers", [True, False], ids=["endpoint hangs", "host hangs"])
def test_what_waits_for_a_hanging_endpoint_notifies_the_fallback_once_in_half_of_the_time(
    post: Post, *, host_answers: bool
) -> None:
    post.assign("ada", "bob", "cyd")
    hang(post, f"127.0.0.1:{post.receiver.server_address[1]}", host_answers=host_answers)
    post.time_offset = timedelta(seconds=25)
    notify_due_fallbacks(post.sessions, post.now)
    assert {endpoint for endpoint, _, _ in post.states()} == {"rep/grace"}

    post.time_offset = timedelta(seconds=31)
    for _ in range(2):
        notify_due_fallbacks(post.sessions, post.now, page_size=1)

    assert sorted(post.states()) == [
        *[("rep/grace", "handoff.assigned", "pending")] * 3,
        *[("team/sales", "handoff.undelivered", "pending")] * 3,
    ]


def test_what_waits_for_a_failing_endpoint_notifies_the_fallback(post: Post) -> None:
    post.assign()
    with post.sessions.begin() as session:
        count_failures(session, [Failures("rep/grace", 5, post.now())], now=post.now())
    post.time_offset = timedelta(seconds=31)
    notify_due_fallbacks(post.sessions, post.now)

    assert ("team/sales", "handoff.undelivered", "pending") in post.states()


def test_what_waits_for_an_endpoint_that_answers_notifies_no_fallback(post: Post) -> None:
    post.assign()
    post.time_offset = timedelta(seconds=31)
    notify_due_fallbacks(post.sessions, post.now)

    assert post.states() == [("rep/grace", "handoff.assigned", "pending")]


def test_what_is_in_flight_or_delivered_notifies_no_fallback(post: Post) -> None:
    post.assign("ada")
    post.run(until=1)
    post.assign("bob")
    post.time_offset = timedelta(seconds=31)
    assert len(claim(post.dispatcher, 9)) == 1
    hang(post, "crm.example", host_answers=True)
    notify_due_fallbacks(post.sessions, post.now)

    assert post.states() == [
        ("rep/grace", "handoff.assigned", "delivered"),
        ("rep/grace", "handoff.assigned", "pending"),
    ]


def test_a_redelivery_after_the_accept_clock_notifies_nobody(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(204), Reply(500))
    post.assign()
    post.run(until=1)
    post.time_offset = timedelta(minutes=2)
    with post.sessions.begin() as session:
        session.execute(
            text(
                "update routing.deliveries set state = 'pending', attempts_before = attempt_count, "
                "next_attempt_at = :now"
            ),
            {"now": post.now()},
        )
    post.run(until=2)

    assert post.states() == [("rep/grace", "handoff.assigned", "pending")]


def test_without_an_accept_clock_the_fallback_is_notified_after_the_last_attempt_only(
    sessions: Sessions,
) -> None:
    with receiving() as receiver:
        post = Post(sessions, receiver)
        receiver.reply(GRACE, Reply(500))
        post.assign()
        post.run(until=1)
        post.time_offset = timedelta(days=9)
        notify_due_fallbacks(post.sessions, post.now)

    assert post.states() == [("rep/grace", "handoff.assigned", "pending")]


def test_what_waits_for_an_endpoint_that_was_deleted_meanwhile_is_cancelled(post: Post) -> None:
    with post.sessions.begin() as session:
        endpoint(session, "rep/linus", post.receiver.url("/reps/linus"))
        importing(session, entry("grace", endpoint={"url": post.receiver.url(GRACE)}))
        notify(session, "rep/linus", "rep/grace", "rep/linus", now=post.now())
        endpoints.delete_endpoint(session, "rep/linus")

    notify_due_fallbacks(post.sessions, post.now)

    assert sorted((it, state) for it, _, state in post.states()) == [
        ("rep/grace", "pending"),
        ("rep/linus", "cancelled"),
        ("rep/linus", "cancelled"),
    ]


def test_due_fallbacks_are_read_from_an_index(post: Post) -> None:
    with post.sessions.begin() as session:
        session.execute(
            text("""
                insert into routing.deliveries
                    (id, endpoint, handoff_id, hop, type, body, state, next_attempt_at, fallback_at)
                select gen_random_uuid(), 'rep/grace', gen_random_uuid(), 1, 'handoff.assigned', '',
                    case when number % 2 = 0 then 'pending' else 'delivered' end, now(),
                    now() + number * interval '1 second'
                from generate_series(-5, 20000) as number
            """)
        )
        session.execute(text("analyze routing.deliveries"))
        arguments = {"endpoints": ["rep/grace"], "now": post.now(), "limit": 200}
        scans = scans_of_deliveries(session, _CLAIM.text, arguments)

    assert scans <= {"Index Scan", "Bitmap Heap Scan"}
