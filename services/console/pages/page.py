"""What a page and an act of the console are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from services.console.apis import Apis, Service
from services.console.sessions import Visitor

OPS = ("ops",)
READERS = ("ops", "read")
EVERYBODY = ("ops", "read", "rep")

FIND = "find"
"""The parameter of an address that holds what was searched for: encrypted, because it may be a name or an e-mail."""


@dataclass(frozen=True, slots=True)
class View:
    """One request of a page: its address, and who looks at it."""

    path: str
    values: Mapping[str, str]
    """The variable parts of the path."""
    query: Mapping[str, str]
    """The query of the URL; of a repeated name the last value."""
    visitor: Visitor
    now: datetime
    zone: ZoneInfo
    search: str = ""
    """What the parameter FIND holds."""

    def url(self, **changes: object) -> str:
        """This address with other parameters; None removes one, and a new filter begins at the first page."""
        query = {name: value for name, value in self.query.items() if name != "after"}
        query |= {name: str(value) for name, value in changes.items() if value is not None}
        for name, value in changes.items():
            if value is None:
                query.pop(name, None)
        return address(self.path, query)

    def csv_url(self, path: str = "", **changes: str) -> str:
        """The address of this list as CSV, or of another one with the same parameters, from its beginning."""
        query = {name: value for name, value in self.query.items() if name != "after"}
        return address(path or f"{self.path}.csv", query | changes)


def address(path: str, query: Mapping[str, str]) -> str:
    """The path with the query, if there is one."""
    return f"{path}?{urlencode(query)}" if query else path


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of changes of an API, after which a page is rendered anew."""

    service: Service
    path: str


HANDOFF_CHANGES = Stream(Service.ROUTING, "/v1/handoffs/stream")
SLA_CHANGES = Stream(Service.SLA, "/v1/sla/stream")
EVENT_CHANGES = Stream(Service.SCORING, "/v1/events/stream")


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its address, its template, and how the values of the template are read from the APIs."""

    path: str
    title: str
    template: str
    load: Callable[[Apis, View], Awaitable[Mapping[str, Any]]]
    scopes: tuple[str, ...] = EVERYBODY
    streams: tuple[Stream, ...] = ()
    key: str = ""
    """The letter after `g` that opens it; a page with one stands in the navigation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the browser goes after an act, and the line that it shows there."""

    path: str
    status: str
    search: str = ""
    """What the address gets as the parameter FIND."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a visitor does by a form: its address, and what it asks of the APIs."""

    path: str
    run: Callable[[Apis, View, Mapping[str, str]], Awaitable[Outcome]]
    back: str
    """The page that sent the form, as a path with the same variable parts: it shows a refusal."""
    scopes: tuple[str, ...] = OPS


@dataclass(frozen=True, slots=True)
class Export:
    """A list as CSV: its address, and the list of an API that it is read from."""

    path: str
    source: Callable[[View], Source]
    scopes: tuple[str, ...] = EVERYBODY


@dataclass(frozen=True, slots=True)
class Source:
    """A list of an API, with the parameters that narrow it."""

    service: Service
    path: str
    query: Mapping[str, Any]
