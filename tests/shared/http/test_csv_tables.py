"""Lists as CSV: which requests want it, and what a spreadsheet is protected from."""

from __future__ import annotations

from collections.abc import Mapping
from csv import DictReader
from datetime import UTC, datetime
from io import StringIO

import pytest
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from shared.http.csv_tables import (
    CSV_PAGE,
    MAX_CSV_PAGES,
    MAX_CSV_ROWS,
    Format,
    columns_of,
    csv_of_pages,
    csv_response,
    row_of,
    wants_csv,
)
from shared.http.pages import Page


class Speed(BaseModel):
    """A model inside another."""

    p50: float


class Row(BaseModel):
    """A model with a model that may be absent."""

    name: str
    accept: Speed | None
    touch: Speed


def request(query: str = "", accept: str | None = None) -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


def text_of(value: object) -> str:
    """The value as a cell of a CSV."""
    response = csv_response(request(), "list", ["a"], [{"a": value}])
    [row] = read(response)
    return row["a"]


def read(response: Response) -> list[dict[str, str]]:
    return list(DictReader(StringIO(bytes(response.body).decode(), newline="")))


@pytest.mark.parametrize(
    ("format_", "accept", "as_csv"),
    [
        (None, None, False),
        (None, "*/*", False),
        (None, "application/json", False),
        (None, "text/csv", True),
        (None, "text/csv;q=0.9, */*;q=0.1", True),
        ("csv", None, True),
        ("csv", "application/json", True),
        ("json", "text/csv", False),
    ],
)
def test_csv_is_wanted_by_the_parameter_or_else_by_the_header(
    format_: Format, accept: str | None, *, as_csv: bool
) -> None:
    assert wants_csv(request(accept=accept), format_) is as_csv


@pytest.mark.parametrize("start", list("=+-@\t\r\uff1d\uff0b\uff0d\uff20"), ids=repr)
def test_text_that_a_spreadsheet_would_evaluate_stays_text(start: str) -> None:
    formula = f'{start}HYPERLINK("https://example.com")'
    assert text_of(formula) == f"'{formula}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ada", "Ada"),
        ('a "quoted", text\nof two lines', 'a "quoted", text\nof two lines'),
        (-1.5, "-1.5"),
        (7, "7"),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (("bot", "late"), "bot late"),
        (["=1+1"], "'=1+1"),
        (datetime(2026, 11, 18, 12, tzinfo=UTC), "2026-11-18T12:00:00+00:00"),
    ],
    ids=repr,
)
def test_a_value_is_written_as_people_and_programs_read_it(value: object, text: str) -> None:
    assert text_of(value) == text


def test_models_inside_a_model_become_columns() -> None:
    columns = list(columns_of(Row))
    rows: list[Mapping[str, object]] = [
        row_of(Row(name="grace", accept=Speed(p50=1.5), touch=Speed(p50=2)), columns),
        row_of(Row(name="linus", accept=None, touch=Speed(p50=3)), columns),
    ]

    response = csv_response(request(), "list", columns, rows)

    assert columns == ["name", "accept_p50", "touch_p50"]
    assert read(response) == [
        {"name": "grace", "accept_p50": "1.5", "touch_p50": "2.0"},
        {"name": "linus", "accept_p50": "", "touch_p50": "3.0"},
    ]
    assert response.headers["content-disposition"] == 'attachment; filename="list.csv"'


def test_a_link_leads_to_the_rows_that_follow() -> None:
    first_request = request("team=a%26b&after=old&format=csv")

    response = csv_response(first_request, "list", ["a"], [], next_cursor="new")

    assert response.headers["link"] == '<?team=a%26b&after=new&format=csv>; rel="next"'
    assert "link" not in csv_response(first_request, "list", ["a"], []).headers


def numbers(count: int, *, of_a_page: int) -> Response:
    """The numbers from 1 to `count` as CSV, read in pages of at most so many, from the cursor of the request on."""

    def read_page(cursor: str | None, limit: int) -> Page[int]:
        first = int(cursor or 0)
        last = min(first + min(limit, of_a_page), count)
        return Page(items=list(range(first, last)), next=None if last == count else str(last))

    return csv_of_pages(
        request("after=3"), "numbers", read_page, lambda it: {"n": it}, columns=["n"]
    )


def test_a_list_is_read_page_by_page_to_its_end() -> None:
    response = numbers(1_003, of_a_page=CSV_PAGE)
    assert [row["n"] for row in read(response)] == [str(it) for it in range(3, 1_003)]
    assert "link" not in response.headers


def test_a_csv_has_bounded_rows_and_leads_to_those_that_follow() -> None:
    response = numbers(20_000, of_a_page=CSV_PAGE)
    assert len(read(response)) == MAX_CSV_ROWS
    assert response.headers["link"] == f'<?after={MAX_CSV_ROWS + 3}>; rel="next"'


def test_a_csv_of_short_pages_ends_early_and_leads_to_those_that_follow() -> None:
    response = numbers(20_000, of_a_page=1)
    assert len(read(response)) == MAX_CSV_PAGES
    assert response.headers["link"] == f'<?after={MAX_CSV_PAGES + 3}>; rel="next"'
