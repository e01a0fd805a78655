"""The table of campaigns: what they cost, and what they brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.amounts import AmountOut, amounts_apart, in_units
from services.alignment.api.parameters import KEY_ERRORS, PeriodParameters
from services.alignment.domain.attribution import CreditBy
from services.alignment.domain.credits import NotCounted
from services.alignment.domain.exchange import Exchange
from services.alignment.domain.outcomes import outcome_counts, sum_of_counts, total_counts
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.policy import (
    AlignmentPolicy,
    attribution_of,
    exchange_of,
    lifetime_terms_of,
    terms_of,
)
from services.alignment.domain.ranking import split
from services.alignment.domain.returns import (
    Lifetime,
    LifetimeTerms,
    NotComputed,
    Returns,
    attributed_sums,
    in_all,
    lifetime,
    returns,
    won_sums,
)
from services.alignment.domain.spend import costs, counted
from services.alignment.queries.credits import credits_in
from services.alignment.queries.outcomes import (
    customers_in,
    outcome_sums,
)
from services.alignment.queries.spend import spend_between
from shared.agreement.model import AttributionModel
from shared.agreement.store import Policies
from shared.http.csv_tables import CSV_RESPONSE, MAX_CSV_ROWS, csv_response, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.pages import Limit
from shared.http.parameters import EmptyRange
from shared.http.problems import InvalidRequest, problems

RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, InvalidRequest, EmptyRange, BadPeriod, NotCounted),
}


class CampaignsParameters(PeriodParameters):
    """The period of the report, and how many campaigns it shows."""

    limit: Limit = 100


class CampaignOut(BaseModel):
    """What a campaign cost and brought in the period; amounts are in the report's `currency`."""

    campaign: str | None = Field(
        description="Null: the leads whose campaign is not known, and what no campaign is credited with; "
        "in `total`: all."
    )
    qualified: int = Field(description="Leads whose last campaign it is that qualified.")
    accepted: int
    rejected: int
    contacted: int
    won: int = Field(description="Wins of such leads.")
    customers: int = Field(description="Leads that were won, each once however often.")
    attributed: float | None = Field(
        description="What was won, as far as the campaign is credited with it by `model`. Null: the agreement has no "
        "section `money`."
    )
    attributed_apart: list[AmountOut] = Field(
        description="Credit in currencies without a rate; it is not in `attributed`."
    )
    spend: float | None = Field(
        description="What it cost in these days. Null: nothing is known of it, or there is no section `money`."
    )
    spend_apart: list[AmountOut] = Field(
        description="Costs in currencies without a rate; they are not in `spend`."
    )
    spend_days: int = Field(description="For how many days of the report the cost is known.")
    spend_prorated: bool = Field(
        description="Whether a period of which only some days are in the report was divided by days."
    )
    cost_per_qualified: float | None = Field(description="spend ÷ qualified.")
    cost_per_win: float | None = Field(description="spend ÷ won.")
    cac: float | None = Field(description="spend ÷ customers.")
    cost_not_computed: NotComputed | None = Field(
        description="Why the three are null: `no_spend`, the cost is unknown; `no_rate`, some is in `spend_apart`; "
        "`no_money`, the agreement has no section `money`. Without a reason: there are no such leads."
    )
    roi: float | None = Field(description="(attributed - spend) ÷ spend.")
    roi_not_computed: NotComputed | None = Field(
        description="Why `roi` is null: as above, or `no_cost`, it cost nothing."
    )

    @classmethod
    def of(cls, row: Returns) -> CampaignOut:
        """The returns as they are answered."""
        counts, spent = row.counts, row.spent
        has_cost = spent is not None and row.has_money
        return cls(
            **counts._asdict(),
            attributed=in_units(row.attributed.cents) if row.has_money else None,
            attributed_apart=amounts_apart(row.attributed),
            spend=in_units(spent.sum.cents) if spent is not None and has_cost else None,
            spend_apart=[] if spent is None else amounts_apart(spent.sum),
            spend_days=0 if spent is None else spent.days,
            spend_prorated=spent is not None and spent.is_prorated,
            cost_per_qualified=in_units(row.cost_of_each(counts.qualified)),
            cost_per_win=in_units(row.cost_of_each(counts.won)),
            cac=in_units(row.cost_of_each(counts.customers)),
            cost_not_computed=row.cost_not_computed,
            roi=row.roi,
            roi_not_computed=row.roi_not_computed,
        )


class CampaignsOut(BaseModel):
    """What campaigns cost and brought from `since` to `until`, both included, in UTC."""

    since: date
    until: date
    days: int
    spend_until: date = Field(
        description="Of a period that is not over: costs count until today, which is included."
    )
    agreement_version: int | None = Field(
        description="The version whose sections `money` and `attribution` these are; null: none is published."
    )
    currency: str | None = Field(
        description="In which amounts are added: `money.currency`. Null: nothing is added."
    )
    model: AttributionModel = Field(description="`attribution.show`.")
    lifetime_value: float | None = Field(
        description="Average won amount of a customer x `money.gross_margin` ÷ `money.monthly_churn`."
    )
    lifetime_not_computed: NotComputed | None = Field(
        description="Why it is null: `no_money`, `no_terms` (one of the two is not there), `no_wins`."
    )
    total: CampaignOut = Field(
        description="The sums of all campaigns, and of what no campaign is credited with; a lead that several "
        "campaigns won is one customer."
    )
    campaigns: int = Field(description="How many there are; `items` has at most `limit` of them.")
    items: list[CampaignOut] = Field(description="The most expensive first.")
    others: CampaignOut | None = Field(
        description="The other campaigns together, so that nothing of `total` is missing; null: all are in `items`. "
        "Its customers are the sum of those of each."
    )
    others_campaigns: int = Field(description="How many campaigns these are.")


def router(policies: Policies[AlignmentPolicy]) -> APIRouter:
    """The route; `policies` has the agreement's versions."""
    routes = APIRouter()

    @routes.get("/campaigns", response_model=CampaignsOut, responses=RESPONSES)
    def campaigns(
        request: Request,
        parameters: Annotated[CampaignsParameters, Query()],
        session: Tx,
        now: Now,
        _: OpsOrRead,
    ) -> CampaignsOut | Response:
        """What campaigns cost, what they brought, and so: cost of a lead and of a win, return, lifetime value.

        Each thing counts on the day it happened: a lead that qualified last month and was won in this one is a win of
        this month.
        """
        policy = policies.find_current(session)
        if wants_csv(request, parameters.format):
            report = campaigns_report(session, parameters, policy, now=now, limit=MAX_CSV_ROWS)
            head = {"since": report.since, "until": report.until, "currency": report.currency}
            rows = [{**head, "campaigns": 1, **dict(it)} for it in report.items]
            if report.others is not None:
                rows.append({**head, "campaigns": report.others_campaigns, **dict(report.others)})
            columns = [*head, *CampaignOut.model_fields, "campaigns"]
            return csv_response(request, "campaigns", columns, rows)
        return campaigns_report(session, parameters, policy, now=now, limit=parameters.limit)

    return routes


def campaigns_report(
    session: Session,
    parameters: PeriodParameters,
    policy: AlignmentPolicy | None,
    *,
    now: datetime,
    limit: int,
) -> CampaignsOut:
    """The table of at most `limit` campaigns; raises BadPeriod or NotCounted."""
    first, last = parameters.dates(now)
    last_spent = min(last, now.astimezone(UTC).date())
    times = parameters.times(now)
    money = None if policy is None else policy.agreement.money
    section, exchange = attribution_of(policy), exchange_of(money)
    credit = credits_in(session, times, CreditBy.CAMPAIGN, terms_of(section)).groups
    sums = outcome_sums(session, *parameters.instants(now))
    customers = customers_in(session, times, exchange.rates)
    rows = returns(
        outcome_counts(sums, customers.by_campaign),
        attributed_sums(credit, section.show, exchange),
        costs(counted(spend_between(session, first, last_spent)), first, last_spent),
        exchange,
    )
    total = in_all(total_counts(sums, customers.all), rows, has_money=money is not None)
    won = won_sums(credit, section.show)
    value = _lifetime(won, customers.paying, exchange, lifetime_terms_of(money))
    return CampaignsOut(
        since=first,
        until=last,
        days=(last - first).days + 1,
        spend_until=last_spent,
        agreement_version=None if policy is None else policy.version,
        currency=exchange.currency,
        model=section.show,
        lifetime_value=in_units(value.cents),
        lifetime_not_computed=value.not_computed,
        total=CampaignOut.of(total),
        **_listed(rows, limit, has_money=money is not None),
    )


def _listed(rows: Sequence[Returns], limit: int, *, has_money: bool) -> dict[str, Any]:
    """The fields of the answer that list campaigns."""
    listed, others = split(rows, limit, lambda it: it.counts.campaign)
    together = in_all(sum_of_counts(it.counts for it in others), others, has_money=has_money)
    return {
        "campaigns": len(rows),
        "items": [CampaignOut.of(it) for it in listed],
        "others": CampaignOut.of(together) if others else None,
        "others_campaigns": len(others),
    }


def _lifetime(
    won: Mapping[str, int], customers: int, exchange: Exchange, terms: LifetimeTerms | None
) -> Lifetime:
    cents = {it: won.get(it, 0) for it in exchange.rates}
    return lifetime(exchange.sum_of(cents).cents, customers, terms)
