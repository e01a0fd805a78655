"""Leads before they qualify: since when one is known and engaged, where it came from, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from services.alignment.domain.facts import shortened
from services.alignment.domain.funnel import Funnel, KnownCounts, StageCounts
from shared.contracts.known import LeadKnown

FIELDS = ("source", "campaign", "channel", "persona")
"""What is known of a lead before it qualifies, by which leads are grouped and selected."""


class FirstStage(StrEnum):
    """A stage that a lead reaches before it qualifies."""

    KNOWN = "known"
    ENGAGED = "engaged"


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

    def became_at(self, stage: FirstStage) -> datetime | None:
        """When it reached the stage; None if it has not."""
        return self.known_at if stage is FirstStage.KNOWN else self.engaged_at


def known_leads(announced: Iterable[LeadKnown]) -> list[KnownLead]:
    """Each lead as its last record has it, in the order of their ids."""
    last: dict[UUID, LeadKnown] = {}
    for lead in announced:
        if lead.lead_id not in last or last[lead.lead_id].sequence < lead.sequence:
            last[lead.lead_id] = lead
    return [_known(last[lead_id]) for lead_id in sorted(last)]


def with_known(funnels: Iterable[Funnel], counts: Iterable[KnownCounts]) -> list[Funnel]:
    """The funnels with the known leads of each group, and of groups that have no others."""
    by_group = {it.counts.group: it for it in funnels}
    known = {it.group: it for it in counts}
    groups = [
        replace(by_group.get(it) or _funnel_of(it), known=known.get(it, KnownCounts(it)))
        for it in {**by_group, **known}
    ]
    return sorted(groups, key=_order)


def total_of_known(counts: Sequence[KnownCounts]) -> KnownCounts:
    """All groups as one, without a name."""
    return KnownCounts(None, sum(it.known for it in counts), sum(it.engaged for it in counts))


def _funnel_of(group: str | None) -> Funnel:
    """The funnel of a group of which no lead qualified."""
    return Funnel(StageCounts(group), (), 0, 0)


def _order(funnel: Funnel) -> tuple[bool, int, int, str]:
    """Most qualified first, then most known, then by name, the unknown group last."""
    counts, known = funnel.counts, 0 if funnel.known is None else funnel.known.known
    return counts.group is None, -counts.qualified, -known, counts.group or ""


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
