"""Migrated databases for tests. A test that leaves its database as it was, but for rows, leaves it to the next one."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from shared.db.session import engine_for
from shared.embedded.postgres import PostgresServer

ROOT = Path(__file__).parent.parent
TEMPLATE = "leadbaton_template"
MAX_GROWTH = 1_000_000
"""Bytes by which a database may grow and still be used again: empty pages change what a query costs."""
LEAVE_S = 0.5
"""How long connections may take to end after their test."""

STATE = text(
    """
    with catalogs (rows, newest) as (
        select count(*), max(xmin::text::bigint) from pg_namespace
        union all select count(*), max(xmin::text::bigint) from pg_class
        union all select count(*), max(xmin::text::bigint) from pg_attribute
        union all select count(*), max(xmin::text::bigint) from pg_attrdef
        union all select count(*), max(xmin::text::bigint) from pg_constraint
        union all select count(*), max(xmin::text::bigint) from pg_index
        union all select count(*), max(xmin::text::bigint) from pg_trigger
        union all select count(*), max(xmin::text::bigint) from pg_proc
        union all select count(*), max(xmin::text::bigint) from pg_statistic
        union all select count(*), max(xmin::text::bigint) from alembic_version
        union all select count(*), 0 from pg_db_role_setting
            where setdatabase = (select oid from pg_database where datname = current_database())
    )
    select array_agg((rows, newest)::text) from catalogs
    """
)
"""What differs after a change of the schema, of its version, of the database's settings or of the statistics."""

SIZE = text("select pg_database_size(current_database())")
OTHERS = text(
    "select count(*) from pg_stat_activity where datname = current_database()"
    " and backend_type = 'client backend' and pid <> pg_backend_pid()"
)
EMPTY = text(
    """
    do $$
    declare found record;
    begin
        perform set_config('session_replication_role', 'replica', true);
        for found in
            select format('%I.%I', schemaname, tablename) as name from pg_tables
            where schemaname in ('messaging', 'scoring', 'routing', 'sla', 'alignment')
        loop
            execute 'delete from ' || found.name;
        end loop;
        for found in
            select format('%I.%I', schemaname, sequencename) as name, start_value from pg_sequences
            where last_value is not null
        loop
            perform setval(found.name, found.start_value, false);
        end loop;
        perform pg_stat_reset();
    end $$
    """
)


def create_database(server: PostgresServer, name: str, template: str = "template1") -> None:
    """Create a database of the server as a copy of the template."""
    connection = _connection(server, "postgres")
    _create(connection, name, template)
    _close(connection)


class Databases:
    """The migrated databases of a server. None is used by two tests at a time."""

    def __init__(self, server: PostgresServer) -> None:
        """Migrate the template."""
        self._server = server
        self._numbers = itertools.count(1)
        self._free: list[str] = []
        self._connections = {"postgres": _connection(server, "postgres")}
        _create(self._connections["postgres"], TEMPLATE, "template1")
        engine = engine_for(server.url(TEMPLATE))
        with engine.begin() as connection:
            config = Config(toml_file=ROOT / "pyproject.toml")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        with engine.begin() as connection:
            self._state = connection.scalar(STATE)
            self._max_size = connection.scalar(SIZE) + MAX_GROWTH
        engine.dispose()

    def take(self) -> str:
        """The name of an empty database that nobody else uses."""
        if self._free:
            return self._free.pop()
        name = f"test_{next(self._numbers)}"
        _create(self._connections["postgres"], name, TEMPLATE)
        self._connections[name] = _connection(self._server, name)
        return name

    def give_back(self, name: str) -> None:
        """Empty the database for the next test, unless somebody is connected, or its schema or its size has changed."""
        connection = self._connections.pop(name)
        try:
            if self._empty(connection):
                self._connections[name] = connection
                self._free.append(name)
                return
        except DBAPIError:  # the test ended all connections, or holds a lock
            pass
        _close(connection)

    def _empty(self, connection: Connection) -> bool:
        """Whether the database is empty now and as the template is."""
        deadline = time.monotonic() + LEAVE_S
        while connection.scalar(OTHERS):
            if time.monotonic() > deadline:
                return False
            connection.execute(text("select pg_sleep(0.002)"))
        if connection.scalar(STATE) != self._state or connection.scalar(SIZE) > self._max_size:
            return False
        connection.execute(EMPTY)
        return True

    def close(self) -> None:
        """End all connections of this object."""
        for connection in self._connections.values():
            _close(connection)


def _connection(server: PostgresServer, name: str) -> Connection:
    """A connection on which each statement commits."""
    engine = engine_for(server.url(name), lock_timeout_ms=1_000)
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def _close(connection: Connection) -> None:
    connection.close()
    connection.engine.dispose()


def _create(connection: Connection, name: str, template: str) -> None:
    connection.execute(text(f'create database "{name}" template "{template}" strategy file_copy'))
