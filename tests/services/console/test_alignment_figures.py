"""Every figure of the page Alignment and of its agenda opens the leads that it counts, or the wins that it adds up."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from csv import DictReader
from io import StringIO
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from services.console.apis import Service
from services.console.report.funnel import GROUPS
from shared.agreement.store import publish
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, days
from tests.engine import PATIENCE_S
from tests.seeds import random_of
from tests.services.alignment.builders import lead_touched, numbered, qualified, read, step
from tests.services.alignment.histories import BEGIN, agreement, random_stories
from tests.services.console.site import RunningConsole, running_console

pytestmark = pytest.mark.postgres

COUNT = re.compile(r"(?:.* )?(\d+)")
SHARE = re.compile(r"([\d.]+)%")
AMOUNT = re.compile(r"([\d.]+) ([A-Z]{3})")
WINS = 12


class Figure(NamedTuple):
    """A figure of a page, and the address behind it."""

    text: str
    address: str

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address."""
        return dict(parse_qsl(urlsplit(self.address).query, keep_blank_values=True))


@pytest.fixture(scope="module")
def console(module_sessions: Sessions) -> Iterator[RunningConsole]:
    """Random histories of eight weeks, and wins in two currencies whose leads have several touches."""
    money = {"rates": {"USD": 0.5}, "gross_margin": 0.5, "monthly_churn": 0.1}
    with module_sessions.begin() as session:
        sections = agreement(50, **money)
        publish(session, json.dumps(sections), by="test", now=BEGIN)
        for story in random_stories(random_of(3), 70, "figures"):
            read(session, *story.news)
        for number in range(WINS):
            lead: dict[str, Any] = {"lead": f"won {number}", "qualified_at": NOON - days(number)}
            currency = "EUR" if number % 2 else "USD"
            won = step(Change.WON, 9, amount=100.01 + number, currency=currency, **lead)
            read(session, qualified(lead["lead"], at=lead["qualified_at"]))
            read(session, *numbered(step(Change.ASSIGNED, **lead), won))
            read(session, lead_touched("spring", None, "autumn", lead=lead["lead"]))
    with running_console(module_sessions, now=NOON + days(1)) as console:
        put_spend(console)
        yield console


def put_spend(console: RunningConsole) -> None:
    """What the campaigns cost in November."""
    for campaign, amount in (("autumn", 500), ("spring", 40)):
        answer = httpx.put(
            f"{console.urls[Service.ALIGNMENT]}/v1/campaigns/{campaign}/spend",
            json={"period": "2026-11", "amount": amount, "currency": "EUR"},
            headers={"authorization": f"Bearer {console.keys['ops']}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text


def figures_of(client: httpx.Client, path: str, **query: str) -> list[Figure]:
    """The figures of the page that lead to leads, to wins or to spend."""
    page = client.get(path, params=query)
    end_s = monotonic() + 3 * PATIENCE_S
    while "does not answer" in page.text and monotonic() < end_s:  # the console waits for 10 s
        page = client.get(path, params=query)
    assert page.status_code == 200, page.text
    links = re.findall(r'<a href="(/alignment/(?:leads|wins|spend)\?[^"]*)">([^<]*)</a>', page.text)
    return [
        Figure(html.unescape(text).replace("\u2009", ""), html.unescape(at)) for at, text in links
    ]


def rows_at(client: httpx.Client, figure: Figure, **changes: str | None) -> list[Mapping[str, str]]:
    """All rows of the list behind the figure, as its file has them, with some parameters changed."""
    split = urlsplit(figure.address)
    query = {**figure.query, **changes}
    kept = {name: value for name, value in query.items() if value is not None}
    answer = client.get(f"{split.path}.csv?{urlencode(kept)}")
    assert answer.status_code == 200, answer.text
    return list(DictReader(StringIO(answer.text.removeprefix("\ufeff"), newline="")))


def counted(rows: list[Mapping[str, str]]) -> int:
    return sum(int(it["counted"]) for it in rows)


def check_leads(client: httpx.Client, figure: Figure) -> None:
    """The leads behind a count are as many; those behind a share are that share of all; amounts are sums of theirs."""
    rows = rows_at(client, figure)
    assert rows, figure
    if match := SHARE.fullmatch(figure.text):
        whole = counted(rows_at(client, figure, **_of_all(figure)))
        assert round(100 * counted(rows) / whole, 1) == float(match[1]), figure
    elif match := COUNT.fullmatch(figure.text):
        assert counted(rows) == int(match[1]), figure
    elif figure.query.get("stage") == "won" and "counted_by" not in figure.query:
        sums = {currency: amount for amount, currency in AMOUNT.findall(figure.text)}
        for currency, amount in sums.items():
            cents = sum(_cents(it["amount"]) for it in rows if it["currency"] == currency)
            assert cents == _cents(amount), figure


def _of_all(figure: Figure) -> dict[str, str | None]:
    """The changes of the parameters that make a list that of all of which a figure is a share."""
    if "promises" in figure.query:
        return {"promises": "any"}
    if "kept" in figure.query:
        return {"kept": None}
    return {"stage": "qualified"}


def check_wins(client: httpx.Client, figure: Figure) -> None:
    """The credit of the wins sums to the figure: in its currency, or by the rates of the agreement."""
    rows = rows_at(client, figure)
    assert rows, figure
    rates = {"EUR": 1.0, "USD": 0.5}
    match = AMOUNT.fullmatch(figure.text)
    if match:
        total = sum(float(it["credit"]) * rates[it["currency"]] for it in rows)
        assert total == pytest.approx(float(match[1]), abs=0.02), figure
    elif not SHARE.search(figure.text):
        assert sum(_cents(it["credit"]) for it in rows) == _cents(figure.text), figure


def check_spend(client: httpx.Client, figure: Figure) -> None:
    """The amounts of the days sum to the cost."""
    rows = rows_at(client, figure)
    assert rows, figure
    [(cost, currency)] = AMOUNT.findall(figure.text)
    assert {it["currency"] for it in rows} == {currency}
    assert sum(_cents(it["counted"]) for it in rows) == _cents(cost), figure


def _cents(amount: str) -> int:
    return round(100 * float(amount)) if amount else 0


CHECKS: Mapping[str, Callable[[httpx.Client, Figure], None]] = {
    "/alignment/leads": check_leads,
    "/alignment/wins": check_wins,
    "/alignment/spend": check_spend,
}


def check(client: httpx.Client, figures: list[Figure]) -> None:
    for figure in dict.fromkeys(figures):
        CHECKS[urlsplit(figure.address).path](client, figure)


@pytest.mark.parametrize("by", GROUPS)
def test_each_figure_of_the_report_opens_what_it_counts(console: RunningConsole, by: str) -> None:
    with console.visit() as client:
        figures = figures_of(client, "/alignment", period="2026-11", by=by, credit="campaign")
        check(client, figures)

    assert len(figures) > 80
    assert any(it.query.get("promise") for it in figures)
    assert any(it.query.get("counted_by") for it in figures)
    spend = [it for it in figures if it.address.startswith("/alignment/spend")]
    assert {it.query.get("campaign") for it in spend} == {"autumn", "spring", None}


@pytest.mark.parametrize(
    "query",
    [
        {"period": "2026-Q4", "credit": "channel"},
        {"since": "2026-10-20", "until": "2026-11-10"},
        {"period": "2026-11", "team": "emea", "by": "rep"},
        {"period": "2026-11", "campaign": "autumn", "tier": "standard", "by": "source"},
    ],
    ids=["quarter", "dates", "a team", "filters"],
)
def test_figures_of_a_narrowed_report_open_what_they_count(
    console: RunningConsole, query: dict[str, str]
) -> None:
    with console.visit() as client:
        check(client, figures_of(client, "/alignment", **query))


def test_each_figure_of_the_agenda_opens_what_it_counts(console: RunningConsole) -> None:
    with console.visit() as client:
        figures = figures_of(client, "/alignment/agenda", period="2026-11")
        check(client, figures)

    reasons = [it for it in figures if it.query.get("measure") == "rejected_share"]
    assert {it.query["of"] for it in reasons} >= {"student", ""}


def test_a_list_leads_to_the_other_parts_of_its_figure(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/alignment/leads?period=2026-11&promises=met")
        links = re.findall(
            r'<a href="([^"]*)"( aria-current="true")?>(Kept|Broken|Kept or broken)<', page.text
        )
        promise = client.get("/alignment/leads?period=2026-11&promise=quality&kept=false")

    assert [title for _, current, title in links if current] == ["Kept"]
    assert "about which promises of sales were kept" in page.text
    assert "Leads behind the promise quality" in promise.text
    assert "only those that do not" in promise.text


def test_the_list_of_wins_says_what_they_sum_to(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/alignment/wins?period=2026-11&by=campaign&group=autumn&model=last")
        unknown = client.get("/alignment/wins?period=2026-11&group=&touched=false")
        nothing = client.get("/alignment/wins?period=2026-01")
        answer = httpx.get(
            f"{console.urls[Service.ALIGNMENT]}/v1/attribution/wins",
            params={"period": "2026-11", "limit": 5},
            headers={"authorization": f"Bearer {console.keys['read']}"},
            timeout=30,
        )
        second = client.get(f"/alignment/wins?period=2026-11&after={answer.json()['next']}")

    text = html.unescape(re.sub(r"<[^>]+>", "", page.text))
    assert f"{WINS} wins, credited with" in text
    assert "by the model Last." in text
    assert page.text.count('<tr id="win-') == WINS
    assert "no touch in the window" in unknown.text
    assert "No win is behind this figure." in nothing.text
    assert "credited with" not in second.text
    assert '<tr id="win-' in second.text
