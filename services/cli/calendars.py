"""`leadbaton sla calendar`: a month of a calendar as a picture, and questions about working time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import TypeAdapter, ValidationError

from services.cli.database import transaction
from services.cli.month_pictures import Month, month_of, print_month
from services.cli.output import AsJson, print_json
from shared.agreement.durations import Duration
from shared.agreement.load import parse
from shared.agreement.model import Agreement, Calendar
from shared.agreement.store import Agreements
from shared.calendar import CompiledCalendar, compile_calendar
from shared.clock import utc_now
from shared.documents import text_of
from shared.documents.spelling import nearest
from shared.process import logs
from shared.process.settings import Settings
from shared.terminal import Terminal
from shared.text import fault_text

FIRST_YEAR, LAST_YEAR = 2000, 2100
MAX_ADD = timedelta(days=365)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an agreement was read: a version, or a file that is not published."""

    agreement: Agreement
    version: int | None


CalendarId = Annotated[
    str | None,
    typer.Argument(
        metavar="ID", help="The id of the calendar; may be left out if there is one only."
    ),
]
OfMonth = Annotated[
    str | None, typer.Option(metavar="MONTH", help="Such as 2026-12; by default this month.")
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Such as 2026-12-24T16:00, by the calendar's wall clock, or with an offset.",
    ),
]
Add = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="When has so much working time passed, such as 4h?"),
]
To = Annotated[
    str | None, typer.Option(metavar="TIME", help="How much working time is between the two?")
]
File = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A file in place of the agreement in force."),
]
Number = Annotated[int | None, typer.Option(min=1, help="A version in place of the one in force.")]


def calendar(  # noqa: PLR0913 - each parameter is an option
    id: CalendarId = None,
    *,
    month: OfMonth = None,
    since: From = None,
    add: Add = None,
    to: To = None,
    file: File = None,
    version: Number = None,
    as_json: AsJson = False,
) -> None:
    """Show a month of a calendar, or answer a question about its working time: --from with --add, or with --to."""
    _check_combination(month, since, add, to)
    if file is not None and version is not None:
        raise typer.BadParameter("name --file or --version, not both")
    source = _source(file, version)
    compiled = compile_calendar(_named(source.agreement, id))
    zone = ZoneInfo(compiled.calendar.zone)
    if since is None:
        _show_month(month_of(compiled, _month(month, zone)), source, as_json=as_json)
        return
    began = _instant(since, zone, "--from")
    if add is not None:
        answer = _added(compiled, began, _duration(add))
    else:
        answer = _elapsed(compiled, began, _instant(to or "", zone, "--to"))
    _print_answer(answer, source, as_json=as_json)


def _check_combination(
    month: str | None, since: str | None, add: str | None, to: str | None
) -> None:
    if since is None and (add is not None or to is not None):
        raise typer.BadParameter("--add and --to need the time from which to count: --from TIME")
    if since is not None and (add is None) == (to is None):
        raise typer.BadParameter("--from needs one of --add DURATION and --to TIME")
    if since is not None and month is not None:
        raise typer.BadParameter("--month shows a month; leave it out, or --from")


def _source(file: Path | None, version: int | None) -> Source:
    if file is not None:
        return Source(parse(text_of(file.read_bytes(), name=str(file)), name=str(file)), None)
    settings = Settings()
    if "database_url" not in settings.model_fields_set:
        raise typer.BadParameter(
            "there is no installation here: name a file with --file, or an installation with "
            "`leadbaton --data DIR sla calendar` or LEADBATON_DATABASE_URL"
        )
    logs.warn_on_stderr()
    with transaction(settings.database_url) as session:
        agreements = Agreements()
        published = (
            agreements.current(session) if version is None else agreements.version(session, version)
        )
    return Source(published.agreement, published.version)


def _named(agreement: Agreement, id: str | None) -> Calendar:
    """The calendar of this id, or the only one."""
    calendars = {it.id: it for it in agreement.sla.calendars}
    if id is None and len(calendars) == 1:
        return next(iter(calendars.values()))
    if id is None:
        raise typer.BadParameter(f"name a calendar; there are: {', '.join(calendars)}")
    if id not in calendars:
        raise typer.BadParameter(
            f"there is no calendar {id!r}; {nearest(id, list(calendars), 'there are')}"
        )
    return calendars[id]


def _month(text: str | None, zone: ZoneInfo) -> date:
    """The first day of the month."""
    if text is None:
        return utc_now().astimezone(zone).date().replace(day=1)
    match = _MONTH.fullmatch(text.strip())
    if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
        raise typer.BadParameter(
            f"--month: {text!r} is no month of {FIRST_YEAR} to {LAST_YEAR}; write year-month, such as 2026-12"
        )
    return date(int(match[1]), int(match[2]), 1)


def _duration(text: str) -> timedelta:
    try:
        length = TypeAdapter(Duration).validate_python(text)
    except ValidationError as error:
        message = fault_text(error.errors()[0]["msg"])
        raise typer.BadParameter(f"--add: {text!r}: {message}") from None
    if length > MAX_ADD:
        raise typer.BadParameter(f"--add: write at most {MAX_ADD.days}d of working time")
    return length


def _instant(text: str, zone: ZoneInfo, option: str) -> datetime:
    """The instant; without an offset it is by the zone's wall clock, which must show it exactly once."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(
            f"{option}: {text!r} is no time; write a date, or such as 2026-12-24T16:00"
        ) from None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise typer.BadParameter(f"{option}: write a year from {FIRST_YEAR} to {LAST_YEAR}")
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    at = at.replace(tzinfo=zone)
    earlier, later = at.astimezone(UTC), at.replace(fold=1).astimezone(UTC)
    if earlier == later:
        return earlier
    how_often = "twice" if earlier < later else "never"
    choices = " or ".join(
        f"{it.astimezone(zone).isoformat(timespec='minutes')}" for it in sorted((earlier, later))
    )
    raise typer.BadParameter(
        f"{option}: the clocks of {zone.key} show {text.strip()} {how_often}; write {choices}"
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """So much working time lies between two instants."""

    calendar: CompiledCalendar
    since: datetime
    until: datetime
    working_time: timedelta


def _added(calendar: CompiledCalendar, since: datetime, length: timedelta) -> Answer:
    until = calendar.add(since, length)
    if calendar.elapsed(since, until) < length:
        raise typer.BadParameter("--add: the calendar is not open for so long within twenty years")
    return Answer(calendar, since, until, length)


def _elapsed(calendar: CompiledCalendar, since: datetime, until: datetime) -> Answer:
    if until < since:
        raise typer.BadParameter("--to is before --from; write them in the order of time")
    return Answer(calendar, since, until, calendar.elapsed(since, until))


def _print_answer(answer: Answer, source: Source, *, as_json: bool) -> None:
    calendar, zone = answer.calendar, ZoneInfo(answer.calendar.calendar.zone)
    skipped = calendar.skipped_holidays(answer.since, answer.until)
    since, until = (it.astimezone(zone) for it in (answer.since, answer.until))
    if as_json:
        print_json(
            {
                **_head(calendar, source),
                "from": since,
                "to": until,
                "working_s": answer.working_time.total_seconds(),
                "holidays": [{"on": it.on, "holiday": it.name} for it in skipped],
            }
        )
        return
    terminal = Terminal()
    terminal.print(f"from     {since:%a %d %b %Y %H:%M:%S %z}")
    terminal.print(f"to       {until:%a %d %b %Y %H:%M:%S %z}")
    terminal.print(f"working  {_in_words(answer.working_time)}")
    for holiday in skipped:
        terminal.print(f"skipped  {holiday.on:%a %d %b %Y}: {holiday.name}", soft_wrap=True)


def _in_words(length: timedelta) -> str:
    """The length in hours, minutes and seconds, such as `7 h 30 min`; days would be ambiguous."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    parts = ((minutes // 60, "h"), (minutes % 60, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"


def _show_month(month: Month, source: Source, *, as_json: bool) -> None:
    if not as_json:
        version = "not published" if source.version is None else f"version {source.version}"
        print_month(month, version)
        return
    days = [
        {
            "on": day.on,
            "open_s": day.open_time.total_seconds(),
            "intervals": [{"since": since, "until": until} for since, until in day.intervals],
            "holiday": day.holiday,
            "own_hours": day.has_own_hours,
        }
        for day in month.days
    ]
    head = _head(month.calendar, source)
    print_json({**head, "open_s": month.open_time.total_seconds(), "days": days})


def _head(calendar: CompiledCalendar, source: Source) -> dict[str, Any]:
    rules = calendar.calendar
    return {"calendar": rules.id, "zone": rules.zone, "agreement_version": source.version}
