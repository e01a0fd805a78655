"""Webhooks: signed, told at least once, given up in plain sight."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Row
from standardwebhooks import Webhook

from services.routing.api.models import with_tries
from services.routing.delivery import Courier, check_vault, deliver
from services.routing.delivery.courier import HANDS_AN_ENDPOINT, LEASE, claim
from services.routing.delivery.sending import send
from services.routing.delivery.waking import listen
from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import handoff_id
from services.routing.handlers import answer, on_sla_changed
from services.routing.queries import deliveries
from services.routing.queries.roster import disabled_endpoints
from shared.clock import utc_now
from shared.contracts.payloads import Change, ClockChange
from shared.db.session import Sessions, engine_for, sessions_on
from shared.embedded.postgres import free_port
from shared.http.outbound import guarded_client, policy_for
from shared.secrets import BadSecretKey, Vault
from tests.builders import an_id, lead_qualified, sla_changed, sla_message
from tests.services.routing.delivery.receiver import Receiver, Reply, receiving
from tests.services.routing.desks import (
    entry,
    importing,
    office,
    qualifying,
    told,
    vault,
)

pytestmark = pytest.mark.postgres

LOOPBACK = policy_for([ip_network("127.0.0.0/8")])
GRACE = "/reps/grace"


class Post:
    """An installation with a receiver, and a courier whose clock can be put forward."""

    def __init__(self, sessions: Sessions, receiver: Receiver) -> None:
        self.sessions, self.receiver = sessions, receiver
        self.ahead = timedelta(0)
        self.courier = Courier(sessions, vault(), LOOPBACK, self.now, lambda: 0.0)
        with sessions.begin() as session:
            self.office = office(session)
            self.secrets = importing(
                session,
                entry("grace", endpoint={"url": receiver.url(GRACE)}),
                fallback=receiver.url("/teams/sales"),
                ops=receiver.url("/ops"),
                now=utc_now(),
            ).secrets

    def now(self) -> datetime:
        return utc_now() + self.ahead

    def assign(self, *leads: str) -> None:
        with self.sessions.begin() as session:
            arrived = [lead_qualified(lead=it, at=self.now()) for it in leads or ("ada",)]
            qualifying(session, self.office, *arrived, now=self.now())

    def run(self, *, until: int, courier: Courier | None = None) -> None:
        """Deliver until so many requests have come, all told, and been recorded."""
        stop = threading.Event()

        async def main() -> None:
            woken = asyncio.Event()
            task = asyncio.create_task(
                deliver(courier or self.courier, stop=stop, woken=woken, beat=lambda: None)
            )
            await asyncio.to_thread(self.receiver.wait, lambda got: len(got) >= until)
            stop.set()
            woken.set()
            await task

        asyncio.run(main())

    def rows(self) -> list[Row[Any]]:
        with self.sessions() as session:
            return deliveries.list_deliveries(session, most=99)[::-1]

    def states(self) -> list[tuple[str, str, str]]:
        return [(it.endpoint, it.type, it.state) for it in self.rows()]

    def tries(self) -> list[Row[Any]]:
        with self.sessions() as session:
            return deliveries.attempts_of(session, [it.id for it in self.rows()])


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def test_an_assignment_is_told_signed_and_announced(post: Post) -> None:
    post.assign()
    post.run(until=1)

    [got] = post.receiver.got
    said = Webhook(post.secrets["rep/grace"]).verify(got.body, got.headers)
    assert (said["type"], said["data"]["handoff"]["rep"]) == ("handoff.assigned", "grace")
    assert said["data"]["lead"]["email"] == "ada@example.com"
    assert [it["policy"] for it in said["data"]["due"]] == ["first_touch"]
    handoff = handoff_id(an_id("ada"), 1)
    assert said["data"]["links"]["accept"] == f"http://127.0.0.1:8002/v1/handoffs/{handoff}/accept"
    assert len(got.body) < 20_000
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]
    with post.sessions() as session:
        assert told(session) == [("assigned", "grace"), ("delivered", "grace")]


def test_a_failure_is_tried_again_later_with_the_same_id(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(500, body=b"oh \x00 no"), Reply(200))
    post.assign()
    post.run(until=1)
    [row] = post.rows()
    assert row.state == "pending"
    assert row.next_attempt_at > post.now() + timedelta(seconds=3)
    assert claim(post.courier, 9) == []

    post.ahead = timedelta(seconds=6)
    post.run(until=2)

    first, second = post.receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(row.id)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert [(it.number, it.status) for it in post.tries()] == [(1, 500), (2, 200)]
    with post.sessions() as session:
        [shown] = with_tries(session, deliveries.list_deliveries(session, most=9))
    assert [it.said for it in shown.tries] == ["oh  no", ""]
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]


def test_410_disables_the_endpoint_and_tells_the_team_and_ops(post: Post) -> None:
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


def test_what_is_exhausted_is_seen_and_passed_on_and_can_be_told_again(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(500))
    post.assign()
    for number in range(1, 11):
        post.run(until=number)
        post.ahead += timedelta(hours=11)
    [row, passed_on] = post.rows()
    assert (row.state, row.attempts) == ("exhausted", 10)
    assert (passed_on.endpoint, passed_on.type) == ("team/sales", "handoff.undelivered")

    post.receiver.reply(GRACE, Reply(500), Reply(200))
    with post.sessions.begin() as session:
        assert deliveries.redeliver(session, row.id, now=post.now())
    post.run(until=12)
    post.ahead += timedelta(seconds=6)
    post.run(until=13)

    assert post.rows()[0].state == "delivered"
    ids = {it.headers["webhook-id"] for it in post.receiver.got if it.path == GRACE}
    assert ids == {str(row.id)}


def test_redirects_are_not_followed(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(302, {"location": post.receiver.url("/elsewhere")}))
    post.assign()
    post.run(until=1)

    assert [(it.status,) for it in post.tries()] == [(302,)]
    assert [it.path for it in post.receiver.got] == [GRACE]
    assert post.rows()[0].state == "pending"


def test_retry_after_is_honoured(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(503, {"retry-after": "600"}))
    post.assign()
    post.run(until=1)

    [row] = post.rows()
    assert timedelta(seconds=590) < row.next_attempt_at - post.now() <= timedelta(seconds=600)


def test_a_crash_in_the_middle_of_a_try_is_made_good_when_its_lease_ends(post: Post) -> None:
    post.assign()
    [lost] = claim(post.courier, 9)
    assert claim(post.courier, 9) == []

    post.ahead = LEASE + timedelta(seconds=1)
    post.run(until=1)

    [got] = post.receiver.got
    assert got.headers["webhook-id"] == str(lost.notice.id)
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]
    assert [it.number for it in post.tries()] == [2]


def test_a_private_address_that_is_not_allowed_is_never_called(post: Post) -> None:
    post.assign()
    guarded = Courier(post.sessions, vault(), policy_for([]), post.now, lambda: 0.0)
    stop, woken = threading.Event(), asyncio.Event()

    async def main() -> None:
        task = asyncio.create_task(deliver(guarded, stop=stop, woken=woken, beat=lambda: None))
        while not await asyncio.to_thread(post.tries):
            woken.set()
        stop.set()
        woken.set()
        await task

    asyncio.run(main())

    assert post.receiver.got == []
    [tried] = post.tries()
    assert tried.status is None
    assert "LEADBATON_ALLOW_NETWORKS" in tried.said


def test_an_endpoint_gets_only_its_part_of_the_hands(post: Post) -> None:
    hold = threading.Event()
    post.receiver.reply(GRACE, Reply(200, hold=hold))
    post.assign(*(f"lead-{number}" for number in range(HANDS_AN_ENDPOINT * 3)))
    stop = threading.Event()

    async def main() -> None:
        woken = asyncio.Event()
        task = asyncio.create_task(deliver(post.courier, stop=stop, woken=woken, beat=lambda: None))
        await asyncio.to_thread(post.receiver.wait, lambda got: len(got) == HANDS_AN_ENDPOINT)
        woken.set()
        assert await asyncio.to_thread(claim, post.courier, 99) == []
        hold.set()
        await asyncio.to_thread(post.receiver.wait, lambda got: len(got) == HANDS_AN_ENDPOINT * 3)
        stop.set()
        woken.set()
        await task

    asyncio.run(main())

    assert post.receiver.most_busy == HANDS_AN_ENDPOINT
    assert {state for _, _, state in post.states()} == {"delivered"}


def test_a_rep_who_handed_it_back_is_not_told_any_more(post: Post) -> None:
    post.assign()
    with post.sessions.begin() as session:
        answer(
            session,
            handoff_id(an_id("ada"), 1),
            Answer(Change.REJECTED, details={"reason": "no_capacity"}),
            actor=Actor("rep", "grace"),
            office=post.office,
            now=post.now(),
        )

    assert claim(post.courier, 9) == []
    assert post.states() == [("rep/grace", "handoff.assigned", "cancelled")]


def test_a_breach_is_told_to_the_team_once_and_an_escalation_to_ops(post: Post) -> None:
    post.assign()
    handoff = handoff_id(an_id("ada"), 1)
    breached = sla_message(sla_changed(handoff_id=handoff))
    escalated = sla_message(
        sla_changed(ClockChange.ESCALATED, handoff_id=handoff, step="ops", rep="grace")
    )
    started = sla_message(sla_changed(ClockChange.STARTED, handoff_id=handoff))
    with post.sessions.begin() as session:
        for _ in range(2):
            on_sla_changed(session, [breached, escalated, started], post.now(), office=post.office)
    post.run(until=3)

    breaches = {it.path: it for it in post.receiver.got if it.path != GRACE}
    assert sorted(breaches) == ["/ops", "/teams/sales"]
    got = breaches["/teams/sales"]
    said = Webhook(post.secrets["team/sales"]).verify(got.body, got.headers)
    assert (said["type"], said["data"]["breach"]["policy"]) == ("handoff.breached", "first_touch")
    assert said["data"]["lead"]["email"] == "ada@example.com"
    assert len(post.rows()) == 3


def test_a_commit_wakes_whoever_listens(post: Post) -> None:
    engine = engine_for(post.sessions.kw["bind"].url)
    stop, rung = threading.Event(), threading.Semaphore(0)
    bell = threading.Thread(target=listen, args=(engine, rung.release, stop))
    bell.start()
    number = 0
    while not rung.acquire(timeout=0.2):
        post.assign(f"lead-{number}")
        number += 1
    stop.set()
    bell.join()
    engine.dispose()

    assert number


def test_a_key_that_opens_nothing_is_found_at_the_start(post: Post) -> None:
    other = Vault(SecretStr("b3RoZXItdGVzdHMtbGVhZGJhdG9uLXRlc3RzLW90aCE="))
    wrong = Courier(post.sessions, other, LOOPBACK, post.now, lambda: 0.0)

    check_vault(post.courier)
    with pytest.raises(BadSecretKey, match="not the key that this secret was encrypted with"):
        check_vault(wrong)


def test_an_answer_that_does_not_come_in_time_is_a_failed_try(post: Post) -> None:
    hold = threading.Event()
    post.receiver.reply(GRACE, Reply(200, hold=hold))
    post.assign()

    post.run(until=1, courier=replace(post.courier, patience_s=0.2))
    hold.set()

    [tried] = post.tries()
    assert (tried.status, tried.said) == (None, "no answer within 0.2 s")


def test_nobody_at_the_address_is_a_failed_try(post: Post) -> None:
    with post.sessions.begin() as session:
        nobody = f"http://127.0.0.1:{free_port()}/"
        importing(session, entry("grace", endpoint={"url": nobody}))
    post.assign()

    async def main() -> None:
        async with guarded_client(LOOPBACK, connections=1) as client:
            said = await send(client, nobody, headers={}, body=b"", within_s=5)
        assert said.status is None
        assert said.said.startswith("ConnectError")

    asyncio.run(main())


def test_without_the_database_the_courier_waits(post: Post) -> None:
    engine = engine_for(f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere")
    away = replace(post.courier, sessions=sessions_on(engine))
    stop, listening = threading.Event(), threading.Event()

    asyncio.run(deliver(away, stop=stop, woken=asyncio.Event(), beat=stop.set))
    bell = threading.Thread(target=listen, args=(engine, listening.set, listening))
    bell.start()
    listening.set()
    bell.join()
    engine.dispose()

    assert post.receiver.got == []


def test_without_endpoints_any_key_will_do(sessions: Sessions) -> None:
    check_vault(Courier(sessions, vault(), LOOPBACK, utc_now, lambda: 0.0))
