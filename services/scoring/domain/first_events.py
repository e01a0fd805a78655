"""The first events of a lead by which it became known, and engaged; order, batches and merges do not change them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.scoring.domain.identities import names_person
from services.scoring.domain.policy import ScoringPolicy
from shared.contracts.payloads import MarketingEvent


def first_naming(before: datetime | None, events: Iterable[MarketingEvent]) -> datetime | None:
    """The time of the first event that names a person: of these events, or the one from before."""
    return min(
        (it.time for it in events if (before is None or it.time < before) and names_person(it)),
        default=before,
    )


def first_activity(
    before: datetime | None, events: Iterable[MarketingEvent], policy: ScoringPolicy
) -> datetime | None:
    """The time of the first event that is activity: of these events by this policy, or the one from before."""
    return min(
        (
            it.time
            for it in events
            if (before is None or it.time < before) and policy.is_activity(it)
        ),
        default=before,
    )
