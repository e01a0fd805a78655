"""How long leads have waited while somebody could have taken them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.agreement.model import Agreement
from shared.calendar import compile_calendar


class Queue(NamedTuple):
    """Leads that wait for the reps of a team under one rule."""

    team: str
    rule: str
    leads: int
    since: datetime
    """When the oldest of them qualified."""


def takeable_time(
    queue: Queue, agreement: Agreement, *, hours: Collection[str | None], now: datetime
) -> timedelta:
    """How long the oldest has waited within working hours, where its rule asks for those, else at all.

    `hours` are the calendars of the team's active reps (None: the team's); of several, the one with the most counts.
    A team without active reps is measured by its own, one that the agreement does not know any more by all hours.
    """
    own = {it.id: it.calendar for it in agreement.routing.teams}.get(queue.team)
    rule = next((it for it in agreement.routing.rules if it.id == queue.rule), None)
    if own is None or rule is None or rule.hours == "any":
        return now - queue.since
    calendars = {it.id: it for it in agreement.sla.calendars}
    used = {it if it in calendars else own for it in hours or (None,)}
    return max(compile_calendar(calendars[it]).elapsed(queue.since, now) for it in used)
