"""The promises of both sides to date: what was agreed, what is due by now, what happened, and the leads behind it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.capacity_figures import days_link
from services.alignment.api.figures import figure_of, groups_of
from services.alignment.api.parameters import KEY_ERRORS, PeriodParameters
from services.alignment.api.parties import PartiesOut
from services.alignment.api.reading import Reading
from services.alignment.api.subjects import subject_of
from services.alignment.domain.goal import Goal, cannot_reach, goal_of
from services.alignment.domain.groups import fields_read
from services.alignment.domain.judgement import Verdict, judge, target_of
from services.alignment.domain.measures import Measured, Subject
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.policy import AlignmentPolicy, Side
from services.alignment.domain.promised_dates import (
    DAY,
    dates_around,
    midnight,
    promised_dates,
)
from services.alignment.domain.working_days import working_days
from services.alignment.queries.populations import Population
from shared.agreement.model import Measure, Promise
from shared.agreement.model.promises import Period
from shared.agreement.store import Policies
from shared.http.csv_tables import CSV_RESPONSE, csv_response, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.parameters import EmptyRange
from shared.http.problems import InvalidRequest, problems

RESPONSES = {**CSV_RESPONSE, **problems(*KEY_ERRORS, InvalidRequest, EmptyRange, BadPeriod)}
LEADS = "/v1/alignment/leads"


class PromiseParameters(PeriodParameters):
    """The period of the report; by default this week, or this month where the agreement is reviewed monthly."""


class PromiseOut(BaseModel):
    """A promise, and how it stands."""

    side: Side = Field(description="Who gave the promise.")
    id: str
    measure: Measure
    detail: str | None = Field(
        description="What the measure needs: the policy, the traits, the cohort, or the share of leads."
    )
    where: str | None = Field(description="Which leads it is about, as CEL; null: all.")
    per: Period | None
    since: date = Field(description="The first date that it is about, in UTC.")
    until: date = Field(description="The last one; it is judged finally after it.")
    verdict: Verdict = Field(
        description="While its time lasts: ahead, on_track or behind; after it: met or missed. `too_few`: fewer than "
        "`at_least_n`. `unknown`: not computed, `why` says why. `not_begun`."
    )
    value: int | float | None = Field(
        description="What was counted; null: unknown, or of nothing. Times are rounded up as in `/v1/measures`, unless "
        "the target lies between two steps."
    )
    value_at_least: int | float | None = Field(
        description="Where the value is not known: what it cannot be below, such as the capacity of the dates that are "
        "known. A promise is kept where this reaches the target. Null: the value is known, or nothing of it."
    )
    is_at_most: bool = Field(description="Whether the target is the most that the value may be.")
    target: float = Field(description="Of the whole time, in `unit`.")
    due: float = Field(
        description="The part of the target that is due by now; of shares and times all of it."
    )
    unit: str = Field(description="leads, share (0 to 1), seconds, or the currency of an amount.")
    n: int = Field(
        description="From how many leads, answers or clocks the value is computed; of `capacity`, days of teams."
    )
    at_least_n: int
    why: str | None = Field(
        description="Why it is not judged, such as `too few (7)`; or why the value of a promise that is kept is not "
        "known."
    )
    working_days_passed: float = Field(
        description="In the calendar of the team; where it is about teams with several calendars, the mean."
    )
    working_days: float
    cannot_reach: str | None = Field(
        description="Why the quota is missed even if the promise is kept; null: it is not, or that is not known."
    )
    leads: str = Field(
        description="The path of the leads behind the value; of `capacity` that of the days of teams."
    )


class GoalOut(BaseModel):
    """What marketing must bring in a period of the quota, by the section `money`."""

    per: Period
    currency: str
    revenue: float = Field(description="quota times marketing's share.")
    average_deal: float | None = Field(description="As `close_rate`, of the expected customers.")
    close_rate: float | None = Field(
        description="By `money.value`; of several entries the mean over the leads of the period."
    )
    customers: float | None = Field(description="revenue ÷ average deal.")
    leads_needed: float | None = Field(description="customers ÷ close rate.")
    leads: int = Field(description="The qualified leads of the period that the means are of.")

    @classmethod
    def of(cls, goal: Goal | None) -> GoalOut | None:
        """The goal as it is answered."""
        return None if goal is None else cls(**asdict(goal))


class PromisesOut(BaseModel):
    """The promises of both sides in a report from `since` to `until`, both included, in UTC."""

    since: date
    until: date
    agreement_version: int | None = Field(
        description="The version in force at the end of the period, or now; null: none was."
    )
    items: list[PromiseOut] = Field(description="Marketing's promises, then those of sales.")
    goal: GoalOut | None = Field(description="Null where `money` has no quota.")
    parties: PartiesOut | None = Field(
        default=None, description="Who agreed; null where the version does not say."
    )


def router(policies: Policies[AlignmentPolicy]) -> APIRouter:
    """The route; `policies` has the agreement's versions."""
    routes = APIRouter()

    @routes.get("/promises", response_model=PromisesOut, responses=RESPONSES)
    def promises(
        request: Request,
        parameters: Annotated[PromiseParameters, Query()],
        session: Tx,
        now: Now,
        _: OpsOrRead,
    ) -> PromisesOut | Response:
        """What marketing and sales promised each other, and how each promise stands.

        A promise `per` week, month or quarter is about that of the last day of the report that is not after today, and
        is due in proportion to the working days that have passed. The others are about the period of the report.
        """
        report = promises_to_date(session, policies, parameters, now)
        if wants_csv(request, parameters.format):
            columns = ["agreement_version", *PromiseOut.model_fields]
            rows = [
                {"agreement_version": report.agreement_version, **dict(it)} for it in report.items
            ]
            return csv_response(request, "promises", columns, rows)
        return report

    return routes


def promises_to_date(
    session: Session,
    policies: Policies[AlignmentPolicy],
    parameters: PromiseParameters,
    now: datetime,
) -> PromisesOut:
    """Every promise of the version in force at the end of the period, or now, and the goal; raises BadPeriod."""
    first, last = _dates(session, policies, parameters, now)
    policy = policies.at(session, min(now, midnight(last + DAY)))
    if policy is None:
        return PromisesOut(since=first, until=last, agreement_version=None, items=[], goal=None)
    report = _Report(Reading(session, policies), policy, first, last, now)
    goal = _goal(report)
    return PromisesOut(
        since=first,
        until=last,
        agreement_version=policy.version,
        items=[_promise(report, side, promise, goal) for side, promise in policy.promises],
        goal=GoalOut.of(goal),
        parties=PartiesOut.of(policy.agreement.parties),
    )


@dataclass(frozen=True, slots=True)
class _Report:
    """What every promise of a report is computed from."""

    reading: Reading
    policy: AlignmentPolicy
    first: date
    last: date
    now: datetime


def _dates(
    session: Session,
    policies: Policies[AlignmentPolicy],
    parameters: PromiseParameters,
    now: datetime,
) -> tuple[date, date]:
    """The dates that are named; else this week or month, by how often the agreement is reviewed."""
    if parameters.names_dates:
        return parameters.dates(now)
    policy = policies.at(session, now)
    parties = None if policy is None else policy.agreement.parties
    is_monthly = parties is not None and parties.review == "monthly"
    return dates_around("month" if is_monthly else "week", now.astimezone(UTC).date())


def _promise(report: _Report, side: Side, promise: Promise, goal: Goal | None) -> PromiseOut:
    dates = promised_dates(promise.per, report.first, report.last, report.now)
    last = dates.last if promise.measure is Measure.CAPACITY else dates.counted
    subject = subject_of(promise, dates.first, last, report.now)
    groups, counted = groups_of(report.reading, Population(subject), promise.where)
    figure = figure_of(report.reading, Population(subject, groups=groups), report.policy)
    fields = () if groups is None else groups.fields
    calendars = report.policy.calendars_of(promise, fields, counted)
    days = working_days(calendars, dates.first, dates.last, dates.judged_at(report.now))
    judgement = judge(
        promise,
        figure,
        days,
        has_begun=dates.has_begun(report.now),
        is_over=dates.is_over(report.now),
    )
    return PromiseOut(
        side=side,
        id=promise.id,
        measure=promise.measure,
        detail=detail_of(promise),
        where=None if promise.where is None else promise.where.source,
        per=promise.per,
        since=dates.first,
        until=dates.last,
        verdict=judgement.verdict,
        value=figure.value,
        value_at_least=figure.at_least,
        is_at_most=promise.at_most is not None,
        target=target_of(promise),
        due=judgement.due,
        unit=figure.unit,
        n=figure.n,
        at_least_n=promise.at_least_n,
        why=judgement.why,
        working_days_passed=days.passed,
        working_days=days.total,
        cannot_reach=cannot_reach(promise, goal),
        leads=_link(promise, subject),
    )


def _link(promise: Promise, subject: Subject) -> str:
    """The path of what is behind the value."""
    if promise.measure is Measure.CAPACITY:
        return days_link(subject, where=promise.where)
    parameters = {"promise": promise.id, "since": subject.first, "until": subject.last}
    return f"{LEADS}?{urlencode(parameters)}"


def detail_of(promise: Promise) -> str | None:
    """What the measure of a promise needs besides its target, for people to read."""
    if promise.cohort is not None:
        return f"{promise.cohort / timedelta(days=1):g}d"
    if promise.p is not None:
        return f"p{100 * promise.p:g}"
    return promise.policy or " ".join(promise.traits) or None


def _goal(report: _Report) -> Goal | None:
    """The goal, weighted by the leads that qualified in the report's period."""
    money = report.policy.agreement.money
    if money is None:
        return None
    subject = Subject(Measured.QUALIFIED, report.first, report.last, report.now)
    fields = fields_read(it.when for it in money.value)
    counts = report.reading.groups(Population(subject).scope, fields)
    return goal_of(money, fields, counts)
