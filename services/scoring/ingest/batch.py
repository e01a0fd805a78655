"""What a body says, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.scoring.ingest.event import Arrival
from shared.contracts.payloads import MarketingEvent


@dataclass(frozen=True, slots=True)
class Batch:
    """What a body says, in which format."""

    format: str
    items: Sequence[object]
    convert: Callable[[object, Arrival], MarketingEvent]
    id_name: str = "id"
    list_names: tuple[str, ...] = ()
    """Where in the body the events are, if it is an object around them."""
    common: Mapping[str, object] = field(default_factory=dict)
    """What the body says of all events besides."""
