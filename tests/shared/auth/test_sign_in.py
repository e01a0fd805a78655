"""Tests of sign-in links: one use under concurrency, five minutes, a key of half a day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.auth.keys import Caller, ExpiredKey, KeyScope, id_in
from shared.auth.queries import keys
from shared.auth.sign_in import (
    KEY_IS_VALID_FOR,
    LINK_IS_VALID_FOR,
    MAX_TOKEN_CHARACTERS,
    SignIn,
    SpentLink,
    create_link,
    redeem_link,
)
from shared.db.session import Sessions
from shared.db.tables import sign_in_links
from tests.builders import NOON
from tests.keys import find_caller

pytestmark = pytest.mark.postgres


def test_a_link_gives_a_key_for_half_a_day_and_only_a_hash_of_it_is_kept(session: Session) -> None:
    token = create_link(session, scope=KeyScope.REP, subject="ann", now=NOON)
    sign_in = redeem_link(session, token, now=NOON)

    assert (sign_in.scope, sign_in.subject) == (KeyScope.REP, "ann")
    assert sign_in.expires_at == NOON + timedelta(hours=12) == NOON + KEY_IS_VALID_FOR
    assert find_caller(session, sign_in.key, now=NOON) == Caller(
        id_in(sign_in.key), KeyScope.REP, "ann"
    )
    with pytest.raises(ExpiredKey):
        find_caller(session, sign_in.key, now=sign_in.expires_at)
    assert len(token) == 43 <= MAX_TOKEN_CHARACTERS
    [row] = session.execute(select(sign_in_links))
    assert token not in repr(row)
    assert row.key_id == id_in(sign_in.key)


def test_a_link_opens_once_and_for_five_minutes(session: Session) -> None:
    spent, late = (
        create_link(session, scope=KeyScope.OPS, subject="olga", now=NOON) for _ in range(2)
    )
    redeem_link(session, spent, now=NOON + LINK_IS_VALID_FOR - timedelta(seconds=1))

    refusals = set()
    for token, now in ((spent, NOON), (late, NOON + LINK_IS_VALID_FOR), ("other", NOON)):
        with pytest.raises(SpentLink) as refusal:
            redeem_link(session, token, now=now)
        refusals.add(refusal.value.message)
    assert len(refusals) == 1, "a refusal does not say whether the link exists"
    assert len(keys(session)) == 1


def test_of_many_at_once_one_gets_the_key(sessions: Sessions) -> None:
    with sessions.begin() as session:
        token = create_link(session, scope=KeyScope.OPS, subject="olga", now=NOON)

    def redeem(_: int) -> SignIn | None:
        try:
            with sessions.begin() as session:
                return redeem_link(session, token, now=NOON)
        except SpentLink:
            return None

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(redeem, range(16)))

    assert sum(it is not None for it in results) == 1
    with sessions() as session:
        assert len(keys(session)) == 1


def test_links_and_keys_that_have_ended_are_deleted_with_the_next_link(session: Session) -> None:
    unused, used = (
        create_link(session, scope=KeyScope.OPS, subject="olga", now=NOON) for _ in range(2)
    )
    sign_in = redeem_link(session, used, now=NOON)
    ended_at = NOON + LINK_IS_VALID_FOR + KEY_IS_VALID_FOR
    create_link(session, scope=KeyScope.OPS, subject="olga", now=ended_at - timedelta(seconds=1))
    assert [it.id for it in keys(session)] == [id_in(sign_in.key)]

    create_link(session, scope=KeyScope.OPS, subject="olga", now=ended_at)

    assert keys(session) == []
    assert len(session.scalars(select(sign_in_links.c.token_hash)).all()) == 2
    with pytest.raises(SpentLink):
        redeem_link(session, unused, now=NOON)
