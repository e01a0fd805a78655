"""The session's cookie and the token against forged requests."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import orjson
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from services.console.sessions import LIFETIME, Sessions
from shared.auth.vault import BadSecretKey
from tests.builders import NOON
from tests.services.apis import SECRET_KEY

OTHER_KEY = SecretStr(Fernet.generate_key().decode())


def test_a_cookie_gives_the_visitor_back_until_its_time_is_over() -> None:
    sessions = Sessions(SECRET_KEY)
    visitor = sessions.start("lb_ops_x", "ops", "olga", NOON)
    cookie = sessions.cookie(visitor)

    assert "lb_ops_x" not in cookie
    assert sessions.visitor(cookie, NOON) == visitor
    assert sessions.visitor(cookie, NOON + LIFETIME + timedelta(seconds=1)) is None


@pytest.mark.parametrize("cookie", [None, "", "x", "ö", "gAAAAABnothing"])
def test_no_other_text_is_a_session(cookie: str | None) -> None:
    assert Sessions(SECRET_KEY).visitor(cookie, NOON) is None


def test_what_the_key_has_encrypted_for_another_purpose_is_no_session() -> None:
    encrypted = Fernet(SECRET_KEY.get_secret_value()).encrypt(b'{"key":"k"}').decode()
    assert Sessions(SECRET_KEY).visitor(encrypted, NOON) is None


def test_a_session_outlives_the_change_of_the_secret_key_in_two_steps() -> None:
    before = Sessions(SECRET_KEY)
    cookie = before.cookie(before.start("k", "rep", "amira", NOON))
    two_keys = SecretStr(f"{OTHER_KEY.get_secret_value()}, {SECRET_KEY.get_secret_value()}")

    assert Sessions(two_keys).visitor(cookie, NOON) is not None
    assert Sessions(OTHER_KEY).visitor(cookie, NOON) is None


@pytest.mark.parametrize("key", [None, SecretStr(" ")])
def test_without_a_secret_key_it_says_how_to_make_one(key: SecretStr | None) -> None:
    with pytest.raises(BadSecretKey, match="leadbaton keys secret"):
        Sessions(key)


def test_a_token_is_good_for_one_session_alone() -> None:
    sessions = Sessions(SECRET_KEY)
    session, next_session = (sessions.start("k", "ops", "olga", NOON) for _ in range(2))

    assert sessions.is_token(session, sessions.token(session))
    assert not sessions.is_token(session, sessions.token(next_session))
    for text in ("", "ü", "x", "ab", sessions.token(session)[:-2], sessions.token(session) + "00"):
        assert not sessions.is_token(session, text)


def test_no_two_pages_carry_the_same_token() -> None:
    """A page is compressed, and its size would betray a token that stays the same."""
    sessions = Sessions(SECRET_KEY)
    visitor = sessions.start("k", "ops", "olga", NOON)

    tokens = {sessions.token(visitor) for _ in range(100)}

    assert len(tokens) == len({it[:8] for it in tokens}) == len({it[-8:] for it in tokens}) == 100
    assert all(sessions.is_token(visitor, it) for it in tokens)


def test_reps_are_an_audience_each_and_ops_one() -> None:
    sessions = Sessions(SECRET_KEY)
    assert sessions.start("k", "rep", "amira", NOON).audience == "rep/amira"
    assert sessions.start("k", "ops", "olga", NOON).audience == "ops"
    assert sessions.start("k", "ops", "olga", NOON).is_ops


def test_the_line_on_an_act_is_not_readable_in_its_cookie() -> None:
    sessions = Sessions(SECRET_KEY)
    cookie = sessions.encrypt("New secret: whsec_x", "status")

    assert "whsec" not in cookie
    assert sessions.decrypt(cookie, "status") == "New secret: whsec_x"
    assert sessions.decrypt(cookie, "search") == ""
    assert sessions.decrypt("New secret: whsec_x", "status") == ""
    assert sessions.visitor(cookie, NOON) is None


def test_what_a_visitor_searches_for_never_becomes_a_session() -> None:
    sessions = Sessions(SECRET_KEY)
    visitor = sessions.start("k", "ops", "olga", NOON)
    searched = sessions.encrypt(orjson.dumps(asdict(visitor)).decode(), "search")

    assert sessions.visitor(searched, NOON) is None
    assert sessions.visitor(sessions.cookie(visitor), NOON) == visitor
