"""Tests of keys: creation, storage as a hash, look-up, cache, end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from shared.auth.issuing import create_key
from shared.auth.key_cache import FRESH, STALE, KeyCache
from shared.auth.keys import Caller, ExpiredKey, InactiveRep, KeyScope, UnknownKey, id_in
from shared.auth.queries import keys, revoke_key, suspend_reps_keys
from shared.db.outages import DatabaseAway
from shared.db.session import Sessions
from shared.db.tables import api_keys
from shared.embedded.postgres import PostgresServer
from tests.keys import find_caller

pytestmark = pytest.mark.postgres
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_a_key_stands_for_a_subject_and_only_a_hash_is_kept(session: Session) -> None:
    key = create_key(session, scope=KeyScope.REP, subject="ann", now=NOON)

    start, scope, key_id, secret = key.split("_")
    assert (start, scope, len(secret)) == ("lb", "rep", 48)
    assert find_caller(session, key, now=NOON) == Caller(key_id, KeyScope.REP, "ann")
    row = session.execute(select(api_keys).where(api_keys.c.id == key_id)).one()
    assert secret not in repr(row)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: key.replace("lb_", "xx_"),
        lambda key: key.replace("_ops_", "_rep_"),
        lambda key: key + "_",
        lambda key: key.upper(),
        lambda key: key[:-1] + "\0",
        lambda key: key[:-1] + "\udc00",
        lambda key: key[:-1] + "é",
        lambda key: key.rpartition("_")[0],
        lambda key: key + "\n",
        lambda _: "lb",
        lambda _: "lb_ops",
        lambda _: "",
    ],
)
def test_what_is_nearly_a_key_is_none(session: Session, wrong: Callable[[str], str]) -> None:
    key = create_key(session, scope=KeyScope.OPS, subject="olga", now=NOON)
    with pytest.raises(UnknownKey):
        find_caller(session, wrong(key), now=NOON)


def test_a_key_ends_when_revoked_and_only_once(session: Session) -> None:
    key = create_key(session, scope=KeyScope.OPS, subject="olga", now=NOON)
    key_id = key.split("_")[2]

    assert revoke_key(session, key_id, now=NOON + timedelta(1))
    assert not revoke_key(session, key_id, now=NOON + timedelta(2))
    assert not revoke_key(session, "nobody", now=NOON)
    assert find_caller(session, key, now=NOON).subject == "olga"
    with pytest.raises(UnknownKey, match="revoked"):
        find_caller(session, key, now=NOON + timedelta(1))
    [stored] = [it for it in keys(session) if it.id == key_id]
    assert stored.revoked_at == NOON + timedelta(1)


def test_a_key_expires(session: Session) -> None:
    key = create_key(
        session, scope=KeyScope.OPS, subject="o", now=NOON, expires_at=NOON + timedelta(1)
    )
    assert find_caller(session, key, now=NOON).subject == "o"
    with pytest.raises(ExpiredKey):
        find_caller(session, key, now=NOON + timedelta(1))


def test_a_ring_asks_the_database_now_and_then_and_believes_itself_while_it_is_away(
    mortal_postgres: PostgresServer, mortal_sessions: Sessions
) -> None:
    now = NOON
    key_cache = KeyCache(mortal_sessions, lambda: now)
    with mortal_sessions.begin() as session:
        key, second_key = (
            create_key(session, scope=KeyScope.INGEST, subject="s", now=NOON) for _ in range(2)
        )
    assert key_cache.cached(key) is None
    assert key_cache.key(key).subject == "s"
    assert key_cache.cached(key) is not None

    mortal_postgres.stop()
    try:
        now = NOON + FRESH
        assert key_cache.key(key).subject == "s"
        now = NOON + FRESH + timedelta(seconds=1)
        assert key_cache.cached(key) is None  # it must ask, but cannot
        assert key_cache.key(key).subject == "s"
        assert key_cache.cached(key) is not None  # for the next seconds it does not ask again
        with pytest.raises(DatabaseAway):
            key_cache.key(second_key)
        now = NOON + STALE + timedelta(seconds=1)
        with pytest.raises(DatabaseAway):
            key_cache.key(key)
    finally:
        mortal_postgres.start()
    now += timedelta(minutes=1)
    with mortal_sessions.begin() as session:
        revoke_key(session, key.split("_")[2], now=now)
    assert key_cache.key(second_key).subject == "s"
    with pytest.raises(UnknownKey):
        key_cache.key(key)


def test_what_cannot_be_a_key_makes_nobody_believe_that_the_database_is_away(
    sessions: Sessions,
) -> None:
    now = NOON
    key_cache = KeyCache(sessions, lambda: now)
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.INGEST, subject="s", now=NOON)
    key_cache.key(key)
    with sessions.begin() as session:
        revoke_key(session, id_in(key), now=NOON)

    now += FRESH + timedelta(seconds=1)
    for odd in ("a\0b", f"{key[:-1]}\0", "\udc00", "lb_ops", "lb_ops_1_2_3_4", "x" * 100_000):
        with pytest.raises(UnknownKey):
            key_cache.cached(odd)
        with pytest.raises(UnknownKey):
            key_cache.key(odd)
    with pytest.raises(UnknownKey, match="revoked"):
        key_cache.key(key)


def test_an_error_that_is_no_outage_keeps_no_key_alive(sessions: Sessions) -> None:
    now = NOON
    key_cache = KeyCache(sessions, lambda: now)
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.INGEST, subject="s", now=NOON)
        second_key = create_key(session, scope=KeyScope.INGEST, subject="s", now=NOON)
    key_cache.key(key)
    with sessions.begin() as session:
        session.execute(text("alter table messaging.api_keys rename column subject to gone"))

    now += FRESH + timedelta(seconds=1)
    for presented in (second_key, key):
        with pytest.raises(ProgrammingError):
            key_cache.key(presented)
    assert key_cache.cached(key) is None


def test_a_ring_refuses_a_suspended_key_within_half_a_minute_and_takes_it_again(
    sessions: Sessions,
) -> None:
    now = NOON
    key_cache = KeyCache(sessions, lambda: now)
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.REP, subject="ann", now=NOON)
    key_cache.key(key)

    with sessions.begin() as session:
        suspend_reps_keys(session, active=[], now=now)
    assert key_cache.key(key).subject == "ann"
    now += FRESH + timedelta(seconds=1)
    for _ in range(2):
        with pytest.raises(InactiveRep):
            key_cache.key(key)

    with sessions.begin() as session:
        suspend_reps_keys(session, active=["ann"], now=now)
    now += FRESH + timedelta(seconds=1)
    assert key_cache.key(key).subject == "ann"


def test_a_suspended_key_that_was_revoked_or_has_expired_is_refused_for_that(
    session: Session,
) -> None:
    revoked, expired = (
        create_key(session, scope=KeyScope.REP, subject="ann", now=NOON, expires_at=ends)
        for ends in (None, NOON + timedelta(hours=1))
    )
    suspend_reps_keys(session, active=[], now=NOON)
    revoke_key(session, id_in(revoked), now=NOON)

    with pytest.raises(UnknownKey, match="revoked"):
        find_caller(session, revoked, now=NOON)
    with pytest.raises(ExpiredKey):
        find_caller(session, expired, now=NOON + timedelta(hours=1))
    with pytest.raises(InactiveRep):
        find_caller(session, expired, now=NOON)


def test_a_key_is_suspended_since_the_first_import_without_the_rep(session: Session) -> None:
    create_key(session, scope=KeyScope.REP, subject="ann", now=NOON)
    for day in range(2):
        suspend_reps_keys(session, active=[], now=NOON + timedelta(day))
    assert [it.suspended_at for it in keys(session)] == [NOON]


def test_no_key_is_believed_for_longer_than_a_minute() -> None:
    assert FRESH < STALE <= timedelta(seconds=60)


def test_a_ring_forgets_keys_that_are_gone_and_the_oldest_when_there_are_too_many(
    sessions: Sessions,
) -> None:
    now = NOON
    key_cache = KeyCache(sessions, lambda: now, size=2)
    with sessions.begin() as session:
        made = [create_key(session, scope=KeyScope.INGEST, subject="s", now=NOON) for _ in range(3)]
    for key in made:
        key_cache.key(key)
    assert [key_cache.cached(key) is not None for key in made] == [False, True, True]

    with sessions.begin() as session:
        session.execute(api_keys.delete())
    now += FRESH + timedelta(seconds=1)
    for key in made:
        with pytest.raises(UnknownKey):
            key_cache.key(key)
    with pytest.raises(UnknownKey, match="no key: send one"):
        key_cache.key(None)
