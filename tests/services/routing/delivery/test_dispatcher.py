"""Webhooks: signed, told at least once, to whom it concerns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from services.routing.delivery import Dispatcher, check_vault, deliver, release_claims
from services.routing.delivery.dispatcher import ENDPOINT_LIMIT, LEASE, claim
from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import handoff_id
from services.routing.handlers import on_answer, on_sla_changed
from services.routing.queries.deliveries import CHANNEL
from shared.auth.vault import BadSecretKey, Vault
from shared.clock import utc_now
from shared.contracts.payloads import Change, ClockChange
from shared.db.listener import call_on_notification
from shared.db.session import Sessions, engine_for
from tests.builders import an_id, sla_changed, sla_message
from tests.services.routing.builders import (
    announced_changes,
    vault,
)
from tests.services.routing.delivery.post import GRACE, LOOPBACK, Post
from tests.services.routing.delivery.receiver import Reply, receiving

pytestmark = pytest.mark.postgres


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def test_an_assignment_is_delivered_with_a_signature_and_announced(post: Post) -> None:
    post.assign()
    post.run(until=1)

    [got] = post.receiver.got
    payload = Webhook(post.secrets["rep/grace"]).verify(got.body, got.headers)
    assert (payload["type"], payload["data"]["handoff"]["rep"]) == ("handoff.assigned", "grace")
    assert payload["data"]["lead"]["email"] == "ada@example.com"
    assert [it["policy"] for it in payload["data"]["due"]] == ["first_touch"]
    handoff = handoff_id(an_id("ada"), 1)
    assert (
        payload["data"]["links"]["accept"] == f"http://127.0.0.1:8002/v1/handoffs/{handoff}/accept"
    )
    assert len(got.body) < 20_000
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]
    with post.sessions() as session:
        assert announced_changes(session) == [("assigned", "grace"), ("delivered", "grace")]


def test_a_delivery_whose_worker_crashed_is_attempted_again_when_its_lease_ends(post: Post) -> None:
    post.assign()
    [lost] = claim(post.dispatcher, 9)
    assert claim(post.dispatcher, 9) == []

    post.time_offset = LEASE + timedelta(seconds=1)
    post.run(until=1)

    [got] = post.receiver.got
    assert got.headers["webhook-id"] == str(lost.notification.id)
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]
    assert [it.number for it in post.attempts()] == [2]


def test_a_worker_that_restarts_under_its_name_releases_its_claims_at_once(
    post: Post,
) -> None:
    post.assign()
    named = replace(post.dispatcher, name="routing-delivery-0")
    [lost] = claim(named, 9)

    for stranger in (post.dispatcher, replace(post.dispatcher, name="routing-delivery-1")):
        release_claims(stranger)
        assert claim(stranger, 9) == []
    release_claims(named)
    post.run(until=1, dispatcher=named)

    [got] = post.receiver.got
    assert got.headers["webhook-id"] == str(lost.notification.id)
    assert [it.number for it in post.attempts()] == [2]


def test_an_endpoint_has_no_more_attempts_in_flight_than_its_limit(post: Post) -> None:
    hold = threading.Event()
    post.receiver.reply(GRACE, Reply(200, hold=hold))
    post.assign(*(f"lead-{number}" for number in range(ENDPOINT_LIMIT * 3)))
    stop = threading.Event()

    async def main() -> None:
        wake_event = asyncio.Event()
        task = asyncio.create_task(
            deliver(post.dispatcher, stop=stop, wake_event=wake_event, beat=lambda: None)
        )
        await asyncio.to_thread(post.receiver.wait, lambda got: len(got) == ENDPOINT_LIMIT)
        wake_event.set()
        assert await asyncio.to_thread(claim, post.dispatcher, 99) == []
        hold.set()
        await asyncio.to_thread(post.receiver.wait, lambda got: len(got) == ENDPOINT_LIMIT * 3)
        stop.set()
        wake_event.set()
        await task

    asyncio.run(main())

    assert post.receiver.most_busy == ENDPOINT_LIMIT
    assert {state for _, _, state in post.states()} == {"delivered"}


def test_a_pending_assignment_is_cancelled_when_the_rep_rejects_it(post: Post) -> None:
    post.assign()
    with post.sessions.begin() as session:
        on_answer(
            session,
            handoff_id(an_id("ada"), 1),
            Answer(Change.REJECTED, details={"reason": "no_capacity"}),
            actor=Actor("rep", "grace"),
            assigner=post.assigner,
            now=post.now(),
        )

    assert claim(post.dispatcher, 9) == []
    assert post.states() == [("rep/grace", "handoff.assigned", "cancelled")]


def test_the_team_is_notified_once_of_a_breach_and_ops_of_an_escalation(post: Post) -> None:
    post.assign()
    handoff = handoff_id(an_id("ada"), 1)
    breached = sla_message(sla_changed(handoff_id=handoff))
    escalated = sla_message(
        sla_changed(ClockChange.ESCALATED, handoff_id=handoff, step="ops", rep="grace")
    )
    started = sla_message(sla_changed(ClockChange.STARTED, handoff_id=handoff))
    with post.sessions.begin() as session:
        for _ in range(2):
            on_sla_changed(
                session, [breached, escalated, started], post.now(), assigner=post.assigner
            )
    post.run(until=3)

    breaches = {it.path: it for it in post.receiver.got if it.path != GRACE}
    assert sorted(breaches) == ["/ops", "/teams/sales"]
    got = breaches["/teams/sales"]
    payload = Webhook(post.secrets["team/sales"]).verify(got.body, got.headers)
    assert (payload["type"], payload["data"]["breach"]["policy"]) == (
        "handoff.breached",
        "first_touch",
    )
    assert payload["data"]["lead"]["email"] == "ada@example.com"
    assert len(post.deliveries()) == 3


def test_a_commit_wakes_the_delivery(post: Post) -> None:
    engine = engine_for(post.sessions.kw["bind"].url)
    stop, notified = threading.Event(), threading.Semaphore(0)
    listener = threading.Thread(
        target=call_on_notification, args=(engine, CHANNEL, notified.release, stop)
    )
    listener.start()
    number = 0
    while not notified.acquire(timeout=0.2):
        post.assign(f"lead-{number}")
        number += 1
    stop.set()
    listener.join()
    engine.dispose()

    assert number


def test_a_wrong_secret_key_stops_the_delivery_at_its_start(post: Post) -> None:
    other_vault = Vault(SecretStr("b3RoZXItdGVzdHMtbGVhZGJhdG9uLXRlc3RzLW90aCE="))
    wrong = Dispatcher(post.sessions, other_vault, LOOPBACK, post.now, lambda: 0.0)

    check_vault(post.dispatcher)
    with pytest.raises(BadSecretKey, match="not the key that this secret was encrypted with"):
        check_vault(wrong)


def test_without_endpoints_every_secret_key_passes_the_check(sessions: Sessions) -> None:
    check_vault(Dispatcher(sessions, vault(), LOOPBACK, utc_now, lambda: 0.0))
