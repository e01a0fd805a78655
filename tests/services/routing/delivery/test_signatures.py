"""Every attempt is verified by two independent libraries of Standard Webhooks, and `v1a` by the formulas of ed25519."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import update

from services.routing.domain.endpoints import UnknownEndpoint
from services.routing.domain.signing import MAX_OLD_SECRETS, OLD_SECRET_SIGNS_FOR, PUBLIC_KEY_PREFIX
from services.routing.handlers.secret_rotation import (
    KeyRotation,
    TooManySecrets,
    rotate_key,
    rotate_secret,
)
from services.routing.tables import endpoints
from shared.auth.vault import Vault
from shared.db.session import Sessions
from tests.ed25519 import verifies
from tests.services.routing.builders import vault
from tests.services.routing.delivery.post import GRACE, Post
from tests.services.routing.delivery.receiver import Got, Reply, receiving

pytestmark = pytest.mark.postgres

ID = "rep/grace"
REFUSALS = (
    standardwebhooks.WebhookVerificationError,
    svix.webhooks.WebhookVerificationError,
)


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def new_secret(post: Post) -> str:
    with post.sessions.begin() as session:
        return rotate_secret(session, ID, vault=vault(), now=post.now()).secret


def new_key(post: Post, id: str = ID) -> KeyRotation:
    with post.sessions.begin() as session:
        return rotate_key(session, id, vault=vault(), now=post.now())


def verified(secret: str, got: Got) -> bool:
    """Whether both libraries take the webhook with this secret; they agree."""
    by_one = accepted(standardwebhooks.Webhook(secret).verify, got)
    by_other = accepted(svix.webhooks.Webhook(secret).verify, got)
    assert by_one == by_other
    return by_one


def accepted(verify: Callable[[bytes, dict[str, str]], Any], got: Got) -> bool:
    """Whether this library takes the webhook."""
    try:
        verify(got.body, got.headers)
    except REFUSALS:
        return False
    return True


def verified_by_key(public_key: str, got: Got) -> bool:
    """Whether one of the `v1a` signatures is of the private key of this public key."""
    content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = b64decode(public_key.removeprefix(PUBLIC_KEY_PREFIX))
    signatures = [it.split(",") for it in got.headers["webhook-signature"].split(" ")]
    return any(
        verifies(key, b64decode(signature), content)
        for version, signature in signatures
        if version == "v1a"
    )


def versions(got: Got) -> list[str]:
    return [it.split(",")[0] for it in got.headers["webhook-signature"].split(" ")]


def test_every_attempt_is_verified_while_secrets_and_keys_change(post: Post) -> None:
    first_secret = post.secrets[ID]
    post.receiver.reply(GRACE, Reply(500), Reply(503), Reply(500), Reply(204))
    post.assign()
    post.run(until=1)
    second_secret = new_secret(post)
    post.time_offset = timedelta(seconds=6)
    post.run(until=2)
    first_key = new_key(post).public_key
    post.time_offset = timedelta(seconds=40)
    post.run(until=3)
    third_secret, second_key = new_secret(post), new_key(post).public_key
    post.time_offset = timedelta(seconds=200)
    post.run(until=4)

    secrets = (first_secret, second_secret, third_secret)
    assert [[verified(it, got) for it in secrets] for got in post.receiver.got] == [
        [True, False, False],
        [True, True, False],
        [True, True, False],
        [True, True, True],
    ]
    keys = (first_key, second_key)
    assert [[verified_by_key(it, got) for it in keys] for got in post.receiver.got] == [
        [False, False],
        [False, False],
        [True, False],
        [True, True],
    ]
    assert len({it.headers["webhook-id"] for it in post.receiver.got}) == 1
    assert len({it.headers["webhook-timestamp"] for it in post.receiver.got}) == 4


def test_an_old_key_signs_for_a_day_beside_the_new_one(post: Post) -> None:
    first = new_key(post)
    second = new_key(post)
    post.assign("ada")
    post.run(until=1)
    post.time_offset = OLD_SECRET_SIGNS_FOR + timedelta(seconds=1)
    post.assign("bob")
    post.run(until=2)

    assert first.old_key_until is None
    assert second.old_key_until is not None
    assert [versions(it) for it in post.receiver.got] == [["v1", "v1a", "v1a"], ["v1", "v1a"]]
    assert verified_by_key(second.public_key, post.receiver.got[1])
    assert not verified_by_key(first.public_key, post.receiver.got[1])


def test_an_endpoint_without_a_key_gets_no_signature_of_it(post: Post) -> None:
    new_key(post, "ops")
    post.assign()
    post.run(until=1)

    assert versions(post.receiver.got[0]) == ["v1"]


def test_keys_change_at_most_four_times_a_day(post: Post) -> None:
    for _ in range(MAX_OLD_SECRETS + 1):
        new_key(post)

    with pytest.raises(TooManySecrets, match="the key of rep/grace was changed 4 times in a day"):
        new_key(post)
    with pytest.raises(UnknownEndpoint, match="no endpoint 'rep/nobody'"):
        new_key(post, "rep/nobody")


def test_a_key_that_a_lost_secret_key_encrypted_is_replaced(post: Post) -> None:
    lost = Vault(SecretStr(Fernet.generate_key().decode()))
    with post.sessions.begin() as session:
        statement = update(endpoints).where(endpoints.c.id == ID)
        session.execute(statement.values(private_key=lost.encrypt(b"k" * 32)))
    rotation = new_key(post)
    post.assign()
    post.run(until=1)

    assert rotation.old_key_until is None
    [got] = post.receiver.got
    assert (versions(got), verified_by_key(rotation.public_key, got)) == (["v1", "v1a"], True)
