"""The command as an operator meets it: run as a process, judged by what it prints and how it ends."""

from __future__ import annotations

import fcntl
import inspect
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.main import get_group
from typer.testing import CliRunner

from services.cli import COMMANDS, LOCATIONS, _import, app
from services.cli.processes import PROCESSES, Process
from shared.process.settings import Settings
from tests.commands import ENVIRONMENT, leadbaton

NOWHERE = "postgresql://leadbaton@127.0.0.1:1/leadbaton"


def test_help_names_every_command_and_every_process() -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "services.cli", "--help"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )

    for name in {*COMMANDS, *(it.command[0] for it in PROCESSES)}:
        assert f" {name} " in completed.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_how_to_use_it(name: str) -> None:
    completed = leadbaton(name, "--help")

    assert completed.returncode == 0, completed.stderr
    assert f"{name} " in completed.stdout


@pytest.mark.parametrize("process", PROCESSES, ids=lambda it: it.name)
def test_every_process_has_an_entry_that_takes_settings(process: Process) -> None:
    module, _, function = process.entry.partition(":")

    entry = getattr(import_module(module), function)

    [settings] = inspect.signature(entry, eval_str=True).parameters.values()
    assert settings.annotation is Settings


def test_names_and_ports_are_nobody_elses() -> None:
    assert len({it.name for it in PROCESSES}) == len(PROCESSES)
    ports = [it.port for it in PROCESSES if it.port]
    assert len(set(ports)) == len(ports) == 5


def test_a_database_that_is_away_is_one_line_and_no_traceback() -> None:
    completed = leadbaton("keys", "list", LEADBATON_DATABASE_URL=NOWHERE)

    assert completed.returncode == 1
    assert completed.stderr.startswith("leadbaton: the database does not answer")
    assert "Traceback" not in completed.stderr


def test_an_argument_that_is_no_text_is_named() -> None:
    completed = leadbaton("keys", "create", "--scope", "ops", "--subject", "\udcff")

    assert (completed.returncode, completed.stderr) == (
        2,
        "leadbaton: argument 6 is no text in UTF-8\n",
    )


def choices_of(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """The command line up to each option that takes one of some values."""
    for name, subcommand in getattr(command, "commands", {}).items():
        yield from choices_of(subcommand, *path, name)
    for option in command.params:
        kind = option.type_descriptor.annotation
        if isinstance(kind, type) and issubclass(kind, Enum) and option.opts[0].startswith("-"):
            yield *path, option.opts[0]


def test_a_value_that_is_none_of_the_choices_is_refused_in_plain_words() -> None:
    commands = get_group(app).commands
    for name in LOCATIONS:
        commands[name] = _import(name)
    options = [it for name in LOCATIONS for it in choices_of(commands[name], name)]

    assert ("report", "--by") in options
    for option in options:
        completed = CliRunner(env={"LEADBATON_DATABASE_URL": NOWHERE}).invoke(
            app, [*option, "nonsense"]
        )
        text = " ".join(completed.output.replace("│", " ").split())
        assert completed.exit_code == 2, option
        assert f"Invalid value for '{option[-1]}'" in text
        assert "'nonsense' is not one of '" in text
        assert "Value error" not in text


def test_a_wrong_setting_is_named_as_the_operator_knows_it() -> None:
    completed = leadbaton(
        "migrate", LEADBATON_DATABASE_URL=NOWHERE, LEADBATON_KAFKA_PARTITIONS="none"
    )

    assert completed.returncode == 1
    assert "LEADBATON_KAFKA_PARTITIONS: Input should be a valid integer" in completed.stderr


def test_two_cannot_use_one_directory(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        completed = leadbaton("up", "--data", str(tmp_path))

    assert completed.returncode == 1
    assert completed.stderr.startswith(f"leadbaton: {tmp_path} is in use")


def test_the_doctor_of_nothing_says_what_is_missing() -> None:
    away = {"LEADBATON_DATABASE_URL": NOWHERE, "LEADBATON_KAFKA_BOOTSTRAP": "127.0.0.1:1"}

    for_programs = leadbaton("doctor", "--json", **away)
    for_people = leadbaton("doctor", **away)

    findings = {it["check"]: it for it in orjson.loads(for_programs.stdout)}
    assert {name for name, it in findings.items() if it["ok"] is False} == {
        "database",
        "broker",
        "secret key",
    }
    assert for_people.returncode == for_programs.returncode == 1
    assert "leadbaton keys secret" in " ".join(for_people.stdout.split())


@pytest.mark.parametrize("words", [["doctor"], ["keys", "list"], ["migrate"]])
def test_a_directory_without_an_installation_is_named(tmp_path: Path, words: list[str]) -> None:
    named = leadbaton("--data", str(tmp_path), *words)
    by_variable = leadbaton(*words, LEADBATON_DATA=str(tmp_path))

    for wrong in (named, by_variable):
        assert wrong.returncode == 1
        assert wrong.stderr.startswith(f"leadbaton: no installation in {tmp_path}")
        assert len(wrong.stderr.splitlines()) == 1
        assert "secret" not in wrong.stdout
    assert leadbaton("keys", "secret", LEADBATON_DATA=str(tmp_path)).returncode == 0


@pytest.mark.parametrize("words", [["doctor"], ["keys", "list"], ["relay"], ["sla", "sweep"]])
def test_without_an_installation_nobody_asks_a_database_that_nobody_named(
    tmp_path: Path, words: list[str]
) -> None:
    wrong = leadbaton(*words, PWD=str(tmp_path))

    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("leadbaton: no installation in .leadbaton: start one with")
    assert len(wrong.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [["keys"], ["keys", "list", "--help"], ["keys", "secret"], ["agreement", "reference"]],
    ids=" ".join,
)
def test_what_needs_no_installation_asks_for_none(tmp_path: Path, words: list[str]) -> None:
    assert "no installation" not in leadbaton(*words, PWD=str(tmp_path)).stderr


@pytest.mark.parametrize("path", ["file", "file/below", "/proc/nowhere", "/proc/sys"])
def test_a_path_that_can_hold_no_installation_is_one_sentence(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    wrong = leadbaton("up", "--data", str(tmp_path / path))

    assert wrong.returncode == 1
    assert wrong.stderr.startswith("leadbaton: no installation can be kept in")
    assert len(wrong.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["up", "demo"])
def test_the_directory_may_be_named_before_the_command(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    directory = str(tmp_path / "file")

    wrong = leadbaton("--data", directory, name, LEADBATON_DATA="/proc/nowhere")

    assert wrong.returncode == 1
    assert wrong.stderr.startswith(f"leadbaton: no installation can be kept in {directory}")


@pytest.mark.parametrize("name", ["lock", "postgres", "ports.json"])
def test_whatever_is_in_the_way_in_the_directory_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/proc/self/nothing")

    wrong = leadbaton("up", "--data", str(tmp_path))

    assert wrong.returncode == 1
    last = wrong.stderr.splitlines()[-1]
    assert last.startswith(f"leadbaton: no installation can be kept in {tmp_path}")
    assert f"{tmp_path / name}: " in last
    assert "Traceback" not in wrong.stderr


def test_what_the_installation_left_cannot_be_read(tmp_path: Path) -> None:
    env = tmp_path / "env"
    env.symlink_to("/proc/self/mem")  # a file, and reading it fails for everybody
    unreadable = leadbaton("--data", str(tmp_path), "keys", "list")
    env.unlink()
    env.write_bytes(b"LEADBATON_DATABASE_URL=\xff")
    no_text = leadbaton("--data", str(tmp_path), "keys", "list")
    env.write_bytes(b"LEADBATON_DATABASE_URL=\0")
    zero = leadbaton("--data", str(tmp_path), "keys", "list")
    env.write_text("cut")
    short = leadbaton("--data", str(tmp_path), "keys", "list")

    sections = (
        (unreadable, f"{env} cannot be read (Input/output error): give the command as"),
        (no_text, f"{env} is no text in UTF-8: start `leadbaton up`"),
        (zero, f"{env} is no text in UTF-8: start `leadbaton up`"),
        (short, f"{env} names no database: start `leadbaton up`"),
    )
    for wrong, words in sections:
        assert wrong.returncode == 1
        assert wrong.stderr.startswith(f"leadbaton: {words}")
        assert len(wrong.stderr.splitlines()) == 1


def test_commands_find_the_installation_that_up_left(tmp_path: Path) -> None:
    (tmp_path / "env").write_text(f"LEADBATON_DATABASE_URL={NOWHERE.replace(':1/', ':2/')}\n")

    left = leadbaton("--data", str(tmp_path), "keys", "list")
    named = leadbaton("--data", str(tmp_path), "keys", "list", LEADBATON_DATABASE_URL=NOWHERE)

    assert "port 2 failed" in left.stderr
    assert "port 1 failed" in named.stderr
