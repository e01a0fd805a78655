"""Every measure of a period, without targets: what marketing and sales did, and the leads behind each figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.capacity_figures import days_link
from services.alignment.api.figures import business_figure, figure_of, rejection_reasons
from services.alignment.api.narrowing import Narrowing
from services.alignment.api.parameters import KEY_ERRORS, Parameters
from services.alignment.api.reading import Reading
from services.alignment.domain.conditions import BadCondition
from services.alignment.domain.measures import Measured, Subject
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.promised_dates import DAY, midnight
from services.alignment.queries.populations import Population
from shared.agreement.model import Measure
from shared.agreement.store import Policies
from shared.http.csv_tables import CSV_RESPONSE, csv_response, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.parameters import EmptyRange
from shared.http.problems import InvalidRequest, problems

RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, InvalidRequest, EmptyRange, BadPeriod, BadCondition),
}
LEADS = "/v1/alignment/leads"
MAX_ROWS = 50
"""So many policies, reasons, sets of traits and cohorts have a figure."""
COHORT = timedelta(days=90)
Hours = Literal["wall", "business"]


class FigureOut(BaseModel):
    """One measure of the period."""

    measure: Measured
    of: str | None = Field(
        description="What the measure is of: a policy, traits, a reason, a cohort; null: it needs nothing."
    )
    p: float | None = Field(
        description="Of times: the share of them that were not longer than the value."
    )
    hours: Hours | None = Field(
        description="Of times: `wall`, or `business` hours in the calendars of the teams, by the version of the "
        "agreement under which the lead qualified."
    )
    value: int | float | None = Field(
        description="Null: unknown, or of nothing; `why` says which. Times are rounded up: to a second up to two "
        "minutes, to 5 up to ten, to 30 up to an hour, to a minute up to six hours, to 5 minutes up to a day, to half "
        "an hour up to a week, to two hours up to 30 days, to a day beyond."
    )
    value_at_least: int | float | None = Field(
        description="Where the value is not known: what it cannot be below, such as the capacity of the dates that are "
        "known; null: the value is known, or nothing of it."
    )
    unit: str = Field(
        description="leads, share (0 to 1), seconds, attempts, or the currency of an amount."
    )
    n: int = Field(
        description="From how many leads, answers or clocks the value is computed; of `capacity`, days of teams."
    )
    why: str | None
    leads: str = Field(
        description="The path of the leads that it is computed from; of `capacity` that of the days of teams."
    )


class MeasuresOut(BaseModel):
    """The measures of a period from `since` to `until`, both included, in UTC."""

    since: date
    until: date
    agreement_version: int | None = Field(
        description="The version in force at the end of the period, or now, whose policies, values, traits and "
        "calendars these figures use; null: none was, and there are no figures."
    )
    items: list[FigureOut]


def router(policies: Policies[AlignmentPolicy]) -> APIRouter:
    """The route; `policies` has the agreement's versions."""
    routes = APIRouter()

    @routes.get("/measures", response_model=MeasuresOut, responses=RESPONSES)
    def measures(
        request: Request,
        parameters: Annotated[Parameters, Query()],
        session: Tx,
        now: Now,
        _: OpsOrRead,
    ) -> MeasuresOut | Response:
        """Every measure of the leads that qualified in a period, whether something was promised about it or not.

        Attainment counts clocks by the date on which they were due.
        """
        report = measures_of(session, policies, parameters, now)
        if wants_csv(request, parameters.format):
            columns = ["since", "until", "agreement_version", *FigureOut.model_fields]
            same = report.model_dump(exclude={"items"})
            return csv_response(
                request, "measures", columns, [{**same, **dict(it)} for it in report.items]
            )
        return report

    return routes


def measures_of(
    session: Session,
    policies: Policies[AlignmentPolicy],
    parameters: Parameters,
    now: datetime,
) -> MeasuresOut:
    """Every measure, by the version of the agreement in force at the end of the period, or now; raises BadPeriod."""
    first, last = parameters.dates(now)
    policy = policies.at(session, min(now, midnight(last + DAY)))
    if policy is None:
        return MeasuresOut(since=first, until=last, agreement_version=None, items=[])
    reading = Reading(session, policies)
    subject = Subject(Measured.QUALIFIED, first, last, now)
    narrowing = Narrowing(reading, parameters)
    report = _Report(reading, policy, subject, narrowing, _link(parameters, first, last))
    return MeasuresOut(
        since=first,
        until=last,
        agreement_version=policy.version,
        items=[_item(report, row) for row in _rows(report)],
    )


@dataclass(frozen=True, slots=True)
class _Report:
    """What every figure is computed from; `link` has the parameters of its leads."""

    reading: Reading
    policy: AlignmentPolicy
    subject: Subject
    narrowing: Narrowing
    link: dict[str, Any]

    def population(self, subject: Subject) -> Population:
        """What a figure of the report counts; raises BadCondition."""
        return Population(subject, self.narrowing.filters(subject))


@dataclass(frozen=True, slots=True)
class _Row:
    """One figure of the report."""

    subject: Subject
    of: str | None = None
    hours: Hours | None = None


def _rows(report: _Report) -> Iterator[_Row]:
    """The subject of every figure, in the order of the report."""
    subject = report.subject
    for measure in Measured:
        of_measure = replace(subject, measure=measure)
        match measure:
            case Measured.QUALIFIED_VALUE if report.policy.agreement.money is None:
                continue
            case Measured.HANDOVER_TIME:
                yield from _percentiles(of_measure, (0.5, 0.95), ("wall",))
            case Measured.ATTEMPTS_SPREAD:
                yield from _percentiles(of_measure, (0.5, 0.9), ("wall",))
            case Measured.TIME_TO_ACCEPT | Measured.TIME_TO_CONTACT | Measured.TIME_TO_WIN:
                yield from _percentiles(of_measure, (0.5, 0.9), ("wall", "business"))
            case _:
                yield from _details(report, of_measure)


def _percentiles(
    subject: Subject, shares: tuple[float, ...], hours: tuple[Hours, ...]
) -> Iterator[_Row]:
    for kind in hours:
        for p in shares:
            yield _Row(replace(subject, p=p), hours=kind)


def _details(report: _Report, subject: Subject) -> list[_Row]:
    """A row for each thing that the measure may be of; one if it needs nothing."""
    agreement = report.policy.agreement
    promises = [it for _, it in report.policy.promises]
    match subject.measure:
        case Measured.REJECTED_SHARE:
            reasons = rejection_reasons(report.reading, report.population(subject))[:MAX_ROWS]
            return [_Row(replace(subject, reason=it), it) for it in reasons]
        case Measured.ATTAINMENT:
            ids = [it.id for it in agreement.sla.policies[:MAX_ROWS]]
            return [_Row(replace(subject, policy=it), it) for it in ids]
        case Measured.COMPLETENESS:
            of_promises = [it.traits for it in promises if it.measure is Measure.COMPLETENESS]
            sets = list(dict.fromkeys(of_promises))[:MAX_ROWS]
            return [_Row(replace(subject, traits=it), " ".join(it)) for it in sets]
        case Measured.WIN_RATE:
            cohorts = dict.fromkeys(it.cohort for it in promises if it.cohort is not None)
            return [
                _Row(replace(subject, cohort=it), f"{it / DAY:g}d")
                for it in list(cohorts)[:MAX_ROWS] or [COHORT]
            ]
    return [_Row(subject)]


def _item(report: _Report, row: _Row) -> FigureOut:
    population = report.population(row.subject)
    figure = (
        business_figure(report.reading, population)
        if row.hours == "business"
        else figure_of(report.reading, population, report.policy)
    )
    return FigureOut(
        measure=row.subject.measure,
        of=row.of,
        p=row.subject.p,
        hours=row.hours,
        value=figure.value,
        value_at_least=figure.at_least,
        unit=figure.unit,
        n=figure.n,
        why=figure.why,
        leads=_path(report, row),
    )


def _path(report: _Report, row: _Row) -> str:
    """The path of what is behind a figure."""
    if row.subject.measure is Measured.CAPACITY:
        return days_link(
            row.subject, team=report.link.get("team"), where=report.narrowing.condition
        )
    of = {} if row.of is None else {"of": row.of}
    parameters = {"measure": row.subject.measure.value, **of, **report.link}
    return f"{LEADS}?{urlencode(parameters)}"


def _link(parameters: Parameters, first: date, last: date) -> dict[str, Any]:
    """The parameters that select the same leads, the dates among them."""
    dates = {"period", "since", "until", "format"}
    facts = parameters.model_dump(exclude=dates, exclude_none=True)
    return {**facts, "since": first, "until": last}
