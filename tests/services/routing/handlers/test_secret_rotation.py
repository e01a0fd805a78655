"""A new secret signs at once; the old one signs beside it for a day, and ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import update
from standardwebhooks import Webhook, WebhookVerificationError

from services.routing.domain.endpoints import UnknownEndpoint
from services.routing.domain.signing import MAX_OLD_SECRETS, OLD_SECRET_SIGNS_FOR
from services.routing.handlers.secret_rotation import Rotation, TooManySecrets, rotate_secret
from services.routing.tables import endpoints
from shared.auth.vault import Vault
from shared.db.session import Sessions
from tests.services.routing.builders import vault
from tests.services.routing.delivery.post import Post
from tests.services.routing.delivery.receiver import Got, receiving

pytestmark = pytest.mark.postgres

ID = "rep/grace"


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def rotate(post: Post) -> Rotation:
    with post.sessions.begin() as session:
        return rotate_secret(session, ID, vault=vault(), now=post.now())


def webhook_for(post: Post, lead: str) -> Got:
    """What the receiver gets about this lead."""
    post.assign(lead)
    post.run(until=len(post.receiver.got) + 1)
    return post.receiver.got[-1]


def verifies(secret: str, got: Got) -> bool:
    """Whether a receiver with this secret takes the webhook."""
    try:
        Webhook(secret).verify(got.body, got.headers)
    except WebhookVerificationError:
        return False
    return True


def signatures(got: Got) -> int:
    return len(got.headers["webhook-signature"].split(" "))


def test_both_secrets_sign_for_a_day_and_then_only_the_new_one(post: Post) -> None:
    old = post.secrets[ID]
    rotated = rotate(post)
    assert rotated.old_secret_until is not None
    assert (
        timedelta(0)
        <= post.now() + OLD_SECRET_SIGNS_FOR - rotated.old_secret_until
        < timedelta(minutes=1)
    )

    first = webhook_for(post, "ada")
    assert (signatures(first), verifies(old, first), verifies(rotated.secret, first)) == (
        2,
        True,
        True,
    )
    other_secrets = [it for it in post.secrets.values() if it != old]
    assert not any(verifies(it, first) for it in other_secrets)

    post.time_offset = OLD_SECRET_SIGNS_FOR + timedelta(seconds=1)
    last = webhook_for(post, "bob")
    assert signatures(last) == 1


def test_each_old_secret_signs_for_a_day_and_their_number_is_limited(
    post: Post,
) -> None:
    secrets = [post.secrets[ID], *(rotate(post).secret for _ in range(MAX_OLD_SECRETS))]
    with pytest.raises(TooManySecrets, match=r"was changed 4 times in a day.*try again after 2"):
        rotate(post)

    got = webhook_for(post, "ada")

    assert signatures(got) == MAX_OLD_SECRETS + 1
    assert all(verifies(it, got) for it in secrets)
    post.time_offset = OLD_SECRET_SIGNS_FOR + timedelta(seconds=1)
    assert rotate(post).old_secret_until is not None
    assert signatures(webhook_for(post, "bob")) == 2


def test_a_secret_that_a_lost_key_encrypted_is_replaced_and_signs_no_more(
    post: Post,
) -> None:
    lost = Vault(SecretStr(Fernet.generate_key().decode()))
    with post.sessions.begin() as session:
        statement = update(endpoints).where(endpoints.c.id == ID)
        session.execute(statement.values(secret=lost.encrypt(b"lost")))
        older = [[lost.encrypt(b"older").decode(), (post.now() + OLD_SECRET_SIGNS_FOR).isoformat()]]
        session.execute(statement.values(old_secrets=older))

    rotated = rotate(post)

    assert rotated.old_secret_until is None
    got = webhook_for(post, "ada")
    assert (signatures(got), verifies(rotated.secret, got)) == (1, True)


def test_the_secret_of_an_unknown_endpoint_cannot_be_rotated(post: Post) -> None:
    with (
        post.sessions.begin() as session,
        pytest.raises(UnknownEndpoint, match="no endpoint 'rep/nobody'"),
    ):
        rotate_secret(session, "rep/nobody", vault=vault(), now=post.now())
