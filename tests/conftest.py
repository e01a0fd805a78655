"""Fixtures with real servers: PostgreSQL, a broker, fresh databases, and sessions that are rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from shared.db.migrate import upgrade
from shared.db.session import Sessions, engine_for, sessions_on
from shared.embedded.broker import Broker
from shared.embedded.postgres import PostgresServer, free_port
from shared.kafka.admin import create_topics
from shared.kafka.config import KafkaConfig
from tests import commands
from tests.databases import Databases, create_database
from tests.groups import GroupScheduling

ROOT = Path(__file__).parent.parent
FAST = (
    "-c fsync=off",
    "-c synchronous_commit=off",
    "-c full_page_writes=off",
    "-c max_connections=200",
    "-c autovacuum=off",
)


settings.register_profile("any machine", deadline=None)  # a busy one may take long over an example
settings.load_profile("any machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the journeys first where several workers share the tests, because they mostly wait."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda it: it.get_closest_marker("journey") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Share whole groups among the workers with `--dist loadgroup`."""
    return GroupScheduling(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_sessionfinish() -> None:
    """End the process that tests of commands share."""
    commands.close()


@pytest.fixture(autouse=True)
def _default_logging() -> Iterator[None]:
    """Leave the next test the default logging: a command that runs in this process configures its own."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL server for this run."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), free_port(), FAST)
    server.start()
    yield server
    server.stop("immediate")


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer) -> Iterator[Databases]:
    """The migrated databases of the server."""
    databases = Databases(postgres)
    yield databases
    databases.close()


@pytest.fixture
def database_url(postgres: PostgresServer, databases: Databases) -> Iterator[str]:
    """The URL of an empty, migrated database of the test's own."""
    name = databases.take()
    yield postgres.url(name)
    databases.give_back(name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the fresh database."""
    engine = engine_for(database_url, pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    """Sessions on the fresh database, for tests that commit."""
    return sessions_on(engine)


@pytest.fixture(scope="module")
def module_sessions(postgres: PostgresServer, databases: Databases) -> Iterator[Sessions]:
    """Sessions on an empty database that all tests of a module share."""
    name = databases.take()
    engine = engine_for(postgres.url(name), pool_size=20)
    yield sessions_on(engine)
    engine.dispose()
    databases.give_back(name)


@pytest.fixture(scope="session")
def shared_engine(postgres: PostgresServer, databases: Databases) -> Iterator[Engine]:
    """One engine on one migrated database, for tests that roll back."""
    engine = engine_for(postgres.url(databases.take()))
    yield engine
    engine.dispose()


@pytest.fixture
def session(shared_engine: Engine) -> Iterator[Session]:
    """A session whose transaction is rolled back when the test ends."""
    with shared_engine.connect() as connection, connection.begin() as transaction:
        with Session(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield session
        transaction.rollback()


@pytest.fixture
def mortal_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server of the test's own, to stop or to crash; its database is migrated."""
    server = PostgresServer(tmp_path_factory.mktemp("mortal"), free_port(), ("-c fsync=off",))
    server.start()
    create_database(server, "leadbaton")
    engine = engine_for(server.url())
    upgrade(engine)
    engine.dispose()
    yield server
    server.stop("immediate")


@pytest.fixture
def mortal_sessions(mortal_postgres: PostgresServer) -> Iterator[Sessions]:
    """Sessions on the server of the test's own."""
    engine = engine_for(mortal_postgres.url())
    yield sessions_on(engine)
    engine.dispose()


@pytest.fixture
def embedded_broker(tmp_path: Path) -> Iterator[Broker]:
    """A fresh embedded broker without topics, which the test may kill, pause or restart."""
    broker = Broker(tmp_path / "broker", free_port())
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def broker(embedded_broker: Broker) -> KafkaConfig:
    """A fresh embedded broker with every topic, and its configuration."""
    config = kafka_on(embedded_broker)
    create_topics(config)
    return config


def kafka_on(broker: Broker) -> KafkaConfig:
    """The configuration of an embedded broker, where a group forms in half of the session timeout."""
    return config_at(broker.bootstrap)


def config_at(bootstrap: str) -> KafkaConfig:
    """The configuration of an embedded broker at this address."""
    return KafkaConfig(
        bootstrap=(bootstrap,),
        keeps_log=False,
        partitions=3,
        replication=1,
        session_timeout_ms=1_000,
    )
