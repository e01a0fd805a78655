"""The CSV of what campaigns cost, as spreadsheets save it."""

from __future__ import annotations

import pytest

from services.alignment.domain.spend import Amount, SpendEntry
from services.alignment.spend_csv import OPTIONAL, REQUIRED, spend_rows
from shared.documents import CsvFile, InvalidDocument

AUTUMN = SpendEntry("Herbst für Käufer", "2026-11", Amount(123_456, "EUR"))


def entries(content: bytes | str) -> list[SpendEntry]:
    file = CsvFile(content, name="spend.csv", required=REQUIRED, optional=OPTIONAL)
    rows = [it.entry for it in spend_rows(file)]
    file.raise_faults()
    return rows


def faults(*rows: str) -> list[tuple[int, int, str]]:
    with pytest.raises(InvalidDocument) as invalid:
        entries("\n".join(["campaign,period,amount,currency,version", *rows]))
    return [(it.line, it.column, it.message) for it in invalid.value.faults]


@pytest.mark.parametrize(
    "content",
    [
        "campaign,period,amount,currency\nHerbst für Käufer,2026-11,1234.56,EUR\n".encode(),
        "\ufeffcampaign;period;amount;currency\r\nHerbst für Käufer;2026-11;1.234,56;EUR\r\n".encode(),
        "Campaign;Period;Amount;Currency\r\nHerbst für Käufer;2026-11;1234,56;EUR\r\n".encode("cp1252"),
        "campaign\tperiod\tamount\tcurrency\r\nHerbst für Käufer\t2026-11\t1\xa0234,56\tEUR\r\n".encode("utf-16"),
        'sep=,\nperiod,campaign,currency,amount\n2026-11,Herbst für Käufer,EUR,"1,234.56"\n'.encode(),
        "campaign,period,amount,currency,version\nHerbst für Käufer,2026-11,1'234.56,EUR,\n".encode(),
    ],
    ids=["UTF-8", "semicolons and a byte order mark", "Windows-1252", "UTF-16", "sep=", "Swiss"],
)  # fmt: skip
def test_a_file_is_read_as_excel_saves_it(content: bytes) -> None:
    assert entries(content) == [AUTUMN]


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        ("0", 0), ("5", 500), ("5.5", 550), ('"5,05"', 505), ("1234567.89", 123_456_789), ("1000000000000", 10**14),
        ('"1.234.567,8"', 123_456_780), ('"1,234,567.89"', 123_456_789),
    ],
)  # fmt: skip
def test_amounts_are_exact(cell: str, cents: int) -> None:
    content = f"campaign,period,amount,currency\na,2026-11,{cell},EUR"

    assert [it.amount for it in entries(content)] == [Amount(cents, "EUR")]


def test_a_version_may_be_named() -> None:
    content = "campaign,period,amount,currency,version\na,2026-11,1,EUR,3\na,2026-11,2,EUR,4\n"

    assert [it.version for it in entries(content)] == [3, 4]


def test_a_name_that_was_copied_is_the_name_of_the_events() -> None:
    content = 'campaign,period,amount,currency\n"\u200bautumn\nsale ",2026-11,5,EUR'

    assert [it.campaign for it in entries(content)] == ["autumn sale"]
    assert "in UTF-8" in str(faults("W\ufffdrme,2026-11,5,EUR,"))


def test_every_fault_has_its_line_its_column_and_a_remedy() -> None:
    wrong = faults(
        "a,2026-11,-5,EUR,",
        "a,Nov 26,5,EUR,",
        "a,2026-13,5,EUR,",
        "a,2026-12,5,EURO,",
        f"{'x' * 300},2026-11,5,EUR,",
        ",2026-11,5,EUR,",
        'a,2026-10,"1,234",EUR,',
        "a,2026-09,1.234.567,EUR,",
        "a,2026-08,5.123,EUR,",
        "a,2026-07,,EUR,",
        "a,2026-06,1e9,EUR,",
        "a,2026-05,1000000000000.01,EUR,",
        "a,2026-04,5,EUR,0",
        "a,2026-04,5,EUR,1.5",
        "a,2026-04,5,,",
        "a,2026-W53,5,EUR,",
        "a,2025-W53,5,EUR,",
    )

    assert [(line, column) for line, column, _ in wrong] == [
        (2, 3), (3, 2), (4, 2), (5, 4), (6, 1), (7, 1), (8, 3), (9, 3), (10, 3), (11, 3), (12, 3), (13, 3), (14, 5),
        (15, 5), (16, 4), (18, 2),
    ]  # fmt: skip
    messages = [message for _, _, message in wrong]
    assert "with two decimals" in messages[0]
    assert "the format Text" in messages[1]
    assert "no currency" in messages[3]
    assert "of 1 to 200" in messages[4]
    assert "not clear" in messages[6]


def test_a_campaign_and_period_stand_in_one_row() -> None:
    [(line, column, message)] = faults("a,2026-11,5,EUR,", "b,2026-11,5,EUR,", "a,2026-11,6,EUR,")

    assert (line, column) == (4, 2)
    assert "line 2" in message
