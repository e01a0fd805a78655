"""One delivery that cannot be recorded, claimed or tried holds up no other, and is not sent again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.routing.delivery import take_up
from services.routing.delivery.dispatcher import LEASE, claim
from services.routing.domain.attempts import SCHEDULE
from services.routing.queries import deliveries
from shared.db.session import Sessions
from tests.services.routing.builders import announced_changes
from tests.services.routing.delivery.post import GRACE, Post, delivering, endpoint, notify, until
from tests.services.routing.delivery.receiver import Reply, receiving

pytestmark = pytest.mark.postgres

LEADS = ("ada", "bob", "cyd", "dan", "eve")


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def refuse(post: Post, table: str, when: str, condition: str) -> None:
    """Let PostgreSQL refuse some rows of a table, for a reason that no outage is."""
    with post.sessions.begin() as session:
        session.execute(
            text(
                "create function refuse() returns trigger language plpgsql as "
                "$$ begin raise exception 'no' using errcode = 'check_violation'; end $$"
            )
        )
        session.execute(
            text(
                f"create trigger refuse before {when} on routing.{table} for each row "
                f"when ({condition}) execute function refuse()"
            )
        )


def unrecorded(part: str) -> float:
    """How many tries lacked this part so far."""
    name = "leadbaton_delivery_unrecorded_total"
    return REGISTRY.get_sample_value(name, {"unrecorded": part}) or 0.0


def test_a_handoff_that_cannot_be_read_holds_up_no_other_and_its_webhook_is_sent_once(
    post: Post,
) -> None:
    before = unrecorded("announcement")
    post.assign(*LEADS)
    with post.sessions.begin() as session:
        session.execute(
            text("""update routing.handoffs set lead = '{"lead_id": 1e400}'
                where id = (select handoff_id from routing.deliveries order by position limit 1)""")
        )
    post.run(until=5)
    post.time_offset = LEASE + timedelta(seconds=1)

    assert claim(post.dispatcher, 9) == []
    assert [it.state for it in post.deliveries()] == ["delivered"] * 5
    assert len(post.attempts()) == len(post.receiver.got) == 5
    with post.sessions() as session:
        assert [it for it, _ in announced_changes(session)].count("delivered") == 4
    assert unrecorded("announcement") == before + 1


def test_who_wants_nothing_more_is_heard_though_the_handoff_cannot_be_read(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(410))
    post.assign()
    with post.sessions.begin() as session:
        session.execute(text("update routing.handoffs set lead = '{}'"))
    post.run(until=3)

    assert sorted(post.states()) == [
        ("ops", "endpoint.disabled", "delivered"),
        ("rep/grace", "handoff.assigned", "exhausted"),
        ("team/sales", "handoff.undelivered", "delivered"),
    ]


def test_an_attempt_that_cannot_be_stored_leaves_the_outcome(post: Post) -> None:
    before = unrecorded("attempt")
    post.receiver.reply(GRACE, Reply(200, body=b"unstorable"), Reply(200))
    refuse(post, "attempts", "insert", "new.detail = 'unstorable'")
    post.assign(*LEADS)
    post.run(until=5)

    assert [it.state for it in post.deliveries()] == ["delivered"] * 5
    assert len(post.attempts()) == 4
    assert unrecorded("attempt") == before + 1


def test_what_cannot_be_recorded_at_all_is_not_sent_again_within_its_pause(post: Post) -> None:
    before = unrecorded("outcome")
    refuse(post, "deliveries", "update", "new.state = 'delivered' and new.endpoint = 'rep/grace'")
    with post.sessions.begin() as session:
        endpoint(session, "rep/linus", post.receiver.url("/reps/linus"))
        notify(session, "rep/grace", *["rep/linus"] * 3, now=post.now())
    post.run(until=4)

    assert sorted(it.state for it in post.deliveries()) == ["delivered"] * 3 + ["pending"]
    assert unrecorded("outcome") == before + 1
    named = replace(post.dispatcher, name="routing-delivery-0")
    for number in range(2, len(SCHEDULE) + 2):
        wait = max(LEASE, SCHEDULE[number - 2]) + timedelta(seconds=1)
        post.time_offset += wait - timedelta(seconds=2)
        take_up(named)
        assert claim(named, 9) == []
        post.time_offset += timedelta(seconds=2)
        assert [it.number for it in claim(named, 9)] == [number]


def test_a_first_try_that_a_crash_interrupted_is_due_at_the_next_start_a_later_one_after_its_pause(
    post: Post,
) -> None:
    named = replace(post.dispatcher, name="routing-delivery-0")
    post.assign()
    for number in (1, 2):
        assert [it.number for it in claim(named, 9)] == [number]
        take_up(named)

    assert claim(named, 9) == []
    post.time_offset = timedelta(seconds=31)
    assert [it.number for it in claim(named, 9)] == [3]


def test_a_delivery_that_cannot_be_claimed_ends_in_plain_sight_and_the_others_go_on(
    post: Post,
) -> None:
    post.assign(*LEADS)
    with post.sessions.begin() as session:
        [odd, *_] = deliveries.list_deliveries(session, limit=9)
        session.execute(
            text("update routing.deliveries set attempt_count = 32767 where id = :id"),
            {"id": odd.id},
        )
    expected = ["delivered"] * 4 + ["exhausted"]
    with delivering(post.dispatcher):
        until(lambda: sorted(it.state for it in post.deliveries()) == expected)

    assert len(post.receiver.got) == 4


def test_a_try_that_fails_for_an_unknown_cause_is_an_outcome(post: Post) -> None:
    chances = iter((0, 1))
    post.receiver.reply(GRACE, Reply(500))
    post.assign()
    post.run(until=1, dispatcher=replace(post.dispatcher, chance=lambda: 0 / next(chances)))

    assert [(it.status, it.detail) for it in post.attempts()] == [
        (None, "ZeroDivisionError: division by zero")
    ]
    assert post.deliveries()[0].state == "pending"
