"""The report as a file: it loads nothing, fits and is accessible, in light and dark, on a phone and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from services.cli.processes import ALIGNMENT_API
from services.console.report import attribution, campaigns, funnel, trend
from services.console.report.file import Report, html_of
from services.console.report.periods import weeks_until
from tests.browser.people import Console
from tests.browser.watching import (
    DESKTOP,
    PHONE,
    axe_violations,
    overflow_px,
    take_screenshot,
)
from tests.builders import NOON
from tests.journey.world import until

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

PERIOD = {"period": "2026-W47"}
DATES = {"since": "2026-11-16", "until": "2026-11-22"}
PAPER = 1031
"""The width of A4, landscape, between its margins, in CSS pixels."""

HOSTILE = ("<img src=x onerror=alert(1)>" * 8)[:200], "x" * 200, "autumn_benchmark", None
"""Campaigns: HTML, one word of 200 letters, a usual one, and leads without one."""

OpenFile = Callable[..., Page]


@pytest.fixture
def open_file(browser: Browser) -> Iterator[OpenFile]:
    """Opens a file in a browser; what the page asks for besides itself fails the test."""
    requests: list[str] = []
    contexts: list[BrowserContext] = []

    def open_(file: Path, *, width: int = DESKTOP, scheme: Any = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [it for it in requests if not it.startswith(("file:", "data:"))] == []


@pytest.fixture(scope="module")
def files(console: Console, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The report and the agenda of the installation, and a report of hostile values."""
    folder = tmp_path_factory.mktemp("report")
    until(lambda: _won(console), why="alignment has read of a win")
    files = {name: folder / f"{name}.html" for name in ("report", "agenda", "hostile")}
    console.world.command("report", "--html", str(files["report"]))
    console.world.command("report", "--weekly", "--html", str(files["agenda"]))
    files["hostile"].write_text(html_of(hostile_report(), console_url=console.url))
    return files


def _won(console: Console) -> int:
    return int(console.world.get(ALIGNMENT_API, "/v1/alignment")["total"]["won"])


def hostile_report() -> Report:
    """A report of campaigns with long names that are HTML, and of amounts of a milliard."""
    groups = [_group(name, 10 ** (9 - 3 * number)) for number, name in enumerate(HOSTILE)]
    total = _group(None, 1_001_001_001)
    by_campaign = {"by": "campaign", **DATES, "total": total, "items": groups}
    models = dict.fromkeys(attribution.MODELS, 1000000000.0 / 3)
    credit = [{"group": name, "is_touched": True, "currency": "EUR", **models} for name in HOSTILE]
    weeks = {
        name: {**DATES, "total": _group(None, number * 7)}
        for number, name in enumerate(weeks_until(NOON.date(), trend.WEEKS))
    }
    sections = [
        funnel.funnel_section(by_campaign, PERIOD),
        funnel.rates_section(by_campaign, PERIOD),
        funnel.groups_section(by_campaign, PERIOD, {}),
        campaigns.campaigns_section(_campaigns()),
        attribution.attribution_section(
            {
                "by": "campaign",
                **DATES,
                "agreement_version": 3,
                "show": "w_shaped",
                "won": 4,
                "wins_without_amount": 1,
                "items": credit,
            }
        ),
        trend.trend_section(weeks),
    ]
    return Report("What both sides did", "2026-W47.", NOON, sections)


def _group(name: str | None, qualified: int) -> dict[str, Any]:
    counts = {"qualified": qualified, "assigned": qualified, "accepted": qualified // 2}
    counts |= {"rejected": qualified // 4, "contacted": qualified // 3, "won": qualified // 10}
    counts |= {"lost": qualified // 20, "recycled": qualified // 30, "merged": 0}
    return {
        "group": name,
        **counts,
        "first_version": 1,
        "last_version": 3,
        "acceptance_rate": 2 / 3,
        "contact_rate": 1 / 3,
        "win_rate": 0.1,
        "promises_met": counts["accepted"],
        "promises_broken": counts["rejected"],
        "attainment": 2 / 3,
        "revenue": [
            {"currency": "EUR", "amount": 1e9, "wins": 2},
            {"currency": "USD", "amount": 0.01, "wins": 1},
        ],
        "wins_without_amount": 1,
    }


def _campaigns() -> dict[str, Any]:
    costs = (1e9, None, 4_200.5, 0.0)
    items = [_campaign(name, cost) for name, cost in zip(HOSTILE, costs, strict=True)]
    return {
        **DATES,
        "agreement_version": 3,
        "currency": "EUR",
        "model": "w_shaped",
        "lifetime_value": None,
        "lifetime_not_computed": "no_terms",
        "campaigns": 5,
        "total": _campaign(None, 1e9),
        "items": items,
    }


def _campaign(name: str | None, cost: float | None) -> dict[str, Any]:
    reason = "no_spend" if cost is None else None
    return {
        "campaign": name,
        "qualified": 1_000,
        "rejected": 10,
        "won": 3,
        "attributed": 12_000.0,
        "attributed_apart": [{"currency": "CHF", "amount": 5.0}],
        "spend": cost,
        "spend_apart": [],
        "cost_per_qualified": None if cost is None else cost / 1_000,
        "cac": None if cost is None else cost / 3,
        "cost_not_computed": reason,
        "roi": 12_000 / cost - 1 if cost else None,
        "roi_not_computed": reason or ("no_cost" if cost == 0 else None),
    }


@pytest.mark.parametrize("name", ["report", "agenda", "hostile"])
@pytest.mark.parametrize(
    ("scheme", "width"),
    [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)],
    ids=["light", "dark", "phone", "dark phone"],
)
def test_a_report_is_accessible_and_fits(
    open_file: OpenFile, files: Mapping[str, Path], name: str, scheme: str, width: int
) -> None:
    page = open_file(files[name], width=width, scheme=scheme)
    take_screenshot(page, f"{name}-file-{scheme}-{width}")

    assert axe_violations(page) == []
    assert overflow_px(page) <= 0


@pytest.mark.parametrize("name", ["report", "agenda", "hostile"])
def test_a_report_prints_in_black_on_white(
    open_file: OpenFile, files: Mapping[str, Path], name: str
) -> None:
    page = open_file(files[name], width=PAPER, scheme="dark")
    page.emulate_media(media="print")
    take_screenshot(page, f"{name}-file-print")

    look = "(it => [it.color, it.backgroundColor])(getComputedStyle(document.documentElement))"
    assert page.evaluate(look) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0
