"""Attribution: which campaigns or channels are credited with what was won, by seven models side by side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.groups import DEFAULT_GROUPS, GroupLimit
from services.alignment.api.parameters import KEY_ERRORS, PeriodParameters
from services.alignment.domain.attribution import CreditBy, Credits, Group, together
from services.alignment.domain.credits import NotCounted
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.policy import AlignmentPolicy, attribution_of, terms_of
from services.alignment.domain.ranking import split
from services.alignment.queries.credits import credits_in
from shared.agreement.model import AttributionModel
from shared.agreement.store import Policies
from shared.http.csv_tables import CSV_RESPONSE, MAX_CSV_ROWS, csv_response, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.parameters import EmptyRange
from shared.http.problems import InvalidRequest, problems

RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, InvalidRequest, EmptyRange, BadPeriod, NotCounted),
}


class AttributionParameters(PeriodParameters):
    """Which wins are divided, and among what."""

    by: CreditBy = Field(
        default=CreditBy.CAMPAIGN, description="Whether campaigns or channels are credited."
    )


class CreditParameters(AttributionParameters):
    """Which wins are divided, among what, and how many groups are listed."""

    limit: GroupLimit = DEFAULT_GROUPS


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
            **{model.value: credit.cents[model] / 100 for model in AttributionModel},
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
    groups: int = Field(description="How many groups of a currency there are.")
    items: list[CreditOut] = Field(
        description="By currency; by every model the credit of one currency, with `others`, sums to what was won in "
        "it. Those with most wins are listed, at most `limit` of those that have a name."
    )
    others: list[CreditOut] = Field(description="The other groups together, by currency.")
    others_groups: int = Field(description="How many groups these are.")


def router(policies: Policies[AlignmentPolicy]) -> APIRouter:
    """The route; `policies` has the agreement's versions."""
    routes = APIRouter()

    @routes.get("/attribution", response_model=AttributionOut, responses=RESPONSES)
    def attribution(
        request: Request,
        parameters: Annotated[CreditParameters, Query()],
        session: Tx,
        now: Now,
        _: OpsOrRead,
    ) -> AttributionOut | Response:
        """What was won in a period, divided among the marketing touches of the leads, by seven models side by side.

        The window and the half-life are those of the agreement in force.
        """
        policy = policies.find_current(session)
        if wants_csv(request, parameters.format):
            report = _report(session, parameters, policy, now, limit=MAX_CSV_ROWS)
            rows = [{**dict(it), "groups": 1} for it in report.items]
            rows += [{**dict(it), "groups": report.others_groups} for it in report.others]
            columns = [*CreditOut.model_fields, "groups"]
            return csv_response(request, "attribution", columns, rows)
        return _report(session, parameters, policy, now, limit=parameters.limit)

    return routes


def _order(group: Group) -> tuple[str, bool, bool, str]:
    return group.currency, not group.is_touched, group.name is None, group.name or ""


def _report(
    session: Session,
    parameters: AttributionParameters,
    policy: AlignmentPolicy | None,
    now: datetime,
    *,
    limit: int,
) -> AttributionOut:
    section = attribution_of(policy)
    wins = credits_in(session, parameters.times(now), parameters.by, terms_of(section))
    first, last = parameters.dates(now)
    listed, others = split(_by_wins(wins.groups), limit, lambda it: it.name)
    rest = together(wins.groups, others)
    return AttributionOut(
        by=parameters.by,
        since=first,
        until=last,
        agreement_version=None if policy is None else policy.version,
        show=section.show,
        won=wins.won,
        wins_without_amount=wins.unknown,
        groups=len(wins.groups),
        items=[CreditOut.of(it, wins.groups[it]) for it in sorted(listed, key=_order)],
        others=[CreditOut.of(it, rest[it]) for it in sorted(rest, key=_order)],
        others_groups=len(others),
    )


def _by_wins(groups: Mapping[Group, Credits]) -> list[Group]:
    """The groups, those first that are a part of most wins."""
    return sorted(
        groups, key=lambda it: (-groups[it].wins[AttributionModel.LINEAR], it.name or "", it)
    )
