"""What a report asks of the APIs, and the sections that their answers make."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from services.console.apis import Apis, Gap, Refusal, Service
from services.console.report import attribution, campaigns, funnel, parties, promises, trend
from services.console.report.names import REPS, names_of
from services.console.report.sections import Section, gap_section

FUNNEL, LEADS, ATTRIBUTION = "/v1/alignment", "/v1/alignment/leads", "/v1/attribution"
REJECTIONS = "/v1/alignment/rejections"
CAMPAIGNS, PROMISES = "/v1/campaigns", "/v1/promises"
WINS = "/v1/attribution/wins"
"""The reports of alignment."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is about: its period, as the APIs' parameters, the groups, and what narrows the funnel."""

    period: Mapping[str, str]
    by: str = funnel.GROUPS[0]
    credit: str = attribution.GROUPS[0]
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def linked(self) -> Mapping[str, str]:
        """The parameters of the pages behind the figures of the funnel."""
        return {**self.period, **self.filters}

    @property
    def kept(self) -> Mapping[str, str]:
        """The parameters of the report itself, for links to it with another filter."""
        return {**self.linked, "by": self.by, "credit": self.credit}


async def promises_of(apis: Apis, period: Mapping[str, str], now: datetime) -> list[Section]:
    """The sections on who agreed, what each side promised, and what it did."""
    part = await apis.parts(promises=optional(apis.get(Service.ALIGNMENT, PROMISES, **period)))
    report = part["promises"]
    if isinstance(report, Gap):
        return [gap_section("promises", "What both sides promised", report)]
    today = now.astimezone(UTC).date()
    return [parties.parties_section(report, today), *promises.promises_sections(report)]


async def overview(apis: Apis, question: Question) -> list[Section]:
    """The sections on what became of the leads of a period."""
    parts = await apis.parts(
        funnel=apis.get(
            Service.ALIGNMENT, FUNNEL, by=question.by, **question.period, **question.filters
        ),
        attribution=optional(
            apis.get(Service.ALIGNMENT, ATTRIBUTION, by=question.credit, **question.period)
        ),
        campaigns=optional(apis.get(Service.ALIGNMENT, CAMPAIGNS, **question.period)),
        reps=optional(apis.get(Service.ROUTING, REPS)),
    )
    return [
        *_of_funnel(parts["funnel"], question, parts["reps"]),
        _of(
            partial(campaigns.campaigns_section, kept=question.kept),
            "campaigns",
            campaigns.TITLE,
            parts["campaigns"],
        ),
        _of(attribution.attribution_section, "attribution", "Attribution", parts["attribution"]),
    ]


async def trend_of(apis: Apis, weeks: Sequence[str]) -> Section:
    """The funnel from week to week."""
    reports = await apis.parts(
        **{it: apis.get(Service.ALIGNMENT, FUNNEL, by="tier", period=it) for it in weeks}
    )
    gap = next((it for it in reports.values() if isinstance(it, Gap)), None)
    return _of(trend.trend_section, "trend", "From week to week", gap or reports)


async def optional(call: Awaitable[Any]) -> Any:
    """The answer of an API; a Gap where this version of the service has no such report, or refuses this one."""
    try:
        return await call
    except Refusal as refusal:
        if refusal.http_status == 404:
            return Gap(
                "the alignment service of this installation has no such report yet: upgrade it"
            )
        if refusal.http_status == 422:
            return Gap(refusal.message)
        raise


def _of(build: Any, id_: str, title: str, part: Any) -> Section:
    """The section of an answer, or what stands in its place."""
    return gap_section(id_, title, part) if isinstance(part, Gap) else build(part)


def _of_funnel(part: Any, question: Question, reps: Any) -> list[Section]:
    if isinstance(part, Gap):
        return [gap_section("funnel", "The funnel", part)]
    names = names_of(reps) if question.by == "rep" else {}
    return [
        funnel.funnel_section(part, question.linked),
        funnel.rates_section(part, question.linked),
        funnel.groups_section(part, question.linked, names),
    ]
