"""Leadbaton's own format of an event."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError

from services.scoring.domain.identifiers import id_text
from services.scoring.ingest.errors import first_fault
from services.scoring.ingest.formats.batch import Batch
from services.scoring.ingest.normalize.event import (
    AcceptedEvent,
    Arrival,
    ParsedEvent,
    accepted_event,
)
from shared.agreement.event_types import NATIVE_TYPE


def _instant_text(value: object) -> object:
    """The text of an instant; a date is the instant at which it begins in UTC."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        return f"{value}T00:00:00Z"
    if isinstance(value, str | None):
        return value
    raise ValueError("should be RFC 3339, such as 2026-11-22T10:00:00Z")


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

EXAMPLE: dict[str, Any] = {
    "id": "form-8812",
    "type": "demo_requested",
    "time": "2026-11-22T10:15:00Z",
    "lead": {"email": "ines@tidewater-analytics.com"},
    "traits": {"company": "Tidewater Analytics", "employees": 240, "country": "US"},
    "properties": {"message": "Leads wait for days before anybody calls them."},
    "context": {"campaign": {"source": "linkedin", "name": "revops_leaders"}},
}
"""An event, for OpenAPI."""

IdText = Annotated[str, BeforeValidator(id_text)]


class NativeLead(BaseModel):
    """The identifiers of the person, at least one. Whole numbers count as text, null as absent."""

    email: IdText | None = None
    phone: IdText | None = Field(
        default=None, description="With the country's code: +49 30 123456."
    )
    user_id: IdText | None = Field(
        default=None, description="The sender's own id of a known person."
    )
    anonymous_id: IdText | None = Field(
        default=None, description="The sender's own id of a visitor."
    )


class NativeEvent(BaseModel):
    """One thing that a person did."""

    id: IdText = Field(
        min_length=1,
        max_length=200,
        description="The sender's id of the event, the same at every retry: events with the same id count once.",
    )
    type: str = Field(pattern=NATIVE_TYPE, description="Such as page_viewed.")
    time: Annotated[AwareDatetime | None, BeforeValidator(_instant_text)] = Field(
        default=None, description="When it happened, RFC 3339, or a date in UTC; by default now."
    )
    lead: NativeLead
    traits: dict[str, Any] | None = Field(
        default=None, description="Facts about the person or the company."
    )
    properties: dict[str, Any] | None = Field(default=None, description="Facts about the event.")
    context: dict[str, Any] | None = Field(
        default=None, description="page {url, path, title}, campaign, user_agent, …"
    )


def native_event(item: object, arrival: Arrival) -> AcceptedEvent:
    """The event; raises InvalidEvent or NoIdentity."""
    try:
        event = NativeEvent.model_validate(item)
    except ValidationError as error:
        raise first_fault(error) from None
    return accepted_event(
        ParsedEvent(
            id=event.id,
            type=event.type,
            time=event.time or arrival.received_at,
            email=event.lead.email,
            phone=event.lead.phone,
            user_id=event.lead.user_id,
            anonymous_id=event.lead.anonymous_id,
            traits=event.traits,
            properties=event.properties,
            context=event.context,
        ),
        arrival,
    )


def native_batch(content: Any) -> Batch:
    """One event, a list of them, or an object with the list."""
    if isinstance(content, dict) and isinstance(content.get("events"), list):
        return Batch("native", content["events"], native_event, list_names=("events",))
    return Batch("native", content if isinstance(content, list) else [content], native_event)


def native_body() -> dict[str, Any]:
    """The three forms, for OpenAPI."""
    event = NativeEvent.model_json_schema()
    parts = event.pop("$defs")
    event["properties"]["lead"] = parts["NativeLead"]
    several = {"type": "array", "items": event}
    wrapped = {"type": "object", "required": ["events"], "properties": {"events": several}}
    schema = {"anyOf": [event, several, wrapped]}
    content = {"application/json": {"schema": schema, "example": EXAMPLE}}
    return {"required": True, "content": content}
