"""Tests of an installation in one directory: start, restart, lock, and restart of its servers."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from shared.contracts.topics import MARKETING_EVENTS, TOPICS
from shared.db.session import engine_for
from shared.embedded.broker import Broker
from shared.embedded.postgres import OtherPostgres
from shared.embedded.stack import InUse, Stack
from shared.kafka import admin, config

pytestmark = pytest.mark.postgres


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "data")
    stack.start()
    yield stack
    stack.stop()


def topics_of(stack: Stack) -> set[str]:
    names = [name for topic in TOPICS for name in (topic.name, topic.dead)]
    return set(admin.topic_ids(config.of(stack.settings()), names))


def ask(stack: Stack, statement: str) -> object:
    engine = engine_for(stack.settings().database_url)
    with engine.begin() as connection:
        answer = connection.execute(text(statement))
        value = answer.scalar() if answer.returns_rows else None
    engine.dispose()
    return value


def test_a_new_directory_becomes_a_whole_installation(stack: Stack) -> None:
    assert ask(stack, "select count(*) from messaging.outbox") == 0
    assert MARKETING_EVENTS.dead in topics_of(stack)
    assert stack.settings().kafka_keeps_log is False
    assert stack.settings().secret_key is not None


def test_what_is_secret_is_readable_by_the_owner_only(stack: Stack) -> None:
    for name in ("env", "secret_key"):
        assert stat.S_IMODE((stack.data / name).stat().st_mode) == 0o600


def test_what_an_older_version_left_readable_is_closed_at_the_next_start(stack: Stack) -> None:
    stack.stop()
    (stack.data / "logs").mkdir(mode=0o755)
    (stack.data / "logs/relay.log").touch(mode=0o644)
    (stack.data / "broker/broker.log").chmod(0o644)
    for folder in (stack.data, stack.data / "broker"):
        folder.chmod(0o755)

    start_again(stack)

    for path in (
        it for it in stack.data.rglob("*") if stack.data / "postgres" not in [it, *it.parents]
    ):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    readable = stat.S_IRGRP | stat.S_IROTH  # PostgreSQL's user may have to pass
    for path in (stack.data, stack.data / "postgres", stack.data / "postgres/password"):
        assert path.stat().st_mode & readable == 0, path


def test_files_of_others_in_the_directory_keep_their_modes(stack: Stack) -> None:
    stack.stop()
    (stack.data / "program").touch(mode=0o755)
    stack.data.chmod(0o755)

    start_again(stack)

    for path in (stack.data, stack.data / "program"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o755


def start_again(stack: Stack) -> None:
    """Start an installation in the directory and stop it."""
    restarted_stack = Stack(stack.data)
    restarted_stack.start()
    restarted_stack.stop()


def test_data_of_another_postgresql_is_named_with_both_versions(stack: Stack) -> None:
    stack.stop()
    (stack.data / "postgres/data/PG_VERSION").write_text("17\n")

    restarted_stack = Stack(stack.data)
    with pytest.raises(OtherPostgres, match=r"is of PostgreSQL 17, and the installed one is 18"):
        restarted_stack.start()
    restarted_stack.stop()


def test_the_next_start_finds_data_ports_and_secrets_again(stack: Stack) -> None:
    ask(stack, "create table kept (id int)")
    before = stack.environment
    stack.stop()

    restarted_stack = Stack(stack.data)
    restarted_stack.start()
    assert restarted_stack.environment == before
    assert ask(restarted_stack, "select count(*) from kept") == 0
    restarted_stack.stop()


def test_a_port_that_another_process_took_is_replaced(stack: Stack) -> None:
    stack.stop()
    port = orjson.loads((stack.data / "ports.json").read_bytes())["broker"]

    restarted_stack = Stack(stack.data)
    with socket.create_server(("127.0.0.1", port)):
        restarted_stack.start()
        assert restarted_stack.broker.bootstrap != f"127.0.0.1:{port}"
        assert topics_of(restarted_stack)
    restarted_stack.stop()


def test_one_directory_serves_one_at_a_time(stack: Stack) -> None:
    second_stack = Stack(stack.data)

    with pytest.raises(InUse, match=r"is in use.*--data"):
        second_stack.start()
    second_stack.stop()

    assert ask(stack, "select 1") == 1


def test_a_broker_that_died_comes_back_with_all_topics(stack: Stack) -> None:
    assert stack.maintain() == []
    assert isinstance(stack.broker, Broker)
    stack.broker.kill()

    assert stack.maintain() == ["the broker"]
    assert MARKETING_EVENTS.name in topics_of(stack)


def test_a_database_that_died_comes_back_with_what_it_knew(stack: Stack) -> None:
    ask(stack, "create table kept (id int)")
    stack.postgres.stop("immediate")

    assert stack.maintain() == ["PostgreSQL"]
    assert ask(stack, "select count(*) from kept") == 0
