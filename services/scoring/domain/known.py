"""Which known leads are to be announced: that they are known, or engaged, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from services.scoring.domain.first_events import first_activity, first_naming
from services.scoring.domain.lead import Lead
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.verdict import NOT_ENGAGED, Verdict
from shared.contracts.payloads import MarketingEvent


class KnownOrigin(NamedTuple):
    """Where a lead came from until it became known."""

    source: str | None
    channel: str | None
    campaign: str | None


def count_announcement(
    verdict: Verdict, before: Lead | None, *, has_earlier_touches: bool = False
) -> Verdict:
    """The verdict with one announcement more of its lead, if that is known and differs from what was announced.

    It differs by its instants, or if it has got touches of the time before it was known. `before` is the stored lead.
    """
    lead = verdict.lead
    if lead.known_at is None:
        return verdict
    is_same = before is not None and (
        (before.known_at, before.engaged_at) == (lead.known_at, lead.engaged_at)
    )
    if is_same and not has_earlier_touches:
        return verdict
    return verdict._replace(lead=lead._replace(announced=lead.announced + 1))


def has_earlier_touch(lead: Lead, events: Iterable[MarketingEvent], policy: ScoringPolicy) -> bool:
    """Whether one of the events is a touch of the time before the lead became known."""
    known_at = lead.known_at
    return known_at is not None and any(
        it.time <= known_at and policy.origin_of(it) is not None for it in events
    )


def known_before(lead: Lead, events: Iterable[MarketingEvent], policy: ScoringPolicy) -> Lead:
    """A lead that was known before its instants were kept, with the instants that all of its events give.

    What is not told by events any more is taken from the lead itself: its arrival, and that it had become engaged.
    """
    all_events = list(events)
    known_at = first_naming(None, all_events) or lead.since
    active_at = first_activity(lead.active_at, all_events, policy)
    if active_at is None and lead.stage not in NOT_ENGAGED:
        active_at = known_at
    return lead._replace(known_at=known_at, active_at=active_at, announced=lead.announced + 1)
