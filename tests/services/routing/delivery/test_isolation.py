"""A delivery that cannot be recorded, claimed or attempted does not delay others, and is not sent again and again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from prometheus_client import REGISTRY
from pydantic import SecretStr
from sqlalchemy import text, update

from services.routing.delivery import release_claims
from services.routing.delivery.dispatcher import LEASE, claim
from services.routing.domain.attempts import SCHEDULE
from services.routing.queries import deliveries, delivery_lists
from services.routing.tables import endpoints
from shared.auth.vault import Vault
from shared.db.session import Sessions
from tests.services.routing.builders import announced_changes, entry, importing, vault
from tests.services.routing.delivery.post import GRACE, Post, delivering, endpoint, notify, until
from tests.services.routing.delivery.receiver import Reply, receiving

pytestmark = pytest.mark.postgres

LEADS = ("ada", "bob", "cyd", "dan", "eve")


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def refuse(post: Post, table: str, when: str, condition: str) -> None:
    """Let PostgreSQL refuse some rows of a table with an error that is no outage."""
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
    """How many attempts were recorded without this part so far."""
    name = "leadbaton_delivery_unrecorded_total"
    return REGISTRY.get_sample_value(name, {"unrecorded": part}) or 0.0


def test_a_handoff_that_cannot_be_read_delays_no_other_and_its_webhook_is_sent_once(
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


def test_410_disables_the_endpoint_even_if_the_handoff_cannot_be_read(post: Post) -> None:
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


def test_the_outcome_is_recorded_even_if_the_attempt_cannot_be(post: Post) -> None:
    before = unrecorded("attempt")
    post.receiver.reply(GRACE, Reply(200, body=b"unstorable"), Reply(200))
    refuse(post, "attempts", "insert", "new.detail = 'unstorable'")
    post.assign(*LEADS)
    post.run(until=5)

    assert [it.state for it in post.deliveries()] == ["delivered"] * 5
    assert len(post.attempts()) == 4
    assert unrecorded("attempt") == before + 1


def test_a_delivery_that_cannot_be_recorded_at_all_is_not_sent_again_within_its_pause(
    post: Post,
) -> None:
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
        release_claims(named)
        assert claim(named, 9) == []
        post.time_offset += timedelta(seconds=2)
        assert [it.number for it in claim(named, 9)] == [number]


def test_after_a_crash_a_first_attempt_is_due_at_once_and_a_retry_after_its_pause(
    post: Post,
) -> None:
    named = replace(post.dispatcher, name="routing-delivery-0")
    post.assign()
    for number in (1, 2):
        assert [it.number for it in claim(named, 9)] == [number]
        release_claims(named)

    assert claim(named, 9) == []
    post.time_offset = timedelta(seconds=31)
    assert [it.number for it in claim(named, 9)] == [3]


def test_a_delivery_that_cannot_be_claimed_is_exhausted_and_the_others_go_on(
    post: Post,
) -> None:
    post.assign(*LEADS)
    with post.sessions.begin() as session:
        [odd, *_] = delivery_lists.list_deliveries(session, limit=9)
        session.execute(
            text("update routing.deliveries set attempt_count = 32767 where id = :id"),
            {"id": odd.id},
        )
    expected = ["delivered"] * 4 + ["exhausted"]
    with delivering(post.dispatcher):
        until(lambda: sorted(it.state for it in post.deliveries()) == expected)

    assert len(post.receiver.got) == 4


def test_an_attempt_that_fails_for_an_unknown_cause_is_recorded_as_failed(post: Post) -> None:
    chances = iter((0, 1))
    post.receiver.reply(GRACE, Reply(500))
    post.assign()
    post.run(until=1, dispatcher=replace(post.dispatcher, chance=lambda: 0 / next(chances)))

    assert [(it.status, it.detail) for it in post.attempts()] == [
        (None, "ZeroDivisionError: division by zero")
    ]
    assert post.deliveries()[0].state == "pending"


def with_linus(post: Post) -> None:
    """Import Linus too, so that each of the two gets a lead."""
    with post.sessions.begin() as session:
        grace, linus = (
            entry(it, endpoint={"url": post.receiver.url(f"/reps/{it}")})
            for it in ("grace", "linus")
        )
        importing(session, grace, linus)


def attempt_details(post: Post) -> dict[str, str]:
    """What went wrong with attempts that had no response, by endpoint."""
    return {
        delivery.endpoint: attempt.detail
        for delivery in post.deliveries()
        for attempt in delivery.attempts
        if attempt.status is None
    }


def test_a_secret_that_another_key_encrypted_does_not_delay_other_endpoints(post: Post) -> None:
    with_linus(post)
    locked = Vault(SecretStr(Fernet.generate_key().decode())).encrypt(b"secret")
    with post.sessions.begin() as session:
        session.execute(
            update(endpoints).where(endpoints.c.id == "rep/grace").values(secret=locked)
        )
    post.assign("ada", "alan")

    post.run(until=1)

    assert [it.path for it in post.receiver.got] == ["/reps/linus"]
    assert attempt_details(post)["rep/grace"].startswith("LEADBATON_SECRET_KEY is not the key")


def test_an_invalid_host_name_does_not_delay_other_endpoints(post: Post) -> None:
    with_linus(post)
    with post.sessions.begin() as session:
        session.execute(
            update(endpoints)
            .where(endpoints.c.id == "rep/grace")
            .values(url=vault().encrypt(b"https://xn--a/"))
        )
    post.assign("ada", "alan")

    post.run(until=1)

    assert [it.path for it in post.receiver.got] == ["/reps/linus"]
    assert attempt_details(post)["rep/grace"].startswith("InvalidCodepoint")


def test_a_redelivery_during_the_last_attempt_is_attempted(post: Post) -> None:
    hold = threading.Event()
    post.receiver.reply(GRACE, Reply(410, hold=hold), Reply(200))
    post.assign()

    def again() -> None:
        post.receiver.wait(lambda got: len(got) == 1)
        with post.sessions.begin() as session:
            [row] = delivery_lists.list_deliveries(session, limit=9)
            deliveries.redeliver(session, row.id, now=post.now())
        hold.set()

    thread = threading.Thread(target=again)
    thread.start()
    post.run(until=2)
    thread.join()

    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]
