"""`leadbaton campaigns`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.campaigns import MAX_SHOWN, app
from shared.documents import InvalidDocument

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
