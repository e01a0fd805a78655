"""Links for answers: bound to handoff, hop and rep, signed, and at an end after 14 days."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.routing.domain.answer_links import (
    LIFETIME,
    PURPOSE,
    AnswerLink,
    LinkEnded,
    NoSuchLink,
    fingerprint,
    link_of,
    token_of,
)
from shared.auth.derived_keys import derived_keys
from tests.builders import NOON

KEY, OTHER_KEY = derived_keys(SecretStr("one,another"), PURPOSE)
LINK = AnswerLink(UUID(int=7), 2, "grace", NOON + LIFETIME)
TOKEN = token_of(LINK, KEY)


@given(
    st.builds(
        AnswerLink,
        st.uuids(),
        st.integers(1, 2**31 - 1),
        st.from_regex(r"[a-z][a-z0-9_]{0,62}", fullmatch=True),
        st.just(NOON + timedelta(seconds=1)),
    )
)
def test_a_token_says_what_its_link_says(link: AnswerLink) -> None:
    assert link_of(token_of(link, KEY), [OTHER_KEY, KEY], now=NOON) == link


def test_a_link_ends_at_its_instant() -> None:
    assert link_of(TOKEN, [KEY], now=NOON + LIFETIME - timedelta(seconds=1)) == LINK
    with pytest.raises(LinkEnded, match="14 days"):
        link_of(TOKEN, [KEY], now=NOON + LIFETIME)


def test_a_replaced_key_keeps_old_links_valid_and_a_dropped_one_ends_them() -> None:
    assert link_of(TOKEN, [OTHER_KEY, KEY], now=NOON) == LINK
    with pytest.raises(NoSuchLink):
        link_of(TOKEN, [OTHER_KEY], now=NOON)
    with pytest.raises(NoSuchLink):
        link_of(TOKEN, [], now=NOON)


def test_the_key_of_links_is_for_nothing_else() -> None:
    [other_purpose] = derived_keys(SecretStr("one"), b"another purpose")

    assert other_purpose != KEY
    with pytest.raises(NoSuchLink):
        link_of(token_of(LINK, other_purpose), [KEY], now=NOON)
    assert derived_keys(None, PURPOSE) == derived_keys(SecretStr(" , "), PURPOSE) == []


@given(st.data())
def test_no_changed_character_leaves_a_token_valid(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TOKEN) - 1))
    character = data.draw(st.characters(codec="ascii").filter(lambda it: it != TOKEN[at]))
    with pytest.raises(NoSuchLink):
        link_of(TOKEN[:at] + character + TOKEN[at + 1 :], [KEY], now=NOON)


@pytest.mark.parametrize(
    "token", ["", "x", TOKEN[:-1], TOKEN + "A", TOKEN + "=", "A" * 57, "é" * 60]
)
def test_other_texts_are_no_tokens(token: str) -> None:
    with pytest.raises(NoSuchLink):
        link_of(token, [KEY], now=NOON)


def test_a_fingerprint_does_not_say_the_token() -> None:
    assert len(fingerprint(TOKEN)) == 16
    assert fingerprint(TOKEN) == fingerprint(TOKEN) != fingerprint(TOKEN[:-1])
    assert fingerprint(TOKEN) not in TOKEN
