"""Tests that migrations run once and in order, also when several migrators start at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from sqlalchemy import Engine, text

from shared.db.locks import AdvisoryLock
from shared.db.migrate import MigrationWaits, NewerDatabase, pending, upgrade
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from tests.builders import marketing_event
from tests.conftest import ROOT
from tests.engine import append_to_outbox, record, running_relay, until
from tests.shared.db.test_models import config_on

pytestmark = pytest.mark.postgres


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[Engine]:
    """An empty database."""
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

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(upgrade, [empty, empty]))

    assert sorted(done, key=len) == [[], missing]


def test_no_two_locks_have_one_number_and_nobody_takes_a_lock_without_a_name() -> None:
    assert len(AdvisoryLock) == len(AdvisoryLock.__members__) == len({*map(int, AdvisoryLock)})
    users = [
        it
        for folder in ("services", "shared", "migrations")
        for it in (ROOT / folder).rglob("*.py")
        if re.search(r"pg_(try_)?advisory", it.read_text())
    ]
    assert users
    for user in users:
        assert "AdvisoryLock." in user.read_text(), (
            f"{user} takes a lock that shared/db/locks.py lacks"
        )


def test_a_relay_at_work_does_not_hold_up_a_migrator(
    empty: Engine, broker: KafkaConfig, producer: Producer
) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        command.downgrade(config_on(connection), "-1")
    sessions = sessions_on(empty)
    with running_relay(sessions, producer, broker):
        append_to_outbox(sessions, [record(marketing_event(id="one"))])
        until(lambda: relay_leads(empty))

        assert len(upgrade(empty, patience_s=5)) == 1


def relay_leads(engine: Engine) -> bool:
    """Whether a relay publishes, which it does only with its lock."""
    with engine.connect() as connection:
        published = text("select count(*) from messaging.outbox where published_at is not null")
        return bool(connection.scalar(published))


def test_a_migrator_that_waits_in_vain_says_for_what(empty: Engine) -> None:
    with empty.connect() as connection, connection.begin():
        connection.execute(text(f"select pg_advisory_xact_lock({int(AdvisoryLock.MIGRATION)})"))
        with pytest.raises(MigrationWaits, match="another `leadbaton migrate` has run"):
            upgrade(empty, patience_s=0.05)


def test_a_table_in_use_is_no_database_that_is_away(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        command.downgrade(config_on(connection), "routing_01")
    with empty.connect() as connection, connection.begin():
        connection.execute(text("lock table alembic_version in share mode"))
        with pytest.raises(MigrationWaits, match=r"a table is in use.*run it again"):
            upgrade(empty)


def test_a_database_that_a_newer_version_migrated_is_named_as_one(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'routing_99'"))

    with pytest.raises(NewerDatabase, match=r"newer than this version.*routing_99"):
        upgrade(empty)
