"""`leadbaton campaigns`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.campaigns import MAX_SHOWN, app
from shared.agreement.store import publish
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from shared.documents import InvalidDocument
from tests.builders import DEFAULT_SECTIONS, NOON
from tests.services.alignment.builders import lead_touched, numbered, qualified, read, step

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]

HEADER = "campaign;period;amount;currency\n"


def campaigns(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, str(result.exception)
    return result.stdout


def file_of(folder: Path, *rows: str) -> str:
    path = folder / "spend.csv"
    path.write_bytes((HEADER + "\n".join(rows)).encode("cp1252"))
    return str(path)


def test_an_import_adds_what_is_new(tmp_path: Path) -> None:
    file = file_of(tmp_path, "Käufer;2026-11;1.234,50;EUR", "spring;2026-11;10;USD")

    trial = campaigns("import", file, "--dry-run")
    assert "2 of 2 rows are new" in trial
    assert "nothing was changed" in trial
    assert "Nothing is known" in campaigns("spend")

    assert "Käufer: 2026-11 cost 1,234.50 EUR (version 1)" in campaigns("import", file)
    assert "0 of 2 rows are new" in campaigns("import", file)
    corrected = file_of(tmp_path, "Käufer;2026-11;1.300;EUR", "spring;2026-11;10;USD")
    with pytest.raises(InvalidDocument, match=r"spend.csv:2:3: '1.300' is not clear"):
        CliRunner().invoke(app, ["import", corrected], catch_exceptions=False)
    corrected = file_of(tmp_path, "Käufer;2026-11;1300;EUR", "spring;2026-11;10;USD")
    assert "(version 2)" in campaigns("import", corrected)


def test_spend_is_listed_as_a_table_and_as_json(tmp_path: Path) -> None:
    campaigns("import", file_of(tmp_path, "autumn;2026-11;5;EUR", "spring;2026-W47;6;EUR"))
    campaigns("import", file_of(tmp_path, "autumn;2026-11;7;EUR"))

    table = campaigns("spend")
    versions = json.loads(campaigns("spend", "autumn", "--json"))

    assert "7.00 EUR" in table
    assert "spring" in table
    assert [(it["version"], it["amount"], it["counts"]) for it in versions] == [
        (2, 7.0, True),
        (1, 5.0, False),
    ]


def test_a_file_with_a_fault_adds_nothing(tmp_path: Path) -> None:
    campaigns("import", file_of(tmp_path, "autumn;2026-11;5;EUR"))
    overlapping = file_of(tmp_path, "spring;2026-11;5;EUR", "autumn;2026-W47;5;EUR")

    with pytest.raises(InvalidDocument, match=r"spend.csv:3:2: 2026-W47 has days in common"):
        CliRunner().invoke(app, ["import", overlapping], catch_exceptions=False)

    assert "spring" not in campaigns("spend")


def test_a_long_import_shows_its_beginning(tmp_path: Path) -> None:
    rows = [f"campaign {number};2026-11;5;EUR" for number in range(MAX_SHOWN + 5)]

    assert "and 5 more" in campaigns("import", file_of(tmp_path, *rows))


@pytest.fixture
def november(sessions: Sessions) -> None:
    """Autumn won 100.01 EUR, and winter something of unknown worth; one lead of autumn was rejected."""
    money = {"currency": "EUR", "gross_margin": 0.8, "monthly_churn": 0.02}
    with sessions.begin() as session:
        publish(session, json.dumps({**DEFAULT_SECTIONS, "money": money}), by="test", now=NOON)
        won = step(Change.WON, 9, lead="ada", amount=100.01, currency="EUR")
        read(session, qualified("ada"), *numbered(step(Change.ASSIGNED, lead="ada"), won))
        rejected = step(Change.REJECTED, 9, lead="lise", reason="timing")
        read(session, qualified("lise"), *numbered(step(Change.ASSIGNED, lead="lise"), rejected))
        otto = [step(it, 9, lead="otto", campaign="winter") for it in (Change.ASSIGNED, Change.WON)]
        read(session, qualified("otto", "winter"), *numbered(*otto))
        read(session, lead_touched("autumn"))


@pytest.mark.usefixtures("november")
def test_campaigns_are_listed_with_costs_and_what_a_reader_must_know(tmp_path: Path) -> None:
    campaigns("import", file_of(tmp_path, "autumn;2026-11;50;EUR", "spring;2026-11;7;USD"))

    table = campaigns("list", "--period", "2026-11", "--limit", "1")
    logged = campaigns("list", "--period", "2026-11", "--json")
    report = json.loads(logged[logged.index("{") :])  # in tests the log goes to stdout too

    assert "2026-11-01 to 2026-11-30 (UTC), in EUR; credited by" in table
    assert "lifetime value of a customer" in table
    assert "2 more campaigns: --limit" in table
    assert " USD" in table
    assert {it["campaign"] for it in report["items"]} == {"autumn", "spring", "winter"}


@pytest.mark.usefixtures("november")
def test_costs_divided_by_days_are_said_to_be(tmp_path: Path) -> None:
    campaigns("import", file_of(tmp_path, "autumn;2026-Q4;92;EUR"))

    table = campaigns("list", "--period", "2026-11")

    assert "divided by days" in table
    assert "a customer cost" in table


def test_without_an_agreement_nothing_is_added() -> None:
    assert "no currency: the agreement has no section money" in campaigns("list")


@pytest.mark.usefixtures("november")
def test_what_became_of_a_campaigns_leads() -> None:
    outcome = campaigns("outcomes", "autumn", "--period", "2026-11")

    assert "rejected: timing" in outcome
    assert "100.01 EUR" in outcome
    assert "wins without an amount" in campaigns("outcomes", "winter", "--period", "2026-11")
    assert json.loads(campaigns("outcomes", "autumn", "--period", "2026-11", "--json"))["won"] == 1


@pytest.mark.parametrize("command", ["outcomes", "spend"])
@pytest.mark.parametrize("name", ["", "x" * 300], ids=["empty", "too long"])
def test_a_name_that_no_report_has_is_refused(command: str, name: str) -> None:
    result = CliRunner().invoke(app, [command, name])

    assert result.exit_code == 2
    assert f"{len(name)} characters" in result.stderr


def test_what_an_import_prints_has_no_effect_on_the_terminal(tmp_path: Path) -> None:
    file = file_of(tmp_path, "a\x1b[31mb;2026-11;5;EUR")

    assert "a [31mb: 2026-11 cost 5.00 EUR" in campaigns("import", file)
