"""The command as an operator meets it: run as a process, judged by what it prints and how it ends."""

from __future__ import annotations

import fcntl
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import orjson
import pytest

from services.cli import COMMANDS
from services.cli.processes import PROCESSES, Process
from shared.settings import Settings
from tests.processes import BARE

NOWHERE = "postgresql://leadbaton@127.0.0.1:1/leadbaton"


def leadbaton(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command with nothing in its environment but what the test says."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments],
        env={**BARE, "NO_COLOR": "1", "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_command_and_every_process() -> None:
    said = leadbaton("--help")

    assert said.returncode == 0
    for name in {*COMMANDS, *(it.command[0] for it in PROCESSES)}:
        assert f" {name} " in said.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_how_to_use_it(name: str) -> None:
    said = leadbaton(name, "--help")

    assert said.returncode == 0, said.stderr
    assert f"{name} " in said.stdout


@pytest.mark.parametrize("process", PROCESSES, ids=lambda it: it.name)
def test_every_process_has_an_entry_that_takes_settings(process: Process) -> None:
    module, _, function = process.entry.partition(":")

    entry = getattr(import_module(module), function)

    [settings] = inspect.signature(entry, eval_str=True).parameters.values()
    assert settings.annotation is Settings


def test_names_and_ports_are_nobody_elses() -> None:
    assert len({it.name for it in PROCESSES}) == len(PROCESSES)
    ports = [it.port for it in PROCESSES if it.port]
    assert len(set(ports)) == len(ports) == 3


def test_a_database_that_is_away_is_one_line_and_no_traceback() -> None:
    said = leadbaton("keys", "list", LEADBATON_DATABASE_URL=NOWHERE)

    assert said.returncode == 1
    assert said.stderr.startswith("leadbaton: the database does not answer")
    assert "Traceback" not in said.stderr


def test_an_argument_that_is_no_text_is_named() -> None:
    said = leadbaton("keys", "create", "--scope", "ops", "--subject", "\udcff")

    assert (said.returncode, said.stderr) == (2, "leadbaton: argument 6 is no text in UTF-8\n")


def test_a_wrong_setting_is_named_as_the_operator_knows_it() -> None:
    said = leadbaton("migrate", LEADBATON_KAFKA_PARTITIONS="none")

    assert said.returncode == 1
    assert "LEADBATON_KAFKA_PARTITIONS: Input should be a valid integer" in said.stderr


def test_two_cannot_use_one_directory(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = leadbaton("up", "--data", str(tmp_path))

    assert said.returncode == 1
    assert said.stderr.startswith(f"leadbaton: {tmp_path} is in use")


def test_the_doctor_of_nothing_says_what_is_missing() -> None:
    away = {"LEADBATON_DATABASE_URL": NOWHERE, "LEADBATON_KAFKA_BOOTSTRAP": "127.0.0.1:1"}

    for_programs = leadbaton("doctor", "--json", **away)
    for_people = leadbaton("doctor", **away)

    findings = {it["what"]: it for it in orjson.loads(for_programs.stdout)}
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


@pytest.mark.parametrize("path", ["file", "file/below", "/proc/nowhere"])
def test_a_path_that_can_hold_no_installation_is_one_sentence(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    wrong = leadbaton("up", "--data", str(tmp_path / path))

    assert wrong.returncode == 1
    assert wrong.stderr.startswith("leadbaton: no installation can be kept in")
    assert len(wrong.stderr.splitlines()) == 1


def test_commands_find_the_installation_that_up_left(tmp_path: Path) -> None:
    (tmp_path / "env").write_text(f"LEADBATON_DATABASE_URL={NOWHERE.replace(':1/', ':2/')}\n")

    left = leadbaton("--data", str(tmp_path), "keys", "list")
    named = leadbaton("--data", str(tmp_path), "keys", "list", LEADBATON_DATABASE_URL=NOWHERE)

    assert "port 2 failed" in left.stderr
    assert "port 1 failed" in named.stderr
