"""What is behind the cost of a campaign: a page of all periods and versions."""

from __future__ import annotations

from collections.abc import Iterator
from csv import DictReader
from io import StringIO

import pytest

from services.alignment.domain.spend import Amount, SpendEntry
from services.alignment.handlers.spend import record_spend
from shared.db.session import Sessions
from tests.builders import NOON
from tests.services.console.site import RunningConsole, running_console
from tests.services.console.test_alignment import page_of, text_of

pytestmark = pytest.mark.postgres

CAMPAIGN = "spring/2026 & <b>"


@pytest.fixture(scope="module")
def console(module_sessions: Sessions) -> Iterator[RunningConsole]:
    """The console where the cost of a campaign was corrected once, and is unknown of another period."""
    entries = [
        SpendEntry(CAMPAIGN, "2026-11", Amount(420_050, "EUR"), 1),
        SpendEntry(CAMPAIGN, "2026-11", Amount(400_000, "EUR"), 2),
        SpendEntry(CAMPAIGN, "2026-10", None, 1),
    ]
    with module_sessions.begin() as session:
        for entry in entries:
            record_spend(session, [entry], now=NOON)
    with running_console(module_sessions, now=NOON) as console:
        yield console


def test_all_versions_of_a_campaign_are_listed_and_the_latest_counts(
    console: RunningConsole,
) -> None:
    text = text_of(page_of(console, "/alignment/spend", campaign=CAMPAIGN))

    assert "2026-11 2026-11-01 to 2026-11-30 4,000.00 EUR 2 yes" in text
    assert "2026-11 2026-11-01 to 2026-11-30 4,200.50 EUR 1 no" in text
    assert "2026-10 2026-10-01 to 2026-10-31 not known any more 1 yes" in text


def test_the_cost_in_the_report_opens_it(console: RunningConsole) -> None:
    page = page_of(console, "/alignment", period="2026-11")

    assert "&amp;campaign=spring%2F2026+%26+%3Cb%3E" in page.text
    days = {"since": "2026-11-01", "until": "2026-11-30"}
    for narrowed in ({}, {"campaign": CAMPAIGN}):
        opened = page_of(console, "/alignment/spend", **days, **narrowed)
        assert "2026-11 2026-11-01 to 2026-11-30 4,000.00 EUR 2,400.00 EUR 2" in text_of(opened)
        assert "/alignment/spend?campaign=spring%2F2026+%26+%3Cb%3E" in opened.text


def test_a_cost_as_a_file_has_what_the_page_has(console: RunningConsole) -> None:
    days = {"since": "2026-11-10", "until": "2026-11-12"}
    parts = rows_of(page_of(console, "/alignment/spend.csv", **days).text)
    versions = rows_of(page_of(console, "/alignment/spend.csv", campaign=CAMPAIGN).text)

    assert [(it["campaign"], it["counted"]) for it in parts] == [(CAMPAIGN, "400.0")]
    assert [(it["period"], it["version"]) for it in versions] == [
        ("2026-11", "2"), ("2026-11", "1"), ("2026-10", "1"),
    ]  # fmt: skip


def test_a_period_that_is_none_is_refused_in_words(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/alignment/spend", params={"period": "2026-W60"})

    assert page.status_code == 422
    assert "has no week 60" in page.text


def rows_of(text: str) -> list[dict[str, str]]:
    return list(DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("query", [{}, {"campaign": ""}, {"campaign": "nothing"}])
def test_without_periods_it_says_where_they_come_from(
    console: RunningConsole, query: dict[str, str]
) -> None:
    text = text_of(page_of(console, "/alignment/spend", **query))

    assert "leadbaton campaigns import FILE" in text
