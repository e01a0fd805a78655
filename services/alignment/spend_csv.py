"""The CSV of what campaigns cost: `campaign`, `period`, `amount`, `currency`, and a `version` if there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from services.alignment.domain.currencies import CURRENCIES, currency_hint
from services.alignment.domain.periods import BadPeriod, dates_of
from services.alignment.domain.spend import MAX_AMOUNT, MAX_VERSION, Amount, SpendEntry, campaign_of
from shared.documents import CsvFile

REQUIRED = ("campaign", "period", "amount", "currency")
OPTIONAL = ("version",)

_VERSION = re.compile(r"[0-9]{1,10}", re.ASCII)
_BLANKS = re.compile(r"[\s'\N{RIGHT SINGLE QUOTATION MARK}]")
_GROUPED = re.compile(r"[0-9]{1,3}(?P<between>[.,])[0-9]{3}(?:(?P=between)[0-9]{3})*", re.ASCII)
_AMOUNT = re.compile(
    r"(?P<whole>[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+(?=,)|[0-9]{1,3}(?:,[0-9]{3})+(?=\.))"
    r"(?:[.,](?P<fraction>[0-9]{1,2}))?",
    re.ASCII,
)
"""Digits, a comma or a point, and up to two digits more. Between thousands stands the other one of the two."""


class SpendRow(NamedTuple):
    """A row of the file, with its line."""

    line: int
    entry: SpendEntry


class BadCell(ValueError):
    """A cell cannot be read; the text says why, and how to mend it."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def spend_rows(file: CsvFile) -> Iterator[SpendRow]:
    """The sound rows of the file; the faults of others are noted in it."""
    earlier: dict[tuple[str, str, int | None], int] = {}
    for row in file.rows():
        try:
            entry = _entry(row.cells)
        except BadCell as wrong:
            file.add_fault(row.line, wrong.column, str(wrong))
            continue
        key = (entry.campaign, entry.period, entry.version)
        if key in earlier:
            hint = "put one row with the sum, or delete one"
            message = f"this campaign and period are in line {earlier[key]} too; {hint}"
            file.add_fault(row.line, "period", message)
        else:
            earlier[key] = row.line
            yield SpendRow(row.line, entry)


def _entry(cells: Mapping[str, str]) -> SpendEntry:
    """The entry of a row; raises BadCell."""
    return SpendEntry(
        _campaign(cells["campaign"]),
        _period(cells["period"]),
        Amount(_cents(cells["amount"]), _currency(cells["currency"])),
        _version(cells.get("version", "")),
    )


def _campaign(text: str) -> str:
    try:
        return campaign_of(text)
    except ValueError as wrong:
        raise BadCell("campaign", str(wrong)) from None


def _period(text: str) -> str:
    try:
        dates_of(text)
    except BadPeriod as wrong:
        hint = "in Excel give the column the format Text, or it makes a date of it"
        raise BadCell("period", f"{wrong.message}; {hint}") from None
    return text


def _cents(text: str) -> int:
    digits = _BLANKS.sub("", text)
    match = _AMOUNT.fullmatch(digits)
    if match is None:
        if _GROUPED.fullmatch(digits):
            hint = "is it a decimal or between thousands? write 1234.50 or 1234,50, and nothing between thousands"
            raise BadCell("amount", f"{text[:30]!r} is not clear; {hint}")
        message = f"{text[:30]!r} is no amount; write 0 or more with two decimals, such as 1234.50"
        raise BadCell("amount", message)
    whole = re.sub("[.,]", "", match["whole"])
    amount = Decimal(f"{whole}.{match['fraction'] or 0}")
    if amount > MAX_AMOUNT:
        raise BadCell("amount", f"{text[:30]!r} is too much; write at most {MAX_AMOUNT}")
    return int(amount * 100)


def _currency(text: str) -> str:
    if text not in CURRENCIES:
        raise BadCell("currency", currency_hint(text))
    return text


def _version(text: str) -> int | None:
    if not text:
        return None
    if not _VERSION.fullmatch(text) or not 1 <= int(text) <= MAX_VERSION:
        message = f"{text[:30]!r} is no version; write a whole number from 1 on, or nothing"
        raise BadCell("version", message)
    return int(text)
