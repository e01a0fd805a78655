"""The events of a body in any format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.scoring.ingest.normalize.event import AcceptedEvent, Arrival


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of a body, and how one is converted."""

    format: str
    items: Sequence[object]
    convert: Callable[[object, Arrival], AcceptedEvent]
    id_name: str = "id"
    list_names: tuple[str, ...] = ()
    """The names under which the body may have the list of events, if it is an object."""
    common: Mapping[str, object] = field(default_factory=dict)
    """The context that the body gives all events."""
