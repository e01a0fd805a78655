"""`leadbaton agreement`: what is wrong goes to stderr with exit status 1, and nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.agreement import app
from services.cli.teams import teams
from shared.agreement.reference import reference
from shared.db.session import Sessions
from tests.services.routing.builders import entry, importing
from tests.shared.agreement.builders import WHOLE, changed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agreement.yaml"
    path.write_text(WHOLE)
    return path


def leadbaton_agreement(*arguments: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, [str(it) for it in arguments], env=env)


def test_a_sound_file_is_reported_as_sound(file: Path) -> None:
    result = leadbaton_agreement("check", file)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        f"{file} is sound: 4 scoring rules, 2 tiers, 2 routing rules, 1 teams, 1 promises\n"
    )


@pytest.mark.parametrize("command", ["check", "publish"])
def test_each_fault_is_a_line_that_an_editor_can_follow(command: str, file: Path) -> None:
    file.write_text(changed("zone: Europe/Berlin", "zone: Europe/Berln"))
    result = leadbaton_agreement(command, file)
    assert (result.exit_code, result.stdout) == (1, "")
    problem = "unknown zone `Europe/Berln`; did you mean `Europe/Berlin`?"
    assert result.stderr == f"{file}:40:13: {problem}\n"


def test_a_file_that_is_no_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff")
    result = leadbaton_agreement("check", file)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{file}:1:1: a byte that is not UTF-8")


@pytest.mark.postgres
def test_publishing_says_which_version_decides(file: Path, database_url: str) -> None:
    env = {"LEADBATON_DATABASE_URL": database_url}
    for name, number in (("Test", 1), ("Other", 2), ("Other", 2)):
        file.write_text(changed("name: Test", f"name: {name}"))
        result = leadbaton_agreement("publish", file, "--by", "ada", env=env)
        assert result.exit_code == 0
        assert result.stdout == f"version {number} of the agreement is current\n"


def test_the_reference_is_printed() -> None:
    assert leadbaton_agreement("reference").stdout == reference()


@pytest.mark.postgres
def test_publishing_warns_of_teams_that_nobody_is_in(
    file: Path, sessions: Sessions, database_url: str
) -> None:
    env = {"LEADBATON_DATABASE_URL": database_url}
    assert leadbaton_agreement("publish", file, env=env).stderr == ""
    with sessions.begin() as session:
        importing(session, entry("grace", team="elsewhere"))
        assert teams(session).detail == "leads wait in sales: no active rep is there"
        assert teams(session).ok is False

    warned = leadbaton_agreement("publish", file, env=env)

    assert warned.exit_code == 0
    assert warned.stderr.startswith(
        "warning: leads for sales will wait: no active rep is in these teams; add reps of these teams"
    )
    with sessions.begin() as session:
        importing(session, entry("grace", team="sales", active=False))
        assert teams(session).ok is False
        importing(session, entry("grace", team="sales"))
        assert teams(session).ok is True
    assert leadbaton_agreement("publish", file, env=env).stderr == ""
