"""`leadbaton migrate` does what is missing, says so, and has nothing to do the second time."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from sqlalchemy import text

from services.cli.installation import CommandFailed, PortTaken, installation
from services.cli.processes import SCORING_API
from shared.db.session import engine_for
from shared.embedded.broker import Broker
from shared.embedded.postgres import PostgresServer
from shared.embedded.stack import Stack
from tests.commands import leadbaton

pytestmark = pytest.mark.postgres


def test_the_first_time_everything_the_second_time_nothing(
    postgres: PostgresServer, embedded_broker: Broker
) -> None:
    server = engine_for(postgres.url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("create database to_migrate"))
    server.dispose()
    where = {
        "LEADBATON_DATABASE_URL": postgres.url("to_migrate"),
        "LEADBATON_KAFKA_BOOTSTRAP": embedded_broker.bootstrap,
    }

    first, second = leadbaton("migrate", **where), leadbaton("migrate", **where)

    assert "database: messaging_01: " in first.stdout, first.stderr
    assert "topics: marketing.events\n" in first.stdout
    assert second.stdout == (
        "database: nothing to do, is up to date\ntopics: nothing to do, are all there\n"
    )


def test_a_taken_port_is_named_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        ports = {SCORING_API.name: somebody.getsockname()[1]}
        with (
            pytest.raises(PortTaken, match=r"where scoring-api should listen.*--scoring-port"),
            installation(Stack(tmp_path / "data"), ports),
        ):
            pass

    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_meanwhile_and_a_failing_command_are_named(tmp_path: Path) -> None:
    with installation(Stack(tmp_path), {}) as running:
        port = running.ports[SCORING_API.name]
        with (
            socket.create_server(("127.0.0.1", port)),
            pytest.raises(PortTaken, match=rf"port {port}, where scoring-api should listen"),
        ):
            running.start(timeout_s=300)
        with pytest.raises(CommandFailed, match="`leadbaton keys revoke nobody` failed"):
            running.command("keys", "revoke", "nobody")


def test_a_quiet_command_that_fails_says_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with installation(Stack(tmp_path), {}) as running:
        running.command("keys", "create", "--scope", "ops", "--subject", "me", quiet=True)
        assert "ops key for me" not in capfd.readouterr().err
        with pytest.raises(CommandFailed):
            running.command("keys", "revoke", "nobody", quiet=True)

    assert "nobody" in capfd.readouterr().err
