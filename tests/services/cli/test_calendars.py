"""`leadbaton sla calendar`: a month, and questions about working time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from shared.agreement.store import publish
from shared.db.session import Sessions
from tests.builders import NOON
from tests.shared.agreement.builders import WHOLE, changed

HOURS = """hours: {sun: ["00:00-24:00"], mon: ["09:00-17:00"], thu: ["22:00-30:00"]}
      breaks: {mon: ["12:00-12:10"]}
      own_holidays: {2026-11-02: Company day}
      overrides: {2026-11-08: {}, 2026-11-18: {windows: ["10:00-10:30"]}}"""
SOURCE = changed('hours: {mon: ["09:00-17:00"]}', HOURS)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "120")
    path = tmp_path / "agreement.yaml"
    path.write_text(SOURCE)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["sla", "calendar", *map(str, arguments)])


def answer(*arguments: object) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_month_shows_windows_breaks_holidays_and_dates_with_own_hours(file: Path) -> None:
    lines = run("--month", "2026-11", "--file", file).stdout.splitlines()
    assert lines[0] == "November 2026, office (Europe/Berlin), not published"
    days = {it[4:6]: [part.strip() for part in it.split("  ") if part.strip()] for it in lines[2:]}
    assert days["01"] == ["Sun 01 Nov", "█" * 48, "24 h", "00:00-24:00"]
    assert days["02"] == ["Mon 02 Nov", "·" * 48, "closed; Company day"]
    assert days["08"] == ["Sun 08 Nov", "·" * 48, "closed; own hours"]
    bar = "·" * 18 + "█" * 6 + "▒" + "█" * 9 + "·" * 14
    assert days["09"] == ["Mon 09 Nov", bar, "7 h 50 min", "09:00-12:00, 12:10-17:00"]
    assert days["12"] == ["Thu 12 Nov", "·" * 44 + "█" * 4, "2 h", "22:00-24:00"]
    assert days["13"] == ["Fri 13 Nov", "█" * 12 + "·" * 36, "6 h", "00:00-06:00"]
    assert days["18"][-1] == "10:00-10:30; own hours"
    assert lines[-1] == "159 h 50 min on 17 days"


def test_a_sunday_with_25_hours_is_shown_with_them(file: Path) -> None:
    picture = answer("--month", "2026-10", "--file", file)
    [day] = [it for it in picture["days"] if it["on"] == "2026-10-25"]
    assert day["open_s"] == 25 * 3600
    assert day["intervals"] == [
        {"since": "2026-10-25T00:00:00+02:00", "until": "2026-10-26T00:00:00+01:00"}
    ]
    assert (picture["calendar"], picture["zone"], picture["agreement_version"]) == (
        "office",
        "Europe/Berlin",
        None,
    )
    sunday = next(
        it for it in run("--month", "2026-10", "--file", file).stdout.splitlines() if "25 Oct" in it
    )
    assert sunday.split() == ["Sun", "25", "Oct", "█" * 48, "25", "h", "00:00-24:00"]


def test_the_picture_fits_a_narrow_terminal(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("--month", "2026-11", "--file", file).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == 33
    assert "·········███▒████·······" in lines[10]


def test_questions_are_answered(file: Path) -> None:
    added = answer("--from", "2026-10-30T12:00", "--add", "25h", "--file", file)
    assert added == {
        "calendar": "office",
        "zone": "Europe/Berlin",
        "agreement_version": None,
        "from": "2026-10-30T12:00:00+01:00",
        "to": "2026-11-05T23:00:00+01:00",
        "working_s": 25 * 3600,
        "holidays": [{"on": "2026-11-02", "holiday": "Company day"}],
    }
    elapsed = answer("--from", "2026-11-09T11:30Z", "--to", "2026-11-09T12:00:30Z", "--file", file)
    assert elapsed["working_s"] == 30 * 60 + 30
    assert answer("--from", "2026-11-09", "--to", "2026-11-09", "--file", file)["working_s"] == 0
    assert (
        "working  0 min" in run("--from", "2026-11-09", "--to", "2026-11-09", "--file", file).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop"], "there is no calendar 'shop'; there are: office"),
        (["--month", "12/2026"], "'12/2026' is no month of 2000 to 2100; write year-month, such as 2026-12"),
        (["--month", "1999-12"], "is no month of 2000 to 2100"),
        (["--add", "4h"], "--add and --to need the time from which to count: --from TIME"),
        (["--from", "2026-11-09"], "--from needs one of --add DURATION and --to TIME"),
        (["--from", "2026-11-09", "--add", "4h", "--to", "2026-11-10"], "--from needs one of"),
        (["--from", "2026-11-09", "--add", "4h", "--month", "2026-11"], "--month shows a month"),
        (["--from", "tomorrow", "--add", "4h"], "'tomorrow' is no time; write a date, or such as 2026-12-24T16:00"),
        (["--from", "1026-11-09", "--add", "4h"], "write a year from 2000 to 2100"),
        (["--from", "2026-11-09", "--add", "4 hours"], "--add: '4 hours': a duration is a number and a unit"),
        (["--from", "2026-11-09", "--add", "366d"], "write at most 365d of working time"),
        (["--from", "2026-11-09", "--to", "2026-11-08"], "--to is before --from"),
        (["--from", "2026-10-25T02:30", "--add", "1h"], "show 2026-10-25T02:30 twice; write 2026-10-25T02:30+02:00 or"),
        (["--from", "2026-03-29T02:30", "--add", "1h"], "show 2026-03-29T02:30 never; write 2026-03-29T01:30+01:00 or"),
        (["--version", "1"], "name --file or --version, not both"),
        (["--version", "0"], "greater than or equal to 1"),
    ],
)  # fmt: skip
def test_input_that_is_wrong_is_refused_with_a_hint(
    arguments: list[str], message: str, file: Path
) -> None:
    result = run(*arguments, "--file", file)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_working_time_that_never_comes_is_refused(file: Path) -> None:
    file.write_text(changed("09:00-17:00", "09:00-09:01").replace("15m", "1m"))
    result = run("--from", "2026-11-09", "--add", "300d", "--file", file)
    assert "not open for so long within twenty years" in result.stderr


def test_one_of_several_calendars_is_named(file: Path) -> None:
    night_shift = '    - {id: night, zone: UTC, hours: {mon: ["22:00-30:00"]}}\n'
    file.write_text(SOURCE.replace("  policies:", f"{night_shift}  policies:"))
    assert "name a calendar; there are: office, night" in run("--file", file).stderr
    assert answer("night", "--month", "2026-11", "--file", file)["open_s"] == 34 * 3600


def test_a_file_with_a_fault_is_refused_with_its_position(file: Path) -> None:
    file.write_text(changed("Europe/Berlin", "Europe/Berln"))
    result = run("--file", file)
    assert result.exit_code == 1
    assert f"{file}:40:13: unknown zone `Europe/Berln`" in str(result.exception)


def test_without_an_installation_a_file_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEADBATON_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    result = run()
    assert result.exit_code == 2
    assert "there is no installation here: name a file with --file" in result.stderr


@pytest.mark.postgres
@pytest.mark.usefixtures("database_environment")
def test_the_agreement_in_force_and_older_ones_are_shown(sessions: Sessions) -> None:
    with sessions.begin() as session:
        publish(session, WHOLE, by="ada", now=NOON)
        publish(session, SOURCE, by="ada", now=NOON)
    newest = answer("--month", "2026-11")
    first = answer("--month", "2026-11", "--version", "1")
    assert (newest["agreement_version"], first["agreement_version"]) == (2, 1)
    assert (first["open_s"], newest["open_s"]) == (5 * 8 * 3600, 159 * 3600 + 50 * 60)
    assert run().stdout.splitlines()[0].endswith("office (Europe/Berlin), version 2")
