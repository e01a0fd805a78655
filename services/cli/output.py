"""Prints instants, durations, tables and JSON, and reads the options that lists share."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

import orjson
import typer
from pydantic import BaseModel
from rich.table import Column, Table

from shared.http.parameters import instant_since, instant_until

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as the APIs respond with it.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="The most rows.")]


def _read(text: str, *, until: bool) -> datetime:
    try:
        return instant_until(text) if until else instant_since(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Since = Annotated[
    datetime | None,
    typer.Option(
        metavar="DATE",
        parser=partial(_read, until=False),
        help="From this date (in UTC) or instant on.",
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(
        metavar="DATE",
        parser=partial(_read, until=True),
        help="Until the end of this date (in UTC), or before this instant.",
    ),
]


def instant(value: datetime | None) -> str:
    """An instant in UTC to the minute, as lists show it; empty without one."""
    return f"{value:%Y-%m-%d %H:%M}" if value is not None else ""


def duration(value: timedelta) -> str:
    """A duration with its two largest units, such as `2 d 3 h`."""
    total_minutes = int(value.total_seconds()) // 60
    days, minutes = divmod(total_minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    units = [(days, "d"), (hours, "h"), (minutes, "min")]
    first = next((index for index, (count, _) in enumerate(units) if count), len(units) - 1)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2])


def plain_table(*titles: str, unbroken: Collection[str] = ()) -> Table:
    """A table without lines. Content that is too wide for the terminal is folded and never cut: people copy it.

    The columns with the titles `unbroken` keep their width as long as others can give theirs.
    """
    columns = [Column(title, overflow="fold", no_wrap=title in unbroken) for title in titles]
    return Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left")


def print_json(value: Any) -> None:
    """Print a value as JSON to stdout; it may hold the models of the APIs."""
    typer.echo(orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2).decode())


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no JSON")
