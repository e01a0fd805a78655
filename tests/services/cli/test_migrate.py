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


def test_a_taken_port_and_a_failing_command_are_named(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        with installation(Stack(tmp_path), {SCORING_API.name: port}) as running:
            with pytest.raises(PortTaken, match=r"where scoring-api should listen.*--scoring-port"):
                running.start()
            with pytest.raises(CommandFailed, match="`leadbaton keys revoke nobody` failed"):
                running.command("keys", "revoke", "nobody")
