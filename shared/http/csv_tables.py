"""Lists as CSV: which requests want it, and rows that a spreadsheet shows as text and never evaluates."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any, Literal, TypeVar, get_args
from urllib.parse import urlencode

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from shared.http.pages import Page

T = TypeVar("T")

CSV = "text/csv"
MAX_CSV_ROWS = 10_000
"""A CSV has this many rows at most; its header `Link` leads to the next ones."""

CSV_PAGE = 500
MAX_CSV_PAGES = 100
"""A CSV of a list that is read page by page ends after so many pages, some of which may be short."""

FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""Text that begins with one of these is a formula to a spreadsheet, unless an apostrophe precedes it."""

Format = Literal["json", "csv"] | None
FORMAT = (
    "`csv` or `json`; by default `csv` where the header `Accept` names `text/csv`. "
    f"A CSV has up to {MAX_CSV_ROWS:,} rows whatever `limit` is, and where more follow, a header `Link`."
)
"""The description of the parameter `format`."""

CSV_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {CSV: {"schema": {"type": "string"}}},
        "headers": {
            "Link": {
                "description": "Of a CSV: where the next rows are, if there are more.",
                "schema": {"type": "string"},
            }
        },
    }
}
"""For `responses=` of a route that responds with CSV too."""


def wants_csv(request: Request, format_: Format) -> bool:
    """Whether the response shall be CSV: by the parameter `format`, or without it by the header `Accept`."""
    return format_ == "csv" or (format_ is None and CSV in request.headers.get("accept", ""))


def csv_response(
    request: Request,
    name: str,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, object]],
    *,
    next_cursor: str | None = None,
) -> Response:
    """The rows as a file of this name; `next_cursor` is the `after` of the rows that follow."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    if next_cursor is not None:
        query = urlencode({**request.query_params, "after": next_cursor})
        headers["link"] = f'<?{query}>; rel="next"'
    return Response(text.getvalue(), headers=headers, media_type=CSV)


def csv_of_pages(
    request: Request,
    name: str,
    read_page: Callable[[str | None, int], Page[T]],
    row: Callable[[T], Mapping[str, object]],
    *,
    columns: Sequence[str],
) -> Response:
    """A list as a file of this name; `read_page` has the page after a cursor, of so many items at most."""
    rows: list[Mapping[str, object]] = []
    cursor = request.query_params.get("after")
    for _ in range(MAX_CSV_PAGES):
        page = read_page(cursor, min(CSV_PAGE, MAX_CSV_ROWS - len(rows)))
        rows += map(row, page.items)
        cursor = page.next
        if cursor is None or len(rows) == MAX_CSV_ROWS:
            break
    return csv_response(request, name, columns, rows, next_cursor=cursor)


def columns_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The columns of a model's fields; those of a model inside begin with the name of its field."""
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        models = [it for it in kinds if isinstance(it, type) and issubclass(it, BaseModel)]
        if models:
            for inner in models:
                yield from columns_of(inner, f"{prefix}{name}_")
        else:
            yield f"{prefix}{name}"


def row_of(model: BaseModel, columns: Sequence[str]) -> dict[str, object]:
    """The model's values by column; None where a model inside is absent."""
    return {**dict.fromkeys(columns), **dict(_values(model, ""))}


def _values(model: BaseModel, prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in model:
        if isinstance(value, BaseModel):
            yield from _values(value, f"{prefix}{name}_")
        else:
            yield f"{prefix}{name}", value


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return _cell(" ".join(map(str, value)))
    return value.isoformat() if isinstance(value, datetime) else value
