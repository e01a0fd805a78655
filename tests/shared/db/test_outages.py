"""Tests which errors of the database are outages."""

from __future__ import annotations

import secrets

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from shared.db.outages import is_outage
from shared.db.session import engine_for
from shared.embedded.postgres import free_port
from shared.errors import Rejected, Unavailable, class_and_code

pytestmark = pytest.mark.postgres


def error_of(session: Session, statement: str, **values: object) -> DBAPIError:
    """The error of the real server, or of its driver, for the statement."""
    session.execute(text("create temp table large (value text primary key)"))
    with pytest.raises(DBAPIError) as raised, session.begin_nested():
        session.execute(text(statement), values)
    return raised.value


@pytest.mark.parametrize(
    ("statement", "value", "code"),
    [
        ("select cast(:value as text)", "a\0b", "DataError"),
        ("select cast(:value as uuid)", "ada@acme.example", "InvalidTextRepresentation 22P02"),
        ("select 1 / cast(:value as integer)", "0", "DivisionByZero 22012"),
        ("select cast(:value as text) from nowhere", "", "UndefinedTable 42P01"),
        ("insert into large values (:value), (:value)", "a", "UniqueViolation 23505"),
        (
            "insert into large values (:value)",
            secrets.token_hex(9_000),
            "ProgramLimitExceeded 54000",
        ),
    ],
    ids=["zero", "cast", "arithmetic", "no table", "unique", "too large for an index"],
)
def test_what_a_value_causes_is_no_outage(
    session: Session, statement: str, value: str, code: str
) -> None:
    error = error_of(session, statement, value=value)
    assert (is_outage(error), class_and_code(error)) == (False, code)
    assert error.orig is not None
    assert (is_outage(error.orig), class_and_code(error.orig)) == (False, code)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("do $$ begin raise exception using errcode = '55P03'; end $$", "LockNotAvailable 55P03"),
        ("do $$ begin raise exception using errcode = '40P01'; end $$", "DeadlockDetected 40P01"),
        ("do $$ begin raise exception using errcode = '53100'; end $$", "DiskFull 53100"),
        ("do $$ begin raise exception using errcode = '25P04'; end $$", "TransactionTimeout 25P04"),
    ],
    ids=["lock", "deadlock", "disk", "time-out"],
)
def test_what_passes_is_an_outage(session: Session, statement: str, code: str) -> None:
    error = error_of(session, statement)
    assert (is_outage(error), class_and_code(error)) == (True, code)


def test_a_connection_that_is_ended_is_an_outage(database_url: str) -> None:
    engine = engine_for(database_url)
    with engine.connect() as connection, pytest.raises(DBAPIError) as raised:
        connection.execute(text("select pg_terminate_backend(pg_backend_pid())"))
    assert is_outage(raised.value)
    engine.dispose()


def test_a_server_that_is_not_there_is_an_outage() -> None:
    engine = engine_for(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    with pytest.raises(DBAPIError) as raised:
        engine.connect()
    assert (is_outage(raised.value), class_and_code(raised.value)) == (True, "OperationalError")
    engine.dispose()


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (PoolTimeout(), True),
        (Unavailable("away"), True),
        (Rejected("wrong"), False),
        (KeyError("x"), False),
        (psycopg.InterfaceError("the connection is closed"), True),
        (psycopg.InternalError("got no result"), False),
        (DBAPIError("select 1", {}, Exception("gone"), connection_invalidated=True), True),
    ],
)
def test_other_errors_say_it_by_their_kind(error: Exception, *, passes: bool) -> None:
    assert is_outage(error) is passes
