"""`leadbaton sla explain`: why promises are due when they are: hours that counted, and what did not count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.orm import Session

from services.cli.database import transaction
from services.cli.output import AsJson, duration, print_json
from services.cli.people import handoff_of
from services.sla_monitor.api.explanations import ExplanationOut, IntervalOut, explanation_of
from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.queries.lists import clocks_by_id_prefix, clocks_of
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.process import logs
from shared.process.settings import Settings
from shared.terminal import Terminal

MAX_INTERVALS = 20
"""So many intervals of hours are printed of each kind; --json has more."""

_ID_PREFIX = re.compile(r"(?=.{6,36}\Z)[0-9a-f]+(-[0-9a-f]*)*", re.IGNORECASE)


def explain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="CLOCK|HANDOFF",
            help="The id of a clock or a handoff, or its first digits; or the lead's e-mail address.",
        ),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Explain why a promise, or each promise about a handoff, is due when it is. Times are by its calendar."""
    logs.warn_on_stderr()
    policies, now = Policies(SlaPolicy), utc_now()
    with transaction(Settings().database_url) as session:
        clocks = _clocks(session, name)
        explanations = [explanation_of(session, it, policies, now=now) for it in clocks]
    if as_json:
        print_json(explanations)
        return
    terminal = Terminal()
    for explanation in explanations:
        for line in lines_of(explanation):
            terminal.print(line, soft_wrap=True, markup=False)
        terminal.print()
    if not explanations:
        terminal.print("There are no promises about this handoff.")


def _clocks(session: Session, name: str) -> list[Clock]:
    """The clock whose id begins like this, else those of the handoff; raises UnknownLead or UnknownHandoff."""
    if _ID_PREFIX.fullmatch(name):
        matches = clocks_by_id_prefix(session, name.lower())
        if len(matches) == 1:
            return matches
    return clocks_of(session, [handoff_of(session, name).id])


def lines_of(explanation: ExplanationOut) -> Iterator[str]:
    """The explanation line by line."""
    zone = ZoneInfo(explanation.zone)

    def at(value: datetime) -> str:
        return _at(value, zone)

    whose = explanation.rep or f"the team {explanation.team}"
    yield f"{explanation.policy} ({explanation.kind}) of {whose}: {explanation.outcome}"
    yield f"  clock     {explanation.id}"
    for terms in explanation.terms:
        target, version = _length(terms.target_s), terms.agreement_version
        yield f"  counts    {target} from {at(terms.since)}, by {terms.calendar}, version {version}"
    yield f"  due       {at(explanation.due_at)} ({explanation.zone})"
    yield from _hours("counted", explanation.intervals, zone)
    yield f"  sum       {_length(explanation.counted_s)}"
    for pause in explanation.pauses:
        yield f"  paused    {at(pause.since)} to {at(pause.until)}, {_length(pause.seconds)}: {pause.reason}"
    for day in explanation.holidays:
        yield f"  holiday   {day.on:%a %d %b %Y}: {day.holiday}"
    yield from _hours("break", explanation.breaks, zone)
    yield from _what_happened(explanation, zone)
    if explanation.ended_at is not None:
        yield f"  ended     {at(explanation.ended_at)} by {explanation.ended_by}"
    yield f"  spent     {_length(explanation.spent_s)}"
    if explanation.overdue_business_s:
        yield f"  overdue   {_length(explanation.overdue_business_s)}"


def _what_happened(explanation: ExplanationOut, zone: ZoneInfo) -> Iterator[str]:
    for attempt in explanation.attempts:
        reached = ", reached" if attempt.reached else ""
        yield f"  attempt   {_at(attempt.at, zone)}: {attempt.outcome or 'contact'}{reached}"
    for step in explanation.escalation_steps:
        yield f"  step      {_at(step.at, zone)}: {step.step}{', over' if step.is_done else ''}"


def _at(value: datetime, zone: ZoneInfo) -> str:
    return f"{value.astimezone(zone):%a %d %b %Y %H:%M:%S}"


def _hours(title: str, intervals: Sequence[IntervalOut], zone: ZoneInfo) -> Iterator[str]:
    for interval in intervals[:MAX_INTERVALS]:
        since, until = interval.since.astimezone(zone), interval.until.astimezone(zone)
        length = _length(interval.seconds)
        yield f"  {title:<9} {since:%a %d %b %Y %H:%M:%S} to {until:%H:%M:%S}, {length}"
    if len(intervals) > MAX_INTERVALS:
        yield f"  {title:<9} and {len(intervals) - MAX_INTERVALS} more"


def _length(seconds: float) -> str:
    """The length in two units, or in seconds below a minute."""
    return f"{seconds:g} s" if 0 < seconds < 60 else duration(timedelta(seconds=seconds))
