"""What a report asks of the APIs: a part that is missing is named in its place, and the rest is as it should be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.console.apis import Connections, Refusal, Service
from services.console.live import Channels
from services.console.pages.alignment import load
from services.console.pages.page import View
from services.console.report.contents import Question, overview, promises_of, trend_of
from services.console.report.meeting import agenda_of
from services.console.report.sections import Section
from services.console.sessions import Visitor
from tests.builders import NOON
from tests.engine import PATIENCE_S
from tests.services.console.site import NOWHERE, PATIENT
from tests.serving import serving

DATES = {"since": "2026-11-16", "until": "2026-11-22"}
WEEK = (date(2026, 11, 16), date(2026, 11, 22))
PERIOD = {"period": "2026-W47"}
STAGES = ("qualified", "assigned", "accepted", "rejected", "contacted", "won", "lost", "recycled")
OTHER_COUNTS = ("merged", "promises_met", "promises_broken", "wins_without_amount")
COUNTS = dict.fromkeys((*STAGES, *OTHER_COUNTS), 3)
RATES = dict.fromkeys(("acceptance_rate", "contact_rate", "win_rate", "attainment"))
GROUP: dict[str, Any] = {
    "group": "autumn",
    "first_version": 1,
    "last_version": 1,
    **COUNTS,
    **RATES,
    "revenue": [],
}
NOTHING: dict[str, Any] = {"items": [], "next": None}


class Api:
    """Every API in one: what it answers by the path; a path that is not there is no route."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "/v1/alignment": {"by": "campaign", **DATES, "total": GROUP, "items": [GROUP]},
            "/v1/alignment/rejections": {"total": COUNTS, "items": [], "others": None},
            "/v1/reps/names": NOTHING,
            "/v1/handoffs": NOTHING,
            "/v1/sla/attainment": NOTHING,
            "/v1/agreement/versions": NOTHING,
        }
        self.problems: dict[str, int] = {}
        """The status of paths that fail."""
        self.together: Barrier | None = None
        """At which so many requests wait for each other."""
        self.app = FastAPI()
        self.app.state.streams = Channels()
        self.app.add_api_route("/v1/{path:path}", self.answer, methods=["GET"])

    def answer(self, request: Request) -> Response:
        """The answer at the path."""
        path = request.url.path
        if self.together is not None:
            self.together.wait(PATIENCE_S)
        if path in self.problems:
            status = self.problems[path]
            return JSONResponse({"code": "x", "message": f"{status} here"}, status)
        if path in self.answers:
            return JSONResponse(self.answers[path])
        return JSONResponse({"code": "not_found", "message": "no such route"}, 404)


@pytest.fixture(scope="module")
def api() -> Api:
    return Api()


@pytest.fixture(scope="module")
def connections(api: Api) -> Iterator[dict[Service, str]]:
    """Where the APIs are."""
    with serving(api.app) as url:
        yield dict.fromkeys(Service, url)


def _run(urls: dict[Service, str], read: Any) -> Any:
    return asyncio.run(_sections(urls, read))


async def _sections(urls: dict[Service, str], read: Any) -> Any:
    connections = Connections(urls, timeout=PATIENT)
    try:
        return await read(connections.apis("k"))
    finally:
        await connections.close()


def sections(urls: dict[Service, str], read: Any) -> dict[str, Section]:
    """The sections by their ids."""
    return {it.id: it for it in _run(urls, read)}


def test_a_report_that_this_version_does_not_have_is_named(connections: dict[Service, str]) -> None:
    by_id = sections(connections, lambda apis: overview(apis, Question(PERIOD)))

    for name in ("campaigns", "attribution"):
        assert by_id[name].gap.endswith("has no such report yet: upgrade it")
    assert len(by_id["funnel"].rows) == 11
    [promised] = sections(connections, lambda apis: promises_of(apis, PERIOD, NOON)).values()
    assert "upgrade it" in promised.gap


def test_a_part_that_refuses_the_period_says_why(api: Api, connections: dict[Service, str]) -> None:
    api.problems["/v1/attribution"] = 422
    api.problems["/v1/campaigns"] = 500
    try:
        by_id = sections(connections, lambda apis: overview(apis, Question(PERIOD)))
    finally:
        api.problems.clear()

    assert by_id["attribution"].gap == "422 here"
    assert by_id["campaigns"].gap == "500 here"
    assert not by_id["funnel"].gap


def test_all_reports_of_the_page_are_asked_for_at_once(
    api: Api, connections: dict[Service, str]
) -> None:
    api.together = Barrier(5)  # the promises, the funnel, attribution, campaigns, the names of reps
    view = View(
        "/alignment", {}, PERIOD, Visitor("k", "ops", "olga", 0.0, "n"), NOON, ZoneInfo("UTC")
    )
    try:
        values = _run(connections, lambda apis: load(apis, view))
    finally:
        api.together = None

    assert [it.id for it in values["sections"]][:2] == ["promises", "funnel"]


def test_another_refusal_is_no_gap(api: Api, connections: dict[Service, str]) -> None:
    before = api.answers.pop("/v1/alignment")
    try:
        with pytest.raises(Refusal, match="no such route"):
            sections(connections, lambda apis: overview(apis, Question(PERIOD)))
    finally:
        api.answers["/v1/alignment"] = before


def test_an_agenda_of_an_older_alignment_service_lacks_the_rejections(
    api: Api, connections: dict[Service, str]
) -> None:
    before = api.answers.pop("/v1/alignment/rejections")
    try:
        by_id = sections(connections, lambda apis: agenda_of(apis, PERIOD, WEEK, NOON))
    finally:
        api.answers["/v1/alignment/rejections"] = before

    assert list(by_id) == ["rejections", "waiting", "untouched", "breaches", "changes"]
    assert [name for name, it in by_id.items() if it.gap] == ["rejections"]
    assert "upgrade it" in by_id["rejections"].gap


@pytest.mark.parametrize("away", list(Service))
def test_a_service_that_is_away_is_named_in_its_sections(
    connections: dict[Service, str], away: Service
) -> None:
    urls = {**connections, away: NOWHERE}
    agenda = sections(urls, lambda apis: agenda_of(apis, PERIOD, WEEK, NOON))
    trend = asyncio.run(_sections(urls, lambda apis: trend_of(apis, ["2026-W46", "2026-W47"])))

    missing = {
        Service.SCORING: [],
        Service.ROUTING: ["waiting", "untouched", "changes"],
        Service.SLA: ["breaches"],
        Service.ALIGNMENT: ["rejections"],
    }
    assert [name for name, it in agenda.items() if it.gap] == missing[away]
    assert bool(trend.gap) is (away is Service.ALIGNMENT)


def test_the_weeks_are_rows_with_a_line_each_for_three_stages(
    connections: dict[Service, str],
) -> None:
    weeks = ["2026-W46", "2026-W47"]
    section = asyncio.run(_sections(connections, lambda apis: trend_of(apis, weeks)))

    assert [row[0].text[:8] for row in section.rows] == weeks
    assert section.picture.count("<polyline") == 3
    assert section.rows[1][1].href == "/alignment/leads?period=2026-W47&stage=qualified"
