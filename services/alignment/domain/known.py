"""What is known of one lead before it qualified: since when it is known and engaged, and where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.alignment.domain.facts import shortened
from shared.contracts.known import LeadKnown


class KnownLead(NamedTuple):
    """A person whom marketing knows; a lead that was merged into another one is counted no more."""

    lead_id: UUID
    sequence: int
    known_at: datetime
    engaged_at: datetime | None = None
    source: str | None = None
    channel: str | None = None
    campaign: str | None = None
    persona: str | None = None
    merged_into: UUID | None = None


def known_leads(announced: Iterable[LeadKnown]) -> list[KnownLead]:
    """Each lead as its last record has it, in the order of their ids."""
    last: dict[UUID, LeadKnown] = {}
    for lead in announced:
        if lead.lead_id not in last or last[lead.lead_id].sequence < lead.sequence:
            last[lead.lead_id] = lead
    return [_known(last[lead_id]) for lead_id in sorted(last)]


def _known(lead: LeadKnown) -> KnownLead:
    return KnownLead(
        lead.lead_id,
        lead.sequence,
        lead.known_at,
        lead.engaged_at,
        source=shortened(lead.source),
        channel=shortened(lead.channel),
        campaign=shortened(lead.campaign),
        persona=shortened(lead.persona),
        merged_into=lead.merged_into,
    )
