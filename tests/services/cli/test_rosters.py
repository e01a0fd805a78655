"""Exports, dry runs and the load report of `leadbaton reps`, and `leadbaton accounts`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import roster_output
from services.cli.accounts import app as accounts_app
from services.cli.reps import app as reps_app
from services.routing.domain.roster_difference import FieldChange, RosterDifference
from shared.db.session import Sessions
from tests.builders import lead_qualified
from tests.services.cli.test_reps import KEY
from tests.services.routing.builders import build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

ENDPOINT = "http://127.0.0.1:9/reps"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, sessions: Sessions, database_url: str) -> None:
    """Grace and Linus of team sales share two leads; Grace owns a.example."""
    monkeypatch.setenv("LEADBATON_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("LEADBATON_SECRET_KEY", KEY)
    monkeypatch.setenv("LEADBATON_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("LEADBATON_ALLOW_PORTS", "9")
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(
            session,
            entry("grace", capacity={"open": 4}),
            entry("linus"),
            entry("gone", active=False),
            accounts={"a.example": "grace"},
        )
        qualifying(session, assigner, lead_qualified(lead="a"), lead_qualified(lead="b"))


def reps(*arguments: str) -> str:
    result = CliRunner().invoke(reps_app, list(arguments))
    assert result.exit_code == 0, result.output
    return without_log(result.stdout)


def without_log(output: str) -> str:
    """The output without what the command's process would log on standard error."""
    return "".join(it for it in output.splitlines(keepends=True) if "[info" not in it)


def accounts(*arguments: str) -> str:
    result = CliRunner().invoke(accounts_app, list(arguments))
    assert result.exit_code == 0, str(result.exception)
    return result.stdout


@pytest.mark.usefixtures("installed")
def test_the_export_imports_to_no_difference(tmp_path: Path) -> None:
    file = tmp_path / "roster.yaml"
    file.write_text(reps("export"))

    assert reps("import", str(file), "--dry-run") == "no difference: the roster is as in the file\n"
    assert json.loads(reps("import", str(file))) == {}
    assert reps("export") == file.read_text()


@pytest.mark.usefixtures("installed")
def test_a_dry_run_says_what_would_change_and_changes_nothing(tmp_path: Path) -> None:
    file, before = tmp_path / "roster.yaml", reps("export")
    endpoint = f"  endpoint: {{url: '{ENDPOINT}/mara'}}\n"
    changed = before.replace("linus", "mara").replace("open: 4", "open: 5")
    changed = changed.replace("- id: mara\n", f"- id: mara\n{endpoint}")
    file.write_text(changed.replace("a.ex", "b.ex"))

    preview = reps("import", str(file), "--dry-run")

    assert preview.split("\n") == [
        "new reps: mara",
        "not in the file, become inactive: linus",
        "endpoints that are new or get another URL: rep/mara",
        "grace: capacity.open 4 -> 5",
        "accounts: 1 new, 0 with another rep, 1 removed",
        "a.example: grace -> nobody",
        "b.example: nobody -> grace",
        "",
    ]
    assert reps("export") == before


@pytest.mark.usefixtures("installed")
def test_reps_come_from_a_table_of_excel(tmp_path: Path) -> None:
    file = tmp_path / "reps.csv"
    file.write_bytes(
        f"id;name;email;team;endpoint\nzoe;Zoë;zoe@x.io;sales;{ENDPOINT}/zoe\n".encode("cp1252")
    )

    assert reps("check", str(file)) == f"{file} is sound: 1 reps, 0 teams\n"
    imported = CliRunner().invoke(reps_app, ["import", str(file)])
    assert list(json.loads(without_log(imported.stdout))) == ["rep/zoe"]
    assert "grace is inactive and owns accounts: 1; give them to others" in imported.stderr
    assert "Zoë" in reps("list")
    assert accounts("list").split() == ["Account", "Rep", "a.example", "grace"]


@pytest.mark.usefixtures("installed")
def test_the_load_report_has_fair_and_real_shares() -> None:
    report = reps("load").split("\n")
    [grace, linus] = json.loads(reps("load", "--json"))

    titles = ["Rep", "Team", "Open", "Capacity", "Today", "Got", "Credit", "Fair", "Real", "Lacks"]
    assert report[0].split() == titles
    assert report[1].split() == ["grace", "sales", "1", "4", "0", "1", "0.0", "50%", "50%", "0.0"]
    assert report[2].split() == ["linus", "sales", "1", "0", "1", "0.0", "50%", "50%", "0.0"]
    assert (grace["share"]["assigned"], linus["holds"]) == (1, 1)
    assert reps("load", "--team", "moon") == "There are no such reps.\n"


@pytest.mark.usefixtures("database_environment")
def test_without_an_agreement_the_load_report_has_no_shares(sessions: Sessions) -> None:
    with sessions.begin() as session:
        importing(session, entry("grace"))

    assert reps("load").split("\n")[1].split() == ["grace", "sales", "0"]


@pytest.mark.usefixtures("installed")
def test_accounts_are_imported_after_a_look(tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    rows = "".join(f"c{number:02}.example;linus\n" for number in range(25))
    file.write_bytes(f"domain;rep\na.example;linus\n{rows}".encode("utf-16"))

    preview = accounts("import", str(file), "--dry-run").split("\n")
    assert accounts("list").split() == ["Account", "Rep", "a.example", "grace"]
    applied = accounts("import", str(file))

    assert preview[0] == "accounts: 25 new, 1 with another rep, 0 removed"
    assert preview[1:3] == ["a.example: grace -> linus", "c00.example: nobody -> linus"]
    assert preview[-3:] == [
        "and 6 more",
        "nothing was changed; without --dry-run it takes effect",
        "",
    ]
    assert applied == "\n".join(preview[:-2]) + "\n"
    assert json.loads(accounts("list", "--rep", "linus", "--limit", "1", "--json")) == [
        {"domain": "a.example", "rep": "linus"}
    ]
    assert accounts("list", "--rep", "grace") == "There are no such accounts.\n"


@pytest.mark.usefixtures("installed")
def test_exported_accounts_import_to_no_difference(tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text(accounts("export"), newline="")

    preview = accounts("import", str(file), "--dry-run")

    assert file.read_text() == "domain,rep\na.example,grace\n"
    assert preview == "no difference: the accounts are as in the file\n"


def test_a_long_difference_is_cut() -> None:
    changed = [FieldChange("grace", "name", "a", "b")] * (roster_output.MAX_SHOWN + 2)
    lines = list(roster_output.lines_of(RosterDifference([], [], changed, [], [], None)))

    assert (len(lines), lines[-1]) == (roster_output.MAX_SHOWN + 1, "and 2 more changes")
