"""Each service's role does its work, and cannot touch what is another service's, or the schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import (
    URL,
    Engine,
    Executable,
    delete,
    false,
    literal,
    make_url,
    select,
    table,
    text,
)
from sqlalchemy.exc import ProgrammingError

from shared.db.migrate import upgrade
from shared.db.roles import OPS_TABLES, SCHEMAS, WRITERS
from shared.db.session import engine_for
from shared.embedded.postgres import PostgresServer, free_port
from tests.conftest import FAST
from tests.deploy.compose import made_secrets
from tests.deploy.roles import make_roles

pytestmark = pytest.mark.postgres

ALL_SCHEMAS = ("messaging", "scoring", "routing", "sla", "alignment")


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, URL]]:
    """How each role reaches a database that its owner migrated."""
    directory = tmp_path_factory.mktemp("roles")
    secrets = made_secrets(directory)
    server = PostgresServer(directory / "postgres", free_port(), FAST)
    server.start()
    make_roles(server, secrets)
    make_roles(server, secrets)  # running it again changes nothing
    address = make_url(server.url("leadbaton"))
    known = {
        role: address.set(
            username=role, password=(secrets / role.replace("leadbaton", "postgres")).read_text()
        )
        for role in (*SCHEMAS, "leadbaton_owner", "leadbaton_metrics")
    }
    owner = engine(known["leadbaton_owner"])
    assert upgrade(owner)
    assert upgrade(owner) == []
    owner.dispose()
    yield known
    server.stop("immediate")


def engine(url: URL) -> Engine:
    return engine_for(url.render_as_string(hide_password=False), pool_size=1)


def allowed(url: URL, statement: Executable) -> bool:
    """Whether PostgreSQL lets the role do it; nothing is kept."""
    connected = engine(url)
    try:
        with connected.connect() as connection:
            connection.execute(statement)
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        return False
    finally:
        connected.dispose()
    return True


def tables(url: URL) -> list[tuple[str, str]]:
    """Every table of ours: schema and name."""
    connected = engine(url)
    with connected.connect() as connection:
        rows = connection.execute(
            text("select schemaname, tablename from pg_tables where schemaname = any(:names)"),
            {"names": list(ALL_SCHEMAS)},
        )
        names = [(row.schemaname, row.tablename) for row in rows]
    connected.dispose()
    return names


@pytest.mark.parametrize("role", SCHEMAS)
def test_a_role_writes_to_the_own_schema_and_to_the_shared_one_alone(
    urls: dict[str, URL], role: str
) -> None:
    everything = tables(urls["leadbaton_owner"])
    assert len(everything) > 20

    for schema, name in everything:
        kept = schema == "messaging" and name in OPS_TABLES
        reads = schema in (*SCHEMAS[role], "messaging")
        writes = reads and (not kept or name in WRITERS.get(role, ()))
        rows = table(name, schema=schema)
        assert allowed(urls[role], select(literal(1)).select_from(rows).limit(1)) == reads, name
        assert allowed(urls[role], delete(rows).where(false())) == writes, name


@pytest.mark.parametrize("role", [*SCHEMAS, "leadbaton_metrics"])
def test_no_service_changes_a_schema(urls: dict[str, URL], role: str) -> None:
    for statement in (
        "create table public.x (id integer)",
        "create table messaging.x (id integer)",
        "create schema x",
        "drop table messaging.outbox",
        "alter table messaging.outbox add column x integer",
        "create role x",
    ):
        assert not allowed(urls[role], text(statement)), statement


def test_metrics_are_read_without_reading_a_row_of_anybody(urls: dict[str, URL]) -> None:
    metrics = urls["leadbaton_metrics"]
    assert allowed(metrics, text("select count(*) from pg_stat_activity"))
    assert not allowed(metrics, text("select 1 from messaging.outbox limit 1"))


def test_the_doctor_of_every_role_sees_which_migrations_ran(urls: dict[str, URL]) -> None:
    for role in SCHEMAS:
        assert allowed(urls[role], text("select version_num from public.alembic_version"))
