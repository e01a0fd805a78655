"""The page Alignment: what both sides promised and did; and the agenda of their meeting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date
from typing import Any, Final

from services.console.apis import Apis, Gap, Refusal, Service
from services.console.pages.page import READERS, Export, Page, Source, View
from services.console.report import attribution, funnel
from services.console.report.contents import (
    ATTRIBUTION,
    CAMPAIGNS,
    FUNNEL,
    PROMISES,
    Question,
    overview,
    promises_of,
)
from services.console.report.meeting import agenda_of
from services.console.report.periods import choices, week_of
from services.console.report.sections import gap_section

PATH = "/alignment"
PERIOD: Final = ("period", "since", "until")
FILTERS: Final = ("team", "tier", "source", "campaign")
"""What narrows the funnel."""

KEPT: Final = ("by", "credit", *FILTERS)


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The sections for the period of the address; a period that is none is refused in words."""
    values = {"choices": choices(view.now.astimezone(UTC).date()), "groups": funnel.GROUPS}
    values |= {"credits": attribution.GROUPS}
    try:
        return {**values, **await _sections(apis, view, period_of(view))}
    except Refusal as refusal:
        if refusal.http_status != 422:
            raise
        period = {"period": week_of(view.now.astimezone(UTC).date())}
        return {**values, **await _sections(apis, view, period), "refusal": refusal.message}


def period_of(view: View) -> dict[str, str]:
    """The period that the address names, or this week.

    The form sends a period and dates: the period counts where it is not the one that the form has `shown`.
    """
    named = {name: view.query[name] for name in PERIOD if view.query.get(name)}
    if "shown" in view.query and len(named) > 1:
        period = named.pop("period", "")
        named = named if period in {"", view.query["shown"]} else {"period": period}
    return named or {"period": week_of(view.now.astimezone(UTC).date())}


async def _sections(apis: Apis, view: View, period: Mapping[str, str]) -> dict[str, Any]:
    by, credit = grouping(view)
    filters = {name: view.query[name] for name in FILTERS if view.query.get(name)}
    promised, done = await asyncio.gather(
        promises_of(apis, period, view.now), overview(apis, Question(period, by, credit, filters))
    )
    return {
        "sections": [*promised, *done],
        "by": by,
        "credit": credit,
        "period": period,
        "kept": {**kept_of(view), **period},
        "report_address": view.url(shown=None),
    }


def kept_of(view: View) -> dict[str, str]:
    """What the report is grouped by and narrowed to: the agenda keeps it on the way there and back."""
    return {name: view.query[name] for name in KEPT if view.query.get(name)}


def grouping(view: View) -> tuple[str, str]:
    """What the funnel is grouped by, and what wins are credited to."""
    by, credit = view.query.get("by", ""), view.query.get("credit", "")
    return (
        by if by in funnel.GROUPS else funnel.GROUPS[0],
        credit if credit in attribution.GROUPS else attribution.GROUPS[0],
    )


async def load_agenda(apis: Apis, view: View) -> Mapping[str, Any]:
    """The agenda of the meeting on the period of the address."""
    today = view.now.astimezone(UTC).date()
    values = {"choices": choices(today), "refusal": ""}
    period = period_of(view)
    try:
        answer = await apis.parts(report=apis.get(Service.ALIGNMENT, FUNNEL, **period))
    except Refusal as refusal:
        if refusal.http_status != 422:
            raise
        period = {"period": week_of(today)}
        values["refusal"] = refusal.message
        answer = await apis.parts(report=apis.get(Service.ALIGNMENT, FUNNEL, **period))
    report = answer["report"]
    if isinstance(report, Gap):
        sections = [gap_section("agenda", "The agenda", report)]
    else:
        dates = (date.fromisoformat(report["since"]), date.fromisoformat(report["until"]))
        promised, talk = await asyncio.gather(
            promises_of(apis, period, view.now), agenda_of(apis, period, dates, view.now)
        )
        sections = [*promised, *talk]
    return {
        **values,
        "period": period,
        "sections": sections,
        "kept": kept_of(view) | period,
        "report_address": view.url(),
    }


def _source_of(path: str) -> Any:
    """A report on the period of the address, as a list."""

    def source(view: View) -> Source:
        by, credit = grouping(view)
        if path in (CAMPAIGNS, PROMISES):
            return Source(Service.ALIGNMENT, path, period_of(view))
        if path == ATTRIBUTION:
            return Source(Service.ALIGNMENT, path, {**period_of(view), "by": credit})
        filters = {name: view.query.get(name) for name in FILTERS}
        return Source(Service.ALIGNMENT, path, {**period_of(view), **filters, "by": by})

    return source


PAGES = (
    Page(
        path=PATH,
        title="Alignment",
        template="alignment.html",
        load=load,
        scopes=READERS,
        key="b",
    ),
    Page(
        path=f"{PATH}/agenda",
        title="The agenda",
        template="agenda.html",
        load=load_agenda,
        scopes=READERS,
    ),
)
EXPORTS = (
    Export(f"{PATH}.csv", _source_of(FUNNEL), scopes=READERS),
    Export(f"{PATH}/attribution.csv", _source_of(ATTRIBUTION), scopes=READERS),
    Export(f"{PATH}/promises.csv", _source_of(PROMISES), scopes=READERS),
    Export(f"{PATH}/campaigns.csv", _source_of(CAMPAIGNS), scopes=READERS),
)
