"""Tests of reserved ports, and of a server that starts after a crash of an earlier one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.session import engine_for
from shared.embedded.postgres import PostgresServer, binaries, free_port, is_free, reserve_port
from shared.embedded.reaper import is_zombie
from shared.errors import Unavailable


def test_a_port_is_handed_out_once_and_a_server_may_listen_there() -> None:
    port = free_port()

    assert is_free(port)
    assert not reserve_port(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
    assert not reserve_port(port)


def test_another_process_does_not_get_the_port_either() -> None:
    port = free_port()
    asks = (
        f"from shared.embedded.postgres import reserve_port; raise SystemExit(reserve_port({port}))"
    )

    assert subprocess.run([sys.executable, "-c", asks], check=False).returncode == 0


def test_a_wheel_that_is_not_installed_is_named_with_how_to_install_it() -> None:
    with pytest.raises(Unavailable, match=r"leadbaton\[embedded\]"):
        binaries("no_such_package")


@pytest.mark.postgres
def test_what_a_killed_server_left_does_not_keep_the_next_from_starting(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = PostgresServer(tmp_path_factory.mktemp("killed"), free_port(), ("-c fsync=off",))
    server.start()
    server.stop()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(
        os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT
    )  # it has ended, and nobody asked after it
    (server.data / "postmaster.pid").write_text(f"{dead.pid}\n")
    assert is_zombie(dead.pid)

    server.start()

    assert server.running()
    server.stop("immediate")
    dead.wait()


def test_a_pid_file_that_comes_and_goes_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, free_port())
    server.data.mkdir()
    file, stop = server.data / "postmaster.pid", Event()

    def flicker() -> None:
        while not stop.is_set():
            file.write_text(f"{os.getpid()}\n")
            file.unlink()

    with ThreadPoolExecutor(1) as pool:
        flickering = pool.submit(flicker)
        try:
            answers = {server.running() for _ in range(20_000)}
        finally:
            stop.set()
    flickering.result()
    assert answers == {True, False}


@pytest.mark.postgres
def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, free_port())
    server.data.mkdir()

    with pytest.raises(Unavailable, match=r"pg_ctl failed.* is not a database"):
        server.stop()


def test_the_servers_log_names_no_people(mortal_postgres: PostgresServer) -> None:
    engine = engine_for(mortal_postgres.url())
    statements = (
        "select cast(:it as uuid)",
        "insert into pg_temp.people values (:it), (:it)",
        "select :it from nowhere",
        "select cast(:it as jsonb)",
    )
    with engine.connect() as connection:
        connection.execute(text("create temp table people (email text primary key)"))
        connection.commit()
        for statement in statements:
            with pytest.raises(DBAPIError):
                connection.execute(text(statement), {"it": "ada@acme.example"})
            connection.rollback()
        with pytest.raises(DBAPIError):
            connection.exec_driver_sql("select 'ada@acme.example' from nowhere")
        connection.rollback()
    engine.dispose()
    log = (mortal_postgres.data / "server.log").read_text()
    assert "ready to accept connections" in log
    assert "ada@" not in log
