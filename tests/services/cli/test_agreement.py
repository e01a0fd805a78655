"""`leadbaton agreement`: what is wrong goes to stderr with exit status 1, and nothing changes."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from services.cli import app as leadbaton
from services.cli.agreement import app
from services.cli.teams import teams
from services.scoring.tables import events
from shared.agreement.model import Agreement
from shared.agreement.reference import reference
from shared.clock import utc_now
from shared.db.session import Sessions
from shared.documents.schema import json_schema
from tests.builders import marketing_event
from tests.services.routing.builders import entry, importing
from tests.services.scoring.conftest import Worker
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


@pytest.mark.postgres
def test_the_status_says_how_many_leads_a_new_version_has_reached(
    sessions: Sessions, database_url: str
) -> None:
    def status() -> list[str]:
        run = CliRunner(env={"LEADBATON_DATABASE_URL": database_url})
        return run.invoke(leadbaton, ["agreement", "status"]).stdout.splitlines()

    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(marketing_event(), marketing_event(email="bob@example.com"))
    assert status() == [
        "version 1 of the agreement is current",
        "2 of 2 leads are judged by it",
    ]

    with sessions.begin() as session:
        Worker(session).publish(name="Another name")
    assert status()[1:] == [
        "0 of 2 leads are judged by it",
        "2 are still to be judged again: the scores stay as they are",
    ]

    with sessions.begin() as session:
        signals = [{"id": "page", "on": "page_viewed", "points": 7}]
        Worker(session).publish(scoring={"signals": signals})
    assert status()[1:] == [
        "0 of 2 leads are judged by it",
        "2 are still to be counted again from their events",
    ]


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


def test_the_schema_is_printed() -> None:
    assert json.loads(leadbaton_agreement("schema").stdout) == json_schema(Agreement)


@pytest.mark.postgres
@pytest.mark.parametrize("command", ["check", "publish"])
def test_events_that_have_not_arrived_are_warned_of(
    command: str, file: Path, sessions: Sessions, database_url: str
) -> None:
    env = {"LEADBATON_DATABASE_URL": database_url}
    assert leadbaton_agreement(command, file, env=env).stderr == ""
    with sessions.begin() as session:
        for type_ in ("email_click", "page_viewed"):
            session.execute(
                insert(events).values(
                    source="site",
                    id=type_,
                    type=type_,
                    payload={},
                    lead_id=uuid4(),
                    time=utc_now(),
                )
            )

    warned = leadbaton_agreement(command, file, env=env)

    assert warned.exit_code == 0
    assert warned.stderr == (
        f"warning: {file}:20:22: no event of the type `email_clicked` in the last 30 days; "
        "did you mean `email_click`?\n"
    )


def test_without_the_database_the_check_says_what_it_did_not_compare(file: Path) -> None:
    away = {"LEADBATON_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere"}
    result = leadbaton_agreement("check", file, env=away)
    assert result.exit_code == 0
    assert "were not compared" in result.stderr


@pytest.mark.postgres
def test_versions_are_listed_shown_compared_and_published_again(
    file: Path, database_url: str
) -> None:
    env = {"LEADBATON_DATABASE_URL": database_url, "COLUMNS": "120"}
    for name in ("Test", "Other"):
        file.write_text(changed("name: Test", f"name: {name}"))
        leadbaton_agreement("publish", file, "--by", "ada", "--note", f"call it {name}", env=env)

    back = leadbaton_agreement("publish", "--version", 1, "--by", "bob", env=env)

    assert back.stdout == "version 3 of the agreement is current\n"
    listed = leadbaton_agreement("versions", env=env).stdout
    assert "call it Other" in listed
    assert "as version 1" in listed
    assert leadbaton_agreement("show", 3, env=env).stdout == WHOLE
    assert leadbaton_agreement("diff", 1, 3, env=env).stdout == ""
    for second in ("2", file):
        lines = leadbaton_agreement("diff", 1, second, env=env).stdout.splitlines()
        assert {"-name: Test", "+name: Other"} <= set(lines)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["publish"], "name a file"),
        (["diff", "1", "nowhere.yaml"], "neither the number of a version nor a file"),
    ],
)
def test_arguments_that_name_nothing_are_refused(
    arguments: list[str], reason: str, file: Path, database_url: str
) -> None:
    env = {"LEADBATON_DATABASE_URL": database_url, "COLUMNS": "200"}
    leadbaton_agreement("publish", file, env=env)
    result = leadbaton_agreement(*arguments, env=env)
    assert result.exit_code == 2
    assert reason in result.stderr
