"""How long leads have waited while a rep could have got them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.agreement.model import Agreement
from shared.calendar import compile_calendar


class WaitingLeads(NamedTuple):
    """Leads that wait for the reps of a team under one rule."""

    team: str
    rule: str
    leads: int
    since: datetime
    """When the oldest of them qualified."""


def assignable_time(
    waiting: WaitingLeads, agreement: Agreement, *, hours: Collection[str | None], now: datetime
) -> timedelta:
    """How long the oldest lead has waited: within working hours, where its rule asks for those, else in all.

    `hours` are the calendars of the team's active reps (None: the team's). Of several calendars the longest time
    counts. Without active reps the team's calendar counts; for a team or rule that the agreement no longer has, all
    hours count.
    """
    team_calendar = {it.id: it.calendar for it in agreement.routing.teams}.get(waiting.team)
    rule = next((it for it in agreement.routing.rules if it.id == waiting.rule), None)
    if team_calendar is None or rule is None or rule.hours == "any":
        return now - waiting.since
    calendars = {it.id: it for it in agreement.sla.calendars}
    used = {it if it in calendars else team_calendar for it in hours or (None,)}
    return max(compile_calendar(calendars[it]).elapsed(waiting.since, now) for it in used)
