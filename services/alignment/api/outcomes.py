"""What became of a campaign's leads, for marketing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.amounts import CENTS, AmountOut
from services.alignment.api.parameters import KEY_ERRORS, PeriodParameters
from services.alignment.api.spend import Campaign
from services.alignment.domain.outcomes import CampaignOutcome, OutcomeCounts, outcomes
from services.alignment.domain.periods import BadPeriod
from services.alignment.queries.outcomes import outcome_sums
from shared.http.csv_tables import CSV_RESPONSE, csv_response, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.parameters import EmptyRange
from shared.http.problems import InvalidRequest, problems

RESPONSES = {**CSV_RESPONSE, **problems(*KEY_ERRORS, InvalidRequest, EmptyRange, BadPeriod)}

router = APIRouter()


class RejectionsOut(BaseModel):
    """How many leads were rejected for one reason."""

    reason: str | None = Field(description="Of the agreement's list; null: none was named.")
    count: int

    def __str__(self) -> str:
        """The rejections as a cell of a CSV has them."""
        return f"{self.reason or '?'}={self.count}"


class OutcomeOut(BaseModel):
    """What became of a campaign's leads from `since` to `until`, both included, in UTC."""

    campaign: str = Field(description="The last campaign of these leads.")
    since: date
    until: date
    qualified: int = Field(description="Leads that qualified in these days.")
    accepted: int = Field(description="That a rep accepted, contacted or won for the first time.")
    rejected: int = Field(description="That were rejected, and no rep has accepted.")
    rejections: list[RejectionsOut] = Field(description="These by reason, the most frequent first.")
    contacted: int = Field(description="That were contacted for the first time.")
    won: int
    revenue: list[AmountOut] = Field(
        description="Of the wins, by currency; amounts in two currencies are never added."
    )
    wins_without_amount: int = Field(description="Wins that are worth an unknown amount.")

    @classmethod
    def of(cls, campaign: str, outcome: CampaignOutcome, since: date, until: date) -> OutcomeOut:
        """The outcome as it is answered."""
        counts = outcome.counts
        return cls(
            campaign=campaign,
            since=since,
            until=until,
            qualified=counts.qualified,
            accepted=counts.accepted,
            rejected=counts.rejected,
            rejections=[
                RejectionsOut(reason=it.reason, count=it.leads) for it in outcome.rejections
            ],
            contacted=counts.contacted,
            won=counts.won,
            revenue=[
                AmountOut(currency=it.currency, amount=it.cents / CENTS)
                for it in outcome.wins
                if it.currency is not None
            ],
            wins_without_amount=sum(it.wins for it in outcome.wins if it.currency is None),
        )


@router.get("/campaigns/{campaign:path}/outcomes", response_model=OutcomeOut, responses=RESPONSES)
def campaign_outcomes(
    campaign: Campaign,
    request: Request,
    parameters: Annotated[PeriodParameters, Query()],
    session: Tx,
    now: Now,
    _: OpsOrRead,
) -> OutcomeOut | Response:
    """What became of the leads of a campaign, each thing counted on the day it happened; without leads all are 0."""
    outcome = outcome_of(session, campaign, parameters, now)
    if wants_csv(request, parameters.format):
        return csv_response(request, "outcomes", list(OutcomeOut.model_fields), [dict(outcome)])
    return outcome


def outcome_of(
    session: Session, campaign: str, parameters: PeriodParameters, now: datetime
) -> OutcomeOut:
    """The outcome of one campaign; raises BadPeriod or EmptyRange."""
    known = outcomes(outcome_sums(session, *parameters.instants(now), campaign=campaign))
    nothing = CampaignOutcome(OutcomeCounts(campaign), [], [])
    return OutcomeOut.of(campaign, next(iter(known), nothing), *parameters.dates(now))
