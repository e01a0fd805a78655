"""Migrations run once, in order, whoever starts them and however many at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from shared.db.migrate import pending, upgrade
from shared.db.session import engine_for
from shared.embedded.postgres import PostgresServer

pytestmark = pytest.mark.postgres


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[Engine]:
    """A database without anything in it."""
    server = engine_for(postgres.url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("drop database if exists empty"))
        connection.execute(text("create database empty"))
    server.dispose()
    engine = engine_for(postgres.url("empty"))
    yield engine
    engine.dispose()


def lacks(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return pending(connection)


def test_an_empty_database_gets_everything_and_says_what(empty: Engine) -> None:
    missing = lacks(empty)

    assert upgrade(empty) == missing
    assert missing[0].startswith("messaging_01: ")
    assert lacks(empty) == []
    assert upgrade(empty) == []


def test_two_migrators_at_once_do_the_work_of_one(empty: Engine) -> None:
    missing = lacks(empty)

    with ThreadPoolExecutor(2) as both:
        done = list(both.map(upgrade, [empty, empty]))

    assert sorted(done, key=len) == [[], missing]
