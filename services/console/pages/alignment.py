"""The page Alignment: what both sides promised and did; and the leads behind each of its figures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from typing import Any, Final

from services.console.apis import Apis, Gap, Refusal, Service, ServiceAway
from services.console.pages.page import READERS, Export, Page, Source, View
from services.console.report import attribution, funnel
from services.console.report.contents import (
    ATTRIBUTION,
    CAMPAIGNS,
    FUNNEL,
    LEADS,
    PROMISES,
    Question,
    overview,
    promises_of,
)
from services.console.report.meeting import agenda_of
from services.console.report.names import REPS, names_of
from services.console.report.periods import choices, week_of
from services.console.report.sections import LEADS_PATH, gap_section

PATH = "/alignment"
PERIOD: Final = ("period", "since", "until")
FILTERS: Final = ("team", "tier", "source", "campaign")
"""What narrows the funnel."""

FIGURE: Final = ("promise", "measure", "of", "kept")
"""What names a promise or a measure in place of a stage."""

ROWS = 25
"""Leads of one page: each name is a question to scoring."""


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
    """The period that the address names, or this week."""
    named = {name: view.query[name] for name in PERIOD if view.query.get(name)}
    return named or {"period": week_of(view.now.astimezone(UTC).date())}


async def _sections(apis: Apis, view: View, period: Mapping[str, str]) -> dict[str, Any]:
    by, credit = grouping(view)
    filters = {name: view.query[name] for name in FILTERS if view.query.get(name)}
    promised, done = await asyncio.gather(
        promises_of(apis, period), overview(apis, Question(period, by, credit, filters))
    )
    return {"sections": [*promised, *done], "by": by, "credit": credit, "period": period}


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
            promises_of(apis, period), agenda_of(apis, period, dates, view.now)
        )
        sections = [*promised, *talk]
    return {**values, "period": period, "sections": sections}


async def load_leads(apis: Apis, view: View) -> Mapping[str, Any]:
    """The leads behind a figure, with the names that scoring has."""
    query = {**narrowed_leads(view), "after": view.query.get("after"), "limit": ROWS}
    parts = await apis.parts(
        leads=apis.get(Service.ALIGNMENT, LEADS, **query), reps=apis.get(Service.ROUTING, REPS)
    )
    leads = parts["leads"]
    ids = [] if isinstance(leads, Gap) else [it["lead_id"] for it in leads["items"]]
    return {
        "leads": leads,
        "names": await lead_names(apis, ids),
        "rep_names": names_of(parts["reps"]),
        "stage": view.query.get("stage", "qualified"),
        "filters": _filters_text(view),
        "back": _back(view),
    }


async def lead_names(apis: Apis, ids: Sequence[str]) -> dict[str, str]:
    """What scoring calls each lead; erased leads, and all while scoring does not answer, have no name."""
    parts = await apis.parts(**{id_: _find_name(apis, id_) for id_ in set(ids)})
    return {id_: name for id_, name in parts.items() if isinstance(name, str)}


async def _find_name(apis: Apis, lead_id: str) -> str | None:
    try:
        lead = await apis.get(Service.SCORING, f"/v1/leads/{lead_id}")
    except (Refusal, ServiceAway):
        return None
    names = (lead["traits"].get("name"), lead["email"], lead["account"])
    return next((str(it) for it in names if it), None)


def narrowed_leads(view: View) -> dict[str, Any]:
    """The parameters of the list of leads; of what `unknown` names, those of which it is not known."""
    names = (*PERIOD, *funnel.GROUPS, *FIGURE, "stage")
    unknown = view.query.get("unknown", "").split(",")
    return {
        name: [""] if name in unknown and name in funnel.GROUPS else view.query.get(name)
        for name in names
    }


def _filters_text(view: View) -> list[str]:
    """What narrows the list, in words."""
    unknown = [it for it in view.query.get("unknown", "").split(",") if it in funnel.GROUPS]
    names = (*PERIOD, *funnel.GROUPS, *FIGURE)
    named = [f"{it} {view.query[it]}" for it in names if view.query.get(it)]
    return [*named, *(f"no {it}" for it in unknown)]


def _back(view: View) -> dict[str, str]:
    """The period of the list, for the link to the report that it is behind."""
    return {name: view.query[name] for name in PERIOD if view.query.get(name)}


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
    Page(
        path=LEADS_PATH,
        title="Leads behind a figure",
        template="alignment_leads.html",
        load=load_leads,
        scopes=READERS,
    ),
)
EXPORTS = (
    Export(f"{PATH}.csv", _source_of(FUNNEL), scopes=READERS),
    Export(f"{PATH}/attribution.csv", _source_of(ATTRIBUTION), scopes=READERS),
    Export(f"{PATH}/promises.csv", _source_of(PROMISES), scopes=READERS),
    Export(f"{PATH}/campaigns.csv", _source_of(CAMPAIGNS), scopes=READERS),
    Export(
        f"{LEADS_PATH}.csv",
        lambda view: Source(Service.ALIGNMENT, LEADS, narrowed_leads(view)),
        scopes=READERS,
    ),
)
