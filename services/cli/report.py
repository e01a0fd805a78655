"""`leadbaton report`: what both sides promised and did, in the terminal or as one HTML file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.text import Text

from services.alignment.domain.periods import EXAMPLES, dates_of
from services.alignment.queries.selection import GroupBy
from services.cli.database import transaction
from services.cli.environment import NoInstallation
from services.cli.report_output import print_section
from services.console.apis import Apis, Connections, Service, ServiceAway
from services.console.main import urls_of
from services.console.report.contents import Question, overview, promises_of, trend_of
from services.console.report.file import Report, html_of
from services.console.report.meeting import agenda_of
from services.console.report.periods import dates_text, month_of, week_of, weeks_until
from services.console.report.sections import Section
from services.console.report.trend import WEEKS
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope, id_in
from shared.auth.queries import delete_expired_keys, delete_key
from shared.clock import utc_now
from shared.errors import LeadbatonError, Unavailable
from shared.process.settings import Settings
from shared.terminal import Terminal

KEY_IS_VALID_FOR = timedelta(minutes=10)
OWN_SUBJECT = "leadbaton report"
"""The subject of the installation's own keys, which are deleted at the end, or by a later call."""
TITLE = "What marketing and sales promised each other, and what they did"
AGENDA_TITLE = "The agenda of marketing and sales"
VERSIONS = "/v1/agreement/versions"


class NotWritten(LeadbatonError):
    """The file of the report cannot be written."""

    code = "not_written"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller wants to read."""

    period: str | None
    by: str
    is_agenda: bool
    now: datetime


def report(
    *,
    period: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"{EXAMPLES}; by default this week or this month, as `parties.review` of the agreement says.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write one HTML file, with plots, there.")
    ] = None,
    weekly: Annotated[
        bool, typer.Option("--weekly", help="The agenda of the two teams' meeting on this week.")
    ] = False,
    by: Annotated[GroupBy, typer.Option(help="What the leads are grouped by.")] = GroupBy.CAMPAIGN,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="LEADBATON_API_KEY",
            help="A key of scope read or ops; without one the installation makes one for ten minutes.",
        ),
    ] = None,
) -> None:
    """Print what both sides promised and did in a week, a month or a quarter, or write it as one HTML file.

    It asks the APIs, as the console does: a service that does not answer is named in its part of the report.
    """
    settings = Settings()
    wish = Wish(period, by.value, weekly, utc_now())
    with _key_for(settings, key, wish.now) as valid_key:
        finished = asyncio.run(_read(settings, valid_key, wish))
    _output(finished, html, settings.console_url)


def _output(finished: Report, html: Path | None, console_url: str) -> None:
    """Print the report, or write it to the file."""
    if html is None:
        _print(finished)
        return
    _write(html, html_of(finished, console_url=console_url))
    Terminal(stderr=True).print(f"The report is in {html}: open it in a browser.", soft_wrap=True)


def _print(finished: Report) -> None:
    terminal = Terminal()
    terminal.print(Text(finished.title, style="bold"), soft_wrap=True)
    terminal.print(finished.subtitle, soft_wrap=True)
    for section in finished.sections:
        print_section(terminal, section)


def _write(file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise NotWritten(
            f"{file} cannot be written ({error.strerror}): name a file in a folder that is there, with --html"
        ) from None


@contextmanager
def _key_for(settings: Settings, key: str | None, now: datetime) -> Iterator[str]:
    """The caller's key, or one of the installation that is deleted when the block ends."""
    if key is not None:
        yield key
        return
    if "database_url" not in settings.model_fields_set:
        raise NoInstallation(
            "there is no installation here to ask: name its directory with --data, or pass a key of it in "
            "LEADBATON_API_KEY, and where its APIs are in LEADBATON_ALIGNMENT_URL and the like"
        )
    expires_at = now + KEY_IS_VALID_FOR
    with transaction(settings.database_url) as session:
        delete_expired_keys(session, subject=OWN_SUBJECT, now=now)  # of calls that were killed
        own = create_key(
            session, scope=KeyScope.READ, subject=OWN_SUBJECT, now=now, expires_at=expires_at
        )
    try:
        yield own
    finally:
        with transaction(settings.database_url) as session:
            delete_key(session, id_in(own))


async def _read(settings: Settings, key: str, wish: Wish) -> Report:
    """The report by the APIs; raises an error where none of them answers, or the key is not valid."""
    connections = Connections(urls_of(settings))
    try:
        apis = connections.apis(key)
        name = await _usual_period(apis, wish) if wish.period is None else wish.period
        dates = dates_of(name)
        sections = await _sections(apis, wish, name, dates)
    finally:
        await connections.close()
    if all(it.gap for it in sections):
        raise Unavailable(
            f"no API answers, alignment's at {settings.alignment_url} neither: start the installation with "
            "`leadbaton up`, or set LEADBATON_ALIGNMENT_URL, LEADBATON_ROUTING_URL and LEADBATON_SLA_URL"
        )
    span = dates_text(*(it.isoformat() for it in dates))
    to_date = " so far" if dates[1] >= wish.now.astimezone(UTC).date() else ""
    title = AGENDA_TITLE if wish.is_agenda else TITLE
    return Report(title, f"{name}: {span}{to_date}, days of UTC.", wish.now, sections)


async def _sections(
    apis: Apis, wish: Wish, name: str, dates: tuple[date, date]
) -> Sequence[Section]:
    period = {"period": name}
    promised = await promises_of(apis, period, wish.now)
    contents = await overview(apis, Question(period, by=wish.by))
    if wish.is_agenda:
        done = [it for it in contents if it.id in {"funnel", "rates"}]
        return [*promised, *done, *await agenda_of(apis, period, dates, wish.now)]
    last = min(dates[1], wish.now.astimezone(UTC).date())
    return [*promised, *contents, await trend_of(apis, weeks_until(last, WEEKS))]


async def _usual_period(apis: Apis, wish: Wish) -> str:
    """This week, or this month where the agreement is reviewed monthly and no agenda is wanted."""
    today = wish.now.astimezone(UTC).date()
    is_monthly = not wish.is_agenda and await _review(apis) == "monthly"
    return month_of(today) if is_monthly else week_of(today)


async def _review(apis: Apis) -> str | None:
    """`parties.review` of the newest agreement; None where there is none, or routing does not answer."""
    try:
        newest = await apis.get(Service.ROUTING, VERSIONS, limit=1)
        if not newest["items"]:
            return None
        version = await apis.get(Service.ROUTING, f"{VERSIONS}/{newest['items'][0]['number']}")
    except ServiceAway:
        return None
    sections: dict[str, Any] = yaml.safe_load(version["source"])
    return (sections.get("parties") or {}).get("review")
