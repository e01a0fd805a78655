"""The reps of a roster as a CSV; a list in a cell has `|` between its entries, time off is `2026-12-24/2027-01-04`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from services.routing.roster_file import RepEntry, RosterFile
from shared.agreement.model import Agreement
from shared.documents import CsvFile, Path
from shared.documents.wording import wording

REQUIRED = ("id", "name", "email", "team")
LISTS = ("territories", "languages", "skills", "segments")
CAPACITY = ("open", "per_day")
OPTIONAL = ("endpoint", "format", *LISTS, "weight", *CAPACITY, "hours", "time_off", "active")

_DECIMAL_COMMA = re.compile(r"\d+,\d+")
_BETWEEN_ENTRIES = re.compile(r"[|\n]")


def parse_csv(
    content: bytes | str,
    *,
    name: str,
    agreement: Agreement | None,
    check_url: Callable[[str], None],
) -> RosterFile:
    """The reps as a file without fallbacks and accounts, which stay as they are.

    Raises InvalidDocument with every fault, its line, and its column in the table.
    """
    file = CsvFile(content, name=name, required=REQUIRED, optional=OPTIONAL)
    entries, lines = list[RepEntry](), list[int]()
    for row in file.rows():
        try:
            entries.append(RepEntry.model_validate(_fields_of(row.cells)))
            lines.append(row.line)
        except ValidationError as invalid:
            for error in invalid.errors():
                file.add_fault(row.line, _column_of(error["loc"]), wording(error, RepEntry))
    file.raise_faults()
    try:
        roster = RosterFile(reps=tuple(entries))
    except ValidationError as invalid:
        for error in invalid.errors():
            file.add_fault(1, None, wording(error, RosterFile))
        file.raise_faults()
        raise
    for path, message in roster.problems(agreement, check_url):
        _, index, *field = path
        file.add_fault(lines[int(index)], _column_of(tuple(field)), message)
    file.raise_faults()
    return roster.with_instants(agreement)


def _fields_of(cells: Mapping[str, str]) -> dict[str, Any]:
    """The fields of an entry of the file; empty cells are left out."""
    filled = {name: cell for name, cell in cells.items() if cell}
    fields: dict[str, Any] = {
        name: cell
        for name, cell in filled.items()
        if name not in ("endpoint", "format", "time_off", *CAPACITY)
    }
    for name in LISTS:
        if name in filled:
            fields[name] = list(_entries(filled[name]))
    if _DECIMAL_COMMA.fullmatch(filled.get("weight", "")):
        fields["weight"] = filled["weight"].replace(",", ".")
    address = {"url": filled.get("endpoint"), "format": filled.get("format")}
    if any(address.values()):
        fields["endpoint"] = {name: it for name, it in address.items() if it}
    if "time_off" in filled:
        periods = (it.partition("/") for it in _entries(filled["time_off"]))
        fields["time_off"] = [{"from": since.strip(), "to": to.strip()} for since, _, to in periods]
    fields["capacity"] = {name: filled[name] for name in CAPACITY if name in filled}
    return fields


def _entries(cell: str) -> Iterator[str]:
    return (it.strip() for it in _BETWEEN_ENTRIES.split(cell) if it.strip())


def _column_of(path: Path) -> str:
    """The column of a field of an entry."""
    first, *rest = path
    if first == "endpoint" and rest == ["format"]:
        return "format"
    return str(rest[0] if first == "capacity" and rest else first)
