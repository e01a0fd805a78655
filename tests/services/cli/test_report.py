"""`leadbaton report`: sections in the terminal, one HTML file, and what is said when a part is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from services.alignment.queries.selection import GroupBy
from services.cli.report import AGENDA_TITLE, KEY_IS_VALID_FOR, OWN_SUBJECT, TITLE
from services.console.apis import Service
from services.console.report.funnel import GROUPS
from services.console.report.sections import NONE
from shared.agreement.store import publish
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.auth.queries import keys
from shared.clock import utc_now
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS
from tests.commands import leadbaton
from tests.services.alignment.builders import numbered, qualified, read, step
from tests.services.console.site import NOWHERE, RunningConsole, running_console

pytestmark = pytest.mark.postgres

WEEK = ("--period", "2026-W47")
VARIABLES = {
    Service.SCORING: "LEADBATON_SCORING_URL",
    Service.ROUTING: "LEADBATON_ROUTING_URL",
    Service.SLA: "LEADBATON_SLA_URL",
    Service.ALIGNMENT: "LEADBATON_ALIGNMENT_URL",
}


@dataclass(frozen=True, slots=True)
class Reporter:
    """Runs the command on a database and the APIs before it."""

    console: RunningConsole

    @property
    def database(self) -> dict[str, str]:
        """The variable that names the database."""
        url = self.console.sessions.kw["bind"].url
        return {"LEADBATON_DATABASE_URL": url.render_as_string(hide_password=False)}

    @property
    def apis(self) -> dict[str, str]:
        """The variables that say where the APIs are."""
        return {VARIABLES[service]: url for service, url in self.console.urls.items()}

    def run(self, *arguments: str, **environment: str) -> CompletedProcess[str]:
        """The command's output and end."""
        variables = {"COLUMNS": "250", **self.apis, **self.database, **environment}
        return leadbaton("report", *arguments, **variables)

    def text(self, *arguments: str, **environment: str) -> str:
        """What the command prints, with single blanks."""
        result = self.run(*arguments, **environment)
        assert result.returncode == 0, result.stderr
        return " ".join(result.stdout.split())


@pytest.fixture(scope="module")
def reporter(module_sessions: Sessions) -> Iterator[Reporter]:
    """Ada was won in the week 47, and Emmy rejected; no agreement is published."""
    with module_sessions.begin() as session:
        won = step(Change.WON, 9, lead="ada", amount=1_000.0, currency="EUR")
        ada = numbered(step(Change.ASSIGNED, lead="ada"), won)
        rejected = step(Change.REJECTED, 9, lead="emmy", reason="not_ready")
        emmy = numbered(step(Change.ASSIGNED, lead="emmy"), rejected)
        read(session, qualified("ada", "<b>spring"), *ada)
        read(session, qualified("emmy"), *emmy)
    with running_console(module_sessions, now=utc_now()) as console:
        yield Reporter(console)


def test_the_report_has_the_funnel_groups_attribution_and_thirteen_weeks(
    reporter: Reporter,
) -> None:
    text = reporter.text(*WEEK)

    assert text.startswith(f"{TITLE} 2026-W47: 16 Nov to 22 Nov 2026, days of UTC.")
    for words in (
        "2 leads that qualified 16 Nov to 22 Nov 2026",
        "Accepted, of those that sales has answered 50 %",
        f"<b>spring {NONE} {NONE} 1 1 0 1 1 0 0",
        "1 000 EUR",
        "Attribution",
        "The last 13 weeks",
        "2026-W47, 16 Nov 2 1 1",
    ):
        assert words in text


def test_the_agenda_has_rejections_with_their_reasons(reporter: Reporter) -> None:
    text = reporter.text(*WEEK, "--weekly")

    assert text.startswith(AGENDA_TITLE)
    for words in (
        "autumn 1 100 % 1 not ready 1",
        "No lead waits to be accepted.",
        "Each accepted lead was contacted.",
        "No promise was due.",
        "Nothing: the agreement is as it was.",
    ):
        assert words in text


def test_the_leads_are_grouped_as_asked(reporter: Reporter) -> None:
    assert set(GROUPS) == set(GroupBy)
    assert "By source" in reporter.text(*WEEK, "--by", "source")
    assert reporter.run(*WEEK, "--by", "colour").returncode == 2


def test_the_file_has_pictures_and_links_to_the_console(reporter: Reporter, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    url = "https://c.example.com/"
    result = reporter.run(*WEEK, "--html", str(file), LEADBATON_CONSOLE_URL=url)

    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert result.stderr == f"The report is in {file}: open it in a browser.\n"
    page = file.read_text()
    assert page.count("<svg") >= 2
    assert f'<a href="{url}alignment/leads?period=2026-W47&amp;stage=won">' in page
    assert "<b>spring" not in page
    assert "lb_read" not in page


def test_the_installations_own_keys_are_deleted_at_the_end(reporter: Reporter) -> None:
    ended_at = utc_now() - timedelta(days=1)
    with reporter.console.sessions.begin() as session:
        create_key(  # of a call that was killed
            session,
            scope=KeyScope.READ,
            subject=OWN_SUBJECT,
            now=ended_at,
            expires_at=ended_at + KEY_IS_VALID_FOR,
        )
        before = {it.id for it in keys(session) if it.subject != OWN_SUBJECT}

    reporter.text(*WEEK)

    with reporter.console.sessions() as session:
        assert {it.id for it in keys(session)} == before


def test_a_key_is_enough_where_there_is_no_database(reporter: Reporter, tmp_path: Path) -> None:
    elsewhere = {**reporter.apis, "PWD": str(tmp_path)}
    key = {"LEADBATON_API_KEY": reporter.console.keys["read"]}

    result = leadbaton("report", *WEEK, **elsewhere, **key)
    assert "2 leads that qualified" in result.stdout
    result = leadbaton("report", *WEEK, **elsewhere)
    assert result.returncode == 1
    assert "pass a key of it in LEADBATON_API_KEY" in result.stderr


@pytest.mark.parametrize("weekly", [(), ("--weekly",)], ids=["report", "agenda"])
@pytest.mark.parametrize("away", [Service.SCORING, Service.ROUTING, Service.SLA])
def test_a_service_that_is_away_is_named_in_its_part(
    reporter: Reporter, away: Service, weekly: tuple[str, ...]
) -> None:
    text = reporter.text(*WEEK, *weekly, **{VARIABLES[away]: NOWHERE})

    is_needed = bool(weekly) and away is not Service.SCORING
    assert (f"the {away} does not answer" in text) is is_needed
    assert "2 leads that qualified" in text


def test_without_any_api_there_is_no_report(reporter: Reporter) -> None:
    result = reporter.run(*WEEK, **dict.fromkeys(VARIABLES.values(), NOWHERE))

    assert result.returncode == 1
    assert "no API answers" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--period", "last year"), "is no period: write one such as 2026-W47"),
        (("--period", "2026-W60"), "the year 2026 has no week 60"),
        (("--period", ""), "is no period"),
        ((*WEEK, "--html", "/nowhere/report.html"), "cannot be written"),
        ((*WEEK, "--key", "lb_read_no_key"), "key"),
    ],
    ids=["words", "week 60", "empty", "no folder", "no key"],
)
def test_what_cannot_be_done_says_why(
    reporter: Reporter, arguments: tuple[str, ...], sentence: str
) -> None:
    result = reporter.run(*arguments)

    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_the_usual_period_is_what_the_parties_review(sessions: Sessions) -> None:
    reviews: list[tuple[dict[str, str] | None, bool]] = [
        (None, True),
        ({"review": "monthly"}, False),
        ({"review": "weekly"}, True),
        ({}, True),
    ]
    with running_console(sessions, now=utc_now()) as console:
        reporter = Reporter(console)
        for review, is_week in reviews:
            if review is not None:
                with sessions.begin() as session:
                    source = json.dumps({**DEFAULT_SECTIONS, "parties": review})
                    publish(session, source, by="test", now=utc_now())

            period = reporter.text().removeprefix(TITLE).split(":")[0]
            assert ("-W" in period) is is_week, review

        agenda = reporter.text("--weekly")
    assert "-W" in agenda.removeprefix(AGENDA_TITLE).split(":")[0]
