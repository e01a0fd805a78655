"""What one receiver or one endpoint has that is odd is its own matter: the others hear of their leads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import update

from services.routing.queries import deliveries
from services.routing.tables import endpoints
from shared.auth.vault import Vault
from shared.db.session import Sessions
from tests.services.routing.builders import entry, importing
from tests.services.routing.delivery.post import GRACE, Post
from tests.services.routing.delivery.receiver import Reply, receiving

pytestmark = pytest.mark.postgres


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def with_linus(post: Post) -> None:
    """Linus is there too, and each of the two gets a lead."""
    with post.sessions.begin() as session:
        grace, linus = (
            entry(it, endpoint={"url": post.receiver.url(f"/reps/{it}")})
            for it in ("grace", "linus")
        )
        importing(session, grace, linus)


def attempt_details(post: Post) -> dict[str, str]:
    """How each rep's first try went, where there was no answer."""
    return {
        delivery.endpoint: attempt.detail
        for delivery in post.deliveries()
        for attempt in delivery.attempts
        if attempt.status is None
    }


def test_a_secret_that_another_key_encrypted_holds_up_nobody_else(post: Post) -> None:
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


def test_a_host_whose_name_is_no_name_holds_up_nobody_else(post: Post) -> None:
    with_linus(post)
    with post.sessions.begin() as session:
        session.execute(
            update(endpoints).where(endpoints.c.id == "rep/grace").values(url="https://xn--a/")
        )
    post.assign("ada", "alan")

    post.run(until=1)

    assert [it.path for it in post.receiver.got] == ["/reps/linus"]
    assert attempt_details(post)["rep/grace"].startswith("InvalidCodepoint")


def test_who_asks_for_it_again_during_the_last_try_gets_another(post: Post) -> None:
    hold = threading.Event()
    post.receiver.reply(GRACE, Reply(410, hold=hold), Reply(200))
    post.assign()

    def again() -> None:
        post.receiver.wait(lambda got: len(got) == 1)
        with post.sessions.begin() as session:
            [row] = deliveries.list_deliveries(session, limit=9)
            deliveries.redeliver(session, row.id, now=post.now())
        hold.set()

    asking = threading.Thread(target=again)
    asking.start()
    post.run(until=2)
    asking.join()

    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]
