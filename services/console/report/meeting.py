"""What the agenda of the two teams' meeting asks of the APIs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

from services.console.apis import Apis, Gap, Service
from services.console.report import agenda
from services.console.report.contents import REJECTIONS, optional
from services.console.report.names import REPS, names_of
from services.console.report.sections import Section, gap_section

MAX_VERSIONS: Final = 500
"""So many versions of the agreement are looked at."""


async def agenda_of(
    apis: Apis, period: Mapping[str, str], dates: tuple[date, date], now: datetime
) -> list[Section]:
    """The sections of the meeting on the days from the first to the last of `dates`."""
    parts = await apis.parts(
        rejections=optional(_rejections(apis, period)),
        waiting=_oldest(apis, agenda.LIVE),
        untouched=_oldest(apis, ("accepted",)),
        breaches=_breaches(apis, dates),
        changes=_changes(apis, dates[0]),
        reps=optional(apis.get(Service.ROUTING, REPS)),
    )
    names = names_of(parts.pop("reps"))
    since, until = (it.isoformat() for it in dates)
    builders: Mapping[str, Callable[[Any], Section]] = {
        "rejections": lambda it: agenda.rejections_section(it, period),
        "waiting": lambda it: agenda.waiting_section(it, names, now),
        "untouched": lambda it: agenda.untouched_section(it, names, now),
        "breaches": lambda it: agenda.breaches_section(it, since, until),
        "changes": lambda it: agenda.changes_section(*it),
    }
    return [_section(name, parts[name], build) for name, build in builders.items()]


def _section(name: str, part: Any, build: Callable[[Any], Section]) -> Section:
    """The section of an answer, or what stands in its place."""
    return gap_section(name, agenda.TITLES[name], part) if isinstance(part, Gap) else build(part)


async def _rejections(apis: Apis, period: Mapping[str, str]) -> Any:
    """The campaigns of which sales rejected most leads."""
    limit = agenda.MAX_CAMPAIGNS
    return await apis.get(Service.ALIGNMENT, REJECTIONS, by="campaign", limit=limit, **period)


async def _oldest(apis: Apis, states: Sequence[str]) -> list[Mapping[str, Any]]:
    """The oldest handoffs in these states."""
    pages = await asyncio.gather(
        *(
            apis.get(
                Service.ROUTING,
                "/v1/handoffs",
                state=state,
                sort="oldest",
                limit=agenda.MAX_WAITING,
            )
            for state in states
        )
    )
    return [handoff for page in pages for handoff in page["items"]]


async def _breaches(apis: Apis, dates: tuple[date, date]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The SLA monitor's report on each kind of promise, by team."""
    since, until = (it.isoformat() for it in dates)
    reports = await asyncio.gather(
        *(
            apis.get(
                Service.SLA, "/v1/sla/attainment", by="team", kind=kind, since=since, until=until
            )
            for kind in agenda.KINDS
        )
    )
    return {kind: it["items"] for kind, it in zip(agenda.KINDS, reports, strict=True)}


async def _changes(
    apis: Apis, since: date
) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any] | None, datetime]:
    """The versions, newest first, how the newest differs from the one that held before `since`, and that instant."""
    midnight = datetime.combine(since, time(), UTC)
    page = await apis.get(Service.ROUTING, "/v1/agreement/versions", limit=MAX_VERSIONS)
    compared = agenda.versions_compared(page["items"], midnight)
    difference = None
    if compared is not None:
        ends = {"from": compared[0], "to": compared[1]}
        difference = await apis.get(Service.ROUTING, "/v1/agreement/diff", **ends)
    return page["items"], difference, midnight
