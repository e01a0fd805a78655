"""Tables are read as Excel saves them, and each fault has its line and its column in the table."""

from __future__ import annotations

import pytest

from shared.documents import CsvFile, InvalidDocument
from shared.documents.csv_file import MAX_BYTES, MAX_FAULTS, MAX_ROWS

TEXT = "Domain;Rep\r\nmüller.example;jörg\r\n;\r\n"
ROWS = [(2, {"domain": "müller.example", "rep": "jörg"})]


def read(content: bytes | str, *optional: str) -> list[tuple[int, dict[str, str]]]:
    file = CsvFile(content, name="a.csv", required=("domain", "rep"), optional=optional)
    rows = [(line, dict(cells)) for line, cells in file.rows()]
    file.raise_faults()
    return rows


def refusal(content: bytes | str) -> str:
    with pytest.raises(InvalidDocument) as refused:
        read(content)
    return refused.value.message


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        "\ufeff".encode("utf-16-le") + TEXT.encode("utf-16-le"),
        "\ufeff".encode("utf-16-be") + TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"),
        TEXT.replace(";", "\t").encode("utf-16"),
        TEXT.replace(";", ",").encode(),
        b"sep=;\r\n" + TEXT.replace("\r\n", "\n").encode(),
        b"sep=|\r\n" + TEXT.replace(";", "|").encode(),
        TEXT.replace("\r\n", "\r").encode(),
        "\ufeff" + TEXT,
    ],
    ids=[
        "UTF-8",
        "UTF-8 with a mark",
        "UTF-16 LE",
        "UTF-16 BE",
        "Windows-1252",
        "tabs",
        "commas",
        "a line that names the delimiter",
        "a line that names another delimiter",
        "an old Macintosh",
        "text",
    ],
)
def test_every_way_in_which_excel_saves_a_table_is_read(content: bytes | str) -> None:
    rows = read(content)
    assert [cells for _, cells in rows] == [cells for _, cells in ROWS]


def test_lines_are_counted_as_editors_do() -> None:
    rows = read('domain,rep\n\n"a\nb","say ""x"", y"\nc,d\n')

    assert rows == [
        (3, {"domain": "a\nb", "rep": 'say "x", y'}),
        (5, {"domain": "c", "rep": "d"}),
    ]


def test_columns_may_be_left_out_and_cells_at_the_end_of_a_row_too() -> None:
    assert read("rep,domain, Per  Day ,\nx\n", "per_day", "hours") == [
        (2, {"rep": "x", "domain": "", "per_day": ""})
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.csv:1:1: the file is empty; begin with a line such as domain,rep"),
        ('sep="\ndomain,rep', "a.csv:1:1: unknown column `sep=\"`"),
        ("domain,repp\na,b", "a.csv:1:2: unknown column `repp`; did you mean `rep`?"),
        ("\nrep\nx", "a.csv:2:1: the column `domain` is missing; add it"),
        ("domain,rep,rep\nx,y,z", "a.csv:1:3: the column `rep` is there twice; delete one"),
        ("domain,rep\n", "a.csv:1:1: no row below the header; add one"),
        ("domain,rep\na,b,c", "a.csv:2:3: a cell beyond the last column; delete it, or put"),
        ('domain,rep\na,b\n"a"b,c', "a.csv:3:1: ',' expected after '\"'; quotes inside"),
        ('domain,rep\na,b\n"a,c\nd', "a.csv:3:1: unexpected end of data"),
        ("domain,rep\na,\x00", "a.csv:2:3: a character that cannot be stored"),
        (b"domain,rep\na\x81,b", "a.csv:2:2: a byte that is not Windows-1252; save the file as"),
        (b"\xef\xbb\xbfdomain,rep\n\xff,b", "a.csv:2:1: a byte that is not UTF-8"),
        (b"\xff\xfed", "a.csv:1:1: a byte that is not UTF-16"),
        (b"x" * (MAX_BYTES + 1), "a.csv:1:1: larger than 20 MB; split the file"),
        ("domain,rep\n" + "a,b\n" * (MAX_ROWS + 1), f"a.csv:{MAX_ROWS + 2}:1: more than 200,000"),
    ],
)  # fmt: skip
def test_a_fault_has_its_line_and_column(content: bytes | str, message: str) -> None:
    assert message in refusal(content)


def test_faults_are_raised_together_but_not_too_many() -> None:
    file = CsvFile("domain,rep\na,b\n", name="a.csv", required=("domain", "rep"))
    for _ in range(MAX_FAULTS - 1):
        file.add_fault(2, "rep", "wrong")
    with pytest.raises(InvalidDocument) as refused:
        file.add_fault(2, "domain", "too")

    assert refused.value.message.split("\n") == ["a.csv:2:1: too", "a.csv:2:2: wrong"]
