"""A section of a report: a table of figures, what they count, and the picture beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from services.console.apis import Gap
from services.console.formats import number_text, percent_text

NONE = "\N{EN DASH}"
"""A dash, where there is no figure."""

LEADS_PATH, WINS_PATH = "/alignment/leads", "/alignment/wins"
ANSWERED = {"measure": "acceptance_rate"}
"""The parameters of the leads that sales has answered."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure or a name as it is written, and the path of the console's page that shows what is behind it."""

    text: str
    href: str = ""
    state: str = ""
    """The word of the style sheet for a judgement, which is colour and shape beside the text."""
    parts: Sequence[Cell] = ()
    """Where each word of the text leads to its own page: these words."""


@dataclass(frozen=True, slots=True)
class Column:
    """The title of a column; figures stand at the right."""

    title: str
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its title, what its figures count, and a picture of them, which may be empty."""

    id: str
    title: str
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[Cell]] = ()
    note: str = ""
    """What is counted: how many, in which period, under which version of the agreement."""
    picture: Markup = field(default_factory=Markup)
    empty: str = "There is nothing to count yet."
    """What is said in place of a table without rows, and how to bring some."""
    command: str = ""
    """The command that brings some, if there is one."""
    gap: str = ""
    """The sentence in place of a table whose service does not answer."""


def gap_section(id_: str, title: str, part: Gap) -> Section:
    """The section while its service does not answer."""
    return Section(id_, title, gap=part.message)


def count_cell(count: int, href: str = "") -> Cell:
    """A count, which leads to what it counts unless that is nothing."""
    return Cell(number_text(count), href if count else "")


def share_cell(share: float | None, href: str = "") -> Cell:
    """A share of 1 in percent, which leads to what it is the share of that counts; a dash for none."""
    return Cell(NONE) if share is None else Cell(percent_text(share), href if share else "")


def parts_cell(parts: Sequence[Cell]) -> Cell:
    """Several figures, each of which leads to its own page; a dash for none."""
    return Cell(", ".join(it.text for it in parts) or NONE, parts=parts)


def amount_text(amount: float, currency: str) -> str:
    """An amount of money."""
    return f"{number_text(amount)} {currency}"


def leads_href(period: Mapping[str, str], stage: str, **filters: str | None) -> str:
    """The page of the leads behind a figure; a filter that is None leaves those of which it is not known."""
    known = {name: value for name, value in filters.items() if value is not None}
    unknown = ",".join(name for name, value in filters.items() if value is None)
    query = {**period, "stage": stage, **known} | ({"unknown": unknown} if unknown else {})
    return f"{LEADS_PATH}?{urlencode(query)}"


def wins_href(dates: Mapping[str, str], by: str, **filters: str | None) -> str:
    """The page of the wins behind a figure of attribution, each with its credit; a filter that is None is left out."""
    known = {name: value for name, value in filters.items() if value is not None}
    return f"{WINS_PATH}?{urlencode({**dates, 'by': by, **known})}"


def dates_of(report: Mapping[str, Any]) -> dict[str, str]:
    """The dates of a report, as parameters of the pages behind its figures."""
    return {"since": report["since"], "until": report["until"]}


def versions_text(item: Mapping[str, Any]) -> str:
    """Under which versions of the agreement the leads of this item qualified."""
    first, last = item["first_version"], item["last_version"]
    if first is None:
        return "no agreement version"
    return (
        f"agreement version {first}" if first == last else f"agreement versions {first} to {last}"
    )
