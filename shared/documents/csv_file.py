"""Tables as spreadsheets save them: CSV in the encodings and with the delimiters of Excel, each fault located."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from shared.documents.document import Fault, InvalidDocument
from shared.documents.spelling import nearest
from shared.text import unstorable_at

MAX_BYTES = 20_000_000
"""The largest file."""
MAX_ROWS = 200_000
"""The most rows below the header."""
MAX_FAULTS = 100
"""A file is read until it has so many faults."""
DELIMITERS = (",", ";", "\t")
NAMED_DELIMITERS = (*DELIMITERS, "|")
"""Those that a line `sep=|` above the header may name."""

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_NAMES = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252"}
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


class Row(NamedTuple):
    """A row below the header: its line, counted from 1, and its cells by column; cells that are missing are empty."""

    line: int
    cells: Mapping[str, str]


class CsvFile:
    """A table with a header of known columns. Faults are collected, and raised together."""

    def __init__(
        self,
        content: bytes | str,
        *,
        name: str,
        required: Sequence[str],
        optional: Sequence[str] = (),
    ) -> None:
        """Read the header. Raises InvalidDocument for a file that is too large, or no such table."""
        self.name = name
        self._faults: list[Fault] = []
        if len(content) > MAX_BYTES:
            raise self._invalid(1, 1, f"larger than {MAX_BYTES // 1_000_000} MB; split the file")
        text = _text_of(content, name=name)
        self._lines = _LINE.finditer(text if "\n" in text else text.replace("\r", "\n"))
        self._line = 0
        known = (*required, *optional)
        self._delimiter, header = self._read_header(known)
        self.columns = self._checked_columns(header, known)
        for column in required:
            if column not in self.columns:
                self.add_fault(self._line, None, f"the column `{column}` is missing; add it")
        self.raise_faults()

    def rows(self) -> Iterator[Row]:
        """Each row that has a cell with something in it, once; raises InvalidDocument where no row can be read."""
        count, before = 0, self._line
        for line, cells in self._records():
            if not any(cells):
                continue
            count += 1
            if count > MAX_ROWS:
                raise self._invalid(line, 1, f"more than {MAX_ROWS:,} rows; split the file")
            if len(cells) > len(self.columns) and any(cells[len(self.columns) :]):
                hint = f"delete it, or put a text that has `{self._delimiter}` in it in quotes"
                self._add(line, len(self.columns) + 1, "", f"a cell beyond the last column; {hint}")
            filled = [*cells, *[""] * (len(self.columns) - len(cells))]
            yield Row(line, dict(zip(self.columns, filled, strict=False)))
        if not count:
            self.add_fault(before, None, "no row below the header; add one")

    def add_fault(self, line: int, column: str | None, message: str) -> None:
        """Note a fault of the cell in this line; None: of the whole line. Raises InvalidDocument after too many."""
        position = self.columns.index(column) + 1 if column in self.columns else 1
        self._add(line, position, column or "", message)

    def raise_faults(self) -> None:
        """Raise InvalidDocument with the faults that were noted, if there are any."""
        if self._faults:
            raise InvalidDocument(self.name, self._faults)

    def _add(self, line: int, position: int, path: str, message: str) -> None:
        self._faults.append(Fault(line, position, path, message))
        if len(self._faults) >= MAX_FAULTS:
            self.raise_faults()

    def _invalid(self, line: int, position: int, message: str) -> InvalidDocument:
        return InvalidDocument(self.name, [*self._faults, Fault(line, position, "", message)])

    def _read_header(self, known: Sequence[str]) -> tuple[str, list[str]]:
        """The delimiter by which most known columns are in the header, or that a line `sep=` names; and the header."""
        named: str | None = None
        for match in self._lines:
            self._line += 1
            line = match.group()
            if (separator := _SEPARATOR_LINE.fullmatch(line)) and separator[1] in NAMED_DELIMITERS:
                named = separator[1]
            elif line.strip():
                headers = {it: _names(line, it) for it in (named, *DELIMITERS) if it is not None}
                best = max(headers, key=lambda it: len({*known}.intersection(headers[it])))
                return best if named is None else named, headers[named or best]
        raise self._invalid(1, 1, f"the file is empty; begin with a line such as {','.join(known)}")

    def _checked_columns(self, header: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
        while header and not header[-1]:
            header = header[:-1]
        for position, column in enumerate(header, start=1):
            if column not in known:
                hint = nearest(column, known, "the columns are")
                self._add(self._line, position, column, f"unknown column `{column[:60]}`; {hint}")
            elif column in header[: position - 1]:
                message = f"the column `{column}` is there twice; delete one"
                self._add(self._line, position, column, message)
        return tuple(header)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """The cells of each row without blanks around them, with the row's first line."""
        reader = csv.reader(
            (it.group() for it in self._lines), delimiter=self._delimiter, strict=True
        )
        header_line = before = self._line
        try:
            for cells in reader:
                yield before + 1, [it.strip() for it in cells]
                before = header_line + reader.line_num
        except csv.Error as wrong:
            raise self._invalid(
                before + 1,
                1,
                f"{wrong}; quotes inside a text are doubled, and the text is in quotes",
            ) from None


def _names(line: str, delimiter: str) -> list[str]:
    """The columns of a header, as files have them: `Per day` is `per_day`."""
    cells: Iterable[list[str]] = csv.reader([line], delimiter=delimiter)
    return ["_".join(it.lower().split()) for it in next(iter(cells))]


def _text_of(content: bytes | str, *, name: str) -> str:
    """The text: by its byte order mark UTF-8 or UTF-16; without one UTF-8, or else Windows-1252."""
    if isinstance(content, str):
        return _storable(content.removeprefix("\ufeff"), name)
    mark = next((it for it in _BOMS if content.startswith(it)), b"")
    encoding, content = _BOMS.get(mark, "utf-8"), content[len(mark) :]
    try:
        return _storable(content.decode(encoding), name)
    except UnicodeDecodeError as wrong:
        if mark:
            raise _undecodable(wrong, encoding, name) from None
    try:
        return _storable(content.decode("cp1252"), name)
    except UnicodeDecodeError as wrong:
        raise _undecodable(wrong, "cp1252", name) from None


def _undecodable(wrong: UnicodeDecodeError, encoding: str, name: str) -> InvalidDocument:
    before = wrong.object[: wrong.start].decode(encoding, errors="ignore")
    message = f"a byte that is not {_NAMES[encoding]}; save the file as `CSV UTF-8`"
    return InvalidDocument(name, [_fault_behind(before, message)])


def _storable(text: str, name: str) -> str:
    at = unstorable_at(text)
    if at is None:
        return text
    message = "a character that cannot be stored; save the file as `CSV UTF-8`"
    raise InvalidDocument(name, [_fault_behind(text[:at], message)])


def _fault_behind(before: str, message: str) -> Fault:
    return Fault(before.count("\n") + 1, len(before) - before.rfind("\n"), "", message)
