"""What PostgreSQL refuses, each on a real server: one sentence in every command, one finding of the doctor."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from services.cli import checks
from services.cli.errors import OPERATOR_ERRORS, message_of
from services.cli.refusals import refusal_of
from shared.clock import utc_now
from shared.db.session import Sessions, engine_for
from shared.embedded.postgres import PostgresServer, free_port
from shared.kafka.config import KafkaConfig
from shared.process.settings import Settings
from tests.commands import leadbaton
from tests.damage import refuse_writes, run_statement
from tests.databases import TEMPLATE, Databases

pytestmark = pytest.mark.postgres

MIGRATE = "run `leadbaton migrate`"


def as_user(url: str, name: str, *, with_password: bool = True) -> str:
    """The same database for somebody else."""
    parts = make_url(url)
    parts = parts._replace(username=name, password="p" if with_password else None)
    return parts.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def urls(postgres: PostgresServer, databases: Databases) -> Iterator[dict[str, str]]:
    """A database for each refusal."""
    engine = engine_for(postgres.url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in (
            "create role poor login password 'p'",
            "create role outsider login password 'p'",
            "create role sleeper nologin password 'p'",
            "create database shut",
            "revoke connect on database shut from public",
            f"create database standby template {TEMPLATE} strategy file_copy",
            "alter database standby set default_transaction_read_only = on",
        ):
            connection.execute(text(statement))
    engine.dispose()
    name = databases.take()
    migrated = postgres.url(name)
    yield {
        "missing database": postgres.url("nowhere"),
        "wrong password": as_user(migrated, "postgres"),
        "no password": as_user(migrated, "postgres", with_password=False),
        "unknown user": as_user(migrated, "nobody"),
        "user without login": as_user(migrated, "sleeper"),
        "no right to connect": as_user(postgres.url("shut"), "outsider"),
        "no right to tables": as_user(migrated, "poor"),
        "standby": postgres.url("standby"),
        "no tables": postgres.url("postgres"),
    }
    databases.give_back(name)


DETAILS = {
    "missing database": "has no such database",
    "wrong password": "does not let this user in",
    "no password": "does not let this user in",
    "unknown user": "does not let this user in",
    "user without login": "does not let this user in",
    "no right to connect": "gives this user too few rights",
    "no right to tables": "gives this user too few rights",
    "standby": "takes no writes, as a standby does",
    "no tables": "lacks a table, a column or a schema of this version",
}


@pytest.mark.parametrize("kind", DETAILS)
def test_a_command_says_what_is_wrong_and_how_to_mend_it(urls: dict[str, str], kind: str) -> None:
    create = ("keys", "create", "--scope", "ops", "--subject", "me")
    refused = leadbaton(*create, LEADBATON_DATABASE_URL=urls[kind])

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"leadbaton: the database {DETAILS[kind]} (")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", [it for it in DETAILS if it not in ("standby", "no tables")])
def test_the_doctor_says_the_same(urls: dict[str, str], kind: str) -> None:
    [*_, refused] = checks.database(Settings(database_url=urls[kind]), utc_now())

    assert (refused.check, refused.ok) == ("database", False)
    assert DETAILS[kind] in refused.detail
    assert ":p@" not in refused.detail


def test_migrate_names_the_rights_that_it_lacks(urls: dict[str, str]) -> None:
    url = urls["no right to connect"].replace("/shut", "/postgres")
    refused = leadbaton("migrate", LEADBATON_DATABASE_URL=url)

    assert refused.returncode == 1
    assert "gives this user too few rights (permission denied for" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_server_before_17_is_named() -> None:
    with a_server_before_17() as url:
        command = leadbaton("keys", "list", LEADBATON_DATABASE_URL=url)
        doctor = leadbaton("doctor", "--json", LEADBATON_DATABASE_URL=url)

    assert command.stderr.startswith("leadbaton: the database is older than PostgreSQL 17 (")
    assert len(command.stderr.splitlines()) == 1
    [database] = [it for it in orjson.loads(doctor.stdout) if it["check"] == "database"]
    assert database["detail"].endswith("is older than PostgreSQL 17")
    assert "move it to PostgreSQL 17" in database["remedy"]


def test_what_only_we_can_mend_is_no_refusal(sessions: Sessions) -> None:
    twice = text("insert into alembic_version values ('twice'), ('twice')")
    with sessions() as session, pytest.raises(IntegrityError) as caught:
        session.execute(twice)

    assert refusal_of(caught.value) is None
    assert message_of(caught.value) is None
    assert refusal_of(ValueError("no error of a database")) is None


@pytest.mark.parametrize(
    ("sqlstate", "outage"), [("54000", False), ("22012", False), ("55P03", True), ("57014", True)]
)
def test_only_what_passes_is_a_database_that_does_not_answer(
    sessions: Sessions, sqlstate: str, *, outage: bool
) -> None:
    """psycopg calls class 54 operational, as it calls outages; what stays wrong shows its traceback."""
    statement = text(f"do $$ begin raise exception 'why' using errcode = '{sqlstate}'; end $$")
    with sessions() as session, pytest.raises(OPERATOR_ERRORS) as caught:
        session.execute(statement)

    assert isinstance(caught.value, DBAPIError)
    for error in (caught.value, caught.value.orig):
        assert isinstance(error, Exception)
        assert message_of(error) == ("the database does not answer: why" if outage else None)


def test_a_command_does_not_call_a_database_away_that_refuses_a_value(
    sessions: Sessions, database_url: str
) -> None:
    refuse_writes(sessions, "messaging.api_keys")

    create = ("keys", "create", "--scope", "ops", "--subject", "me")
    refused = leadbaton(*create, LEADBATON_DATABASE_URL=database_url)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "does not answer" not in refused.stderr
    assert "ProgramLimitExceeded" in refused.stderr


def test_the_doctor_says_what_hides_how_far_the_groups_have_read(
    sessions: Sessions, database_url: str, broker: KafkaConfig
) -> None:
    run_statement(sessions, "alter table messaging.offsets rename to elsewhere")
    settings = Settings(database_url=database_url, kafka_bootstrap=",".join(broker.bootstrap))

    [*_, refused] = checks.broker(settings, utc_now())

    assert (refused.check, refused.ok) == ("database", False)
    assert "lacks a table" in refused.detail
    assert MIGRATE in refused.remedy


def test_the_doctor_says_that_the_database_is_away_only_once(broker: KafkaConfig) -> None:
    nowhere = f"postgresql://me@127.0.0.1:{free_port()}/nowhere"
    settings = Settings(database_url=nowhere, kafka_bootstrap=",".join(broker.bootstrap))

    assert all(it.ok for it in checks.broker(settings, utc_now()))


@contextmanager
def a_server_before_17() -> Iterator[str]:
    """Answers every connection as PostgreSQL 16 does to a parameter that it does not know."""
    fields = b"SFATAL\0VFATAL\0C42704\0" + (
        b'Munrecognized configuration parameter "transaction_timeout"\0\0'
    )
    answer = b"E" + struct.pack("!i", len(fields) + 4) + fields
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    while len(head := client.recv(8)) == 8:
                        length, code = struct.unpack("!ii", head)
                        if code in (80877103, 80877104):  # TLS, GSSAPI: not here
                            client.sendall(b"N")
                            continue
                        client.recv(length)
                        client.sendall(answer)
                        break

        threading.Thread(target=serve, daemon=True).start()
        yield f"postgresql://me:p@127.0.0.1:{server.getsockname()[1]}/leadbaton"
        server.shutdown(socket.SHUT_RDWR)
