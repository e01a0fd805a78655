"""Records for the outbox that announce what became of campaigns' leads on one day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from uuid import NAMESPACE_OID, uuid5

from services.alignment.domain.outcomes import CampaignOutcome
from shared.contracts.payloads import CampaignCounted, RejectionCount, WonAmount
from shared.contracts.topic import Outgoing
from shared.contracts.topics import CAMPAIGNS_COUNTED

SOURCE = "leadbaton/alignment"
MAX_PARTS = 20
"""So many reasons and currencies an announcement has at most, so that a webhook of it is small enough."""
CENTS = 100


def campaigns_counted(
    outcomes: Iterable[CampaignOutcome], day: date, *, now: datetime
) -> Iterator[Outgoing]:
    """A record for each campaign that has a name."""
    for outcome in outcomes:
        if outcome.campaign is not None:
            yield CAMPAIGNS_COUNTED.encode(
                _payload(outcome, outcome.campaign, day, now),
                id=str(uuid5(NAMESPACE_OID, f"{day}/{outcome.campaign}")),
                source=SOURCE,
                at=now,
            )


def _payload(outcome: CampaignOutcome, campaign: str, day: date, now: datetime) -> CampaignCounted:
    counts = outcome.counts
    return CampaignCounted(
        campaign=campaign,
        day=day,
        counted_at=now,
        qualified=counts.qualified,
        accepted=counts.accepted,
        rejected=counts.rejected,
        contacted=counts.contacted,
        won=counts.won,
        rejections=tuple(
            RejectionCount(reason=it.reason, count=it.leads)
            for it in outcome.rejections[:MAX_PARTS]
        ),
        revenue=tuple(
            WonAmount(currency=it.currency, amount=it.cents / CENTS, wins=it.wins)
            for it in outcome.wins[:MAX_PARTS]
            if it.currency is not None
        ),
        wins_without_amount=sum(it.wins for it in outcome.wins if it.currency is None),
    )
