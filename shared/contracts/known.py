"""The payload of `leads.known`: how far a person came before sales."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.contracts.codec import Instant, Payload


class LeadKnown(Payload, frozen=True, kw_only=True, gc=False):
    """A person became known or engaged, or is counted with another lead from now on; without personal data."""

    lead_id: UUID
    sequence: Annotated[
        int, Meta(ge=1, description="Counts the records of a lead from 1; the last one counts.")
    ]
    known_at: Annotated[
        Instant, Meta(description="The first event that names a person and not only a visitor.")
    ]
    engaged_at: Annotated[
        Instant | None,
        Meta(description="The first activity that counts, and not before `known_at`."),
    ] = None
    source: Annotated[
        str | None, Meta(description="The source that sent the event of `known_at`.")
    ] = None
    channel: Annotated[str | None, Meta(description="Of the last touch until `known_at`.")] = None
    campaign: Annotated[
        str | None, Meta(description="The last one that a touch until `known_at` names.")
    ] = None
    persona: Annotated[
        str | None, Meta(description="By the agreement, as far as was known at this record.")
    ] = None
    agreement_version: Annotated[int, Meta(description="By which activity and persona are judged.")]
    merged_into: Annotated[
        UUID | None,
        Meta(description="The lead that it was merged into; it is to be counted no more."),
    ] = None
