"""Marketing events as their reader has them: checked as `MarketingEvent` is, in a quarter of its time.

The scoring worker reads tens of thousands of them a second. What this way does not understand goes the other way, so
that both accept the same, and refuse the same with the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Protocol

import msgspec

from shared.contracts.decoding import either
from shared.contracts.payloads import EventKind, MarketingEvent
from shared.values import Value


class Who(Protocol):
    """An identity, as `payloads.Identity`."""

    @property
    def email(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...
    @property
    def user_id(self) -> str | None: ...
    @property
    def anonymous_id(self) -> str | None: ...


class Event(Protocol):
    """An event, as `payloads.MarketingEvent`."""

    @property
    def source(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> EventKind: ...
    @property
    def type(self) -> str: ...
    @property
    def time(self) -> datetime: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def identity(self) -> Who: ...
    @property
    def previous(self) -> Who | None: ...
    @property
    def traits(self) -> dict[str, Any]: ...
    @property
    def properties(self) -> dict[str, Any]: ...
    @property
    def context(self) -> dict[str, Any]: ...
    @property
    def marks(self) -> tuple[str, ...]: ...


Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class _Who(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    email: str | None = None
    phone: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None


class _Event(msgspec.Struct, frozen=True, omit_defaults=True):
    source: str
    id: str
    type: str
    time: Instant
    received_at: Instant
    identity: _Who
    kind: EventKind = EventKind.TRACK
    previous: _Who | None = None
    traits: dict[str, Value] = msgspec.field(default_factory=dict)
    properties: dict[str, Value] = msgspec.field(default_factory=dict)
    context: dict[str, Value] = msgspec.field(default_factory=dict)
    marks: tuple[str, ...] = ()


event_of: Callable[[bytes | str], Event] = either(_Event, MarketingEvent)
"""The event that was written so; raises pydantic's ValidationError."""


def written_event(event: Event) -> str:
    """The event as JSON, for `event_of`."""
    if isinstance(event, MarketingEvent):
        return event.model_dump_json(exclude_none=True)
    return msgspec.json.encode(event).decode()
