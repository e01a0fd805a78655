"""Attribution: which campaigns or channels are credited with what was won, by seven models side by side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.parameters import KEY_ERRORS, PeriodParameters
from services.alignment.domain.attribution import Credits, Group, Touch, credited
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.policy import AlignmentPolicy, terms_of
from services.alignment.queries.touches import count_wins, wins_in
from shared.agreement.model import Attribution, AttributionModel
from shared.agreement.store import NoAgreement, Policies
from shared.http.csv_tables import CSV_RESPONSE, csv_response, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.parameters import EmptyRange
from shared.http.problems import InvalidRequest, problems

MAX_WINS = 10_000
"""The wins that one report divides among their touches at most."""
TOO_MANY = f"more than {MAX_WINS} leads were won in this period, and a report divides no more: name a shorter one"
RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, InvalidRequest, EmptyRange, BadPeriod),
}


class CreditBy(StrEnum):
    """What the groups of touches are."""

    CAMPAIGN = "campaign"
    CHANNEL = "channel"


NAMES: dict[CreditBy, Callable[[Touch], str | None]] = {
    CreditBy.CAMPAIGN: lambda touch: touch.campaign,
    CreditBy.CHANNEL: lambda touch: touch.channel,
}


class AttributionParameters(PeriodParameters):
    """Which wins are divided, and among what."""

    by: CreditBy = Field(
        default=CreditBy.CAMPAIGN, description="Whether campaigns or channels are credited."
    )


class CreditOut(BaseModel):
    """What a campaign or a channel is credited with in one currency, by each model."""

    group: str | None = Field(
        description="The campaign or channel; null: touches that name none, or no touch at all."
    )
    is_touched: bool = Field(
        description="False for the amounts of wins whose leads have no touch in the window."
    )
    currency: str
    first: float = Field(description="All of an amount to the first touch.")
    last: float = Field(description="All of it to the last touch before the win.")
    linear: float = Field(description="Each touch the same.")
    time_decay: float = Field(description="Half as much for each half-life before the last touch.")
    u_shaped: float = Field(description="40 % first, 40 % last before the lead was known.")
    w_shaped: float = Field(description="30 % each: these two, and the last before it qualified.")
    full_path: float = Field(description="22.5 % each: these three, and the last before the win.")

    @classmethod
    def of(cls, group: Group, credit: Credits) -> CreditOut:
        """The credit as it is answered."""
        return cls(
            group=group.name,
            is_touched=group.is_touched,
            currency=group.currency,
            **{model.value: credit[model] / 100 for model in AttributionModel},
        )


class AttributionOut(BaseModel):
    """How what was won from `since` to `until`, both included, in UTC, is divided among touches."""

    by: CreditBy
    since: date
    until: date
    agreement_version: int | None = Field(
        description="The version whose section `attribution` has the window and the half-life; null: none is "
        "published, and its defaults hold."
    )
    show: AttributionModel = Field(description="The model that the agreement prefers.")
    won: int = Field(description="Wins in the period.")
    wins_without_amount: int = Field(
        description="Wins that are worth an unknown amount, in no sum."
    )
    items: list[CreditOut] = Field(
        description="By currency; by every model the credit of one currency sums to what was won in it."
    )


def router(policies: Policies[AlignmentPolicy]) -> APIRouter:
    """The route; `policies` has the agreement's versions."""
    routes = APIRouter()

    @routes.get("/attribution", response_model=AttributionOut, responses=RESPONSES)
    def attribution(
        request: Request,
        parameters: Annotated[AttributionParameters, Query()],
        session: Tx,
        now: Now,
        _: OpsOrRead,
    ) -> AttributionOut | Response:
        """What was won in a period, divided among the marketing touches of the leads, by seven models side by side.

        The window and the half-life are those of the agreement in force.
        """
        report = _report(session, parameters, find_policy(session, policies), now)
        if wants_csv(request, parameters.format):
            rows = map(dict, report.items)
            return csv_response(request, "attribution", list(CreditOut.model_fields), rows)
        return report

    return routes


def _order(group: Group) -> tuple[str, bool, bool, str]:
    return group.currency, not group.is_touched, group.name is None, group.name or ""


def find_policy(session: Session, policies: Policies[AlignmentPolicy]) -> AlignmentPolicy | None:
    """The agreement in force, or None where none was ever published."""
    try:
        return policies.current(session)
    except NoAgreement:
        return None


def _report(
    session: Session,
    parameters: AttributionParameters,
    policy: AlignmentPolicy | None,
    now: datetime,
) -> AttributionOut:
    times = parameters.times(now)
    won, unknown = count_wins(session, times)
    if won > MAX_WINS:
        raise BadPeriod(
            f"{won} leads were won in this period, and a report divides {MAX_WINS} at most: name a shorter one"
        )
    section = Attribution() if policy is None else policy.agreement.attribution
    wins = wins_in(session, times, limit=MAX_WINS)
    credit = credited(wins, terms_of(section), NAMES[parameters.by])
    first, last = parameters.dates(now)
    return AttributionOut(
        by=parameters.by,
        since=first,
        until=last,
        agreement_version=None if policy is None else policy.version,
        show=section.show,
        won=won,
        wins_without_amount=unknown,
        items=[CreditOut.of(group, credit[group]) for group in sorted(credit, key=_order)],
    )
