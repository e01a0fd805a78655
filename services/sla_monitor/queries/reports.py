"""What ops read: lists of clocks by index, attainment from tallies; nothing here scans history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, ColumnElement, Text, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.domain.reports import Counted
from services.sla_monitor.queries.clocks import AT_RISK, CLOCKS, COLUMNS, EVERY, clock_in, clocks_in
from shared.contracts.payloads import Scope

clock = tables.clocks.c
timer = tables.timers.c
tally = tables.tallies.c
_WHOLE = select(*COLUMNS).select_from(CLOCKS)

OPEN = clock.ended_at.is_(None)
OPEN_OR_BROKEN = or_(OPEN, clock.ended_at > clock.due_at)

Position = tuple[datetime, UUID]
"""Where a page ended: the instant that its list is ordered by, and the clock."""


@dataclass(frozen=True, slots=True)
class Which:
    """Which clocks or tallies; what is None is not asked for."""

    team: str | None = None
    rep: str | None = None
    tier: str | None = None
    kind: str | None = None
    scope: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    visible_to: str | None = None
    """Only what this rep may see: a journey while they hold the handoff, of hops their own."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Where a page begins, and how many clocks it holds at most."""

    after: Position | None = None
    limit: int = 100


def breaches(
    session: Session, which: Which, page: Slice, *, now: datetime, still_open: bool
) -> list[Clock]:
    """Promises that are broken by now, newest first; with `still_open` only those that nobody answered.

    They are broken when they are due, whether or not a sweep has found it.
    """
    only = [OPEN if still_open else OPEN_OR_BROKEN, clock.due_at <= now]
    return _newest(session, clock.due_at, only, which, page)


def at_risk(session: Session, which: Which, page: Slice, *, now: datetime) -> list[Clock]:
    """Promises past their warning and not yet due, the next one due first."""
    due = (timer.fire_at, timer.clock_id)
    only = [*AT_RISK, timer.fire_at > now, *_asked(which, timer.fire_at)]
    if page.after is not None:
        only.append(tuple_(*due) > tuple_(*page.after))
    return clocks_in(session.execute(_WHOLE.where(*only).order_by(*due).limit(page.limit)))


def all_clocks(session: Session, which: Which, page: Slice, *, state: State | None) -> list[Clock]:
    """Clocks, the newest first."""
    only = [] if state is None else [clock.state == state.value]
    return _newest(session, clock.started_at, only, which, page)


def find_clock(session: Session, clock_id: UUID, *, visible_to: str | None = None) -> Clock | None:
    """The clock with this id, if this rep may see it; None as the rep: anybody's."""
    only = [] if visible_to is None else _visible(visible_to)
    row = session.execute(_WHOLE.where(clock.id == clock_id, *only)).first()
    return None if row is None else clock_in(row)


class By(StrEnum):
    """What a report is split by."""

    TEAM = "team"
    REP = "rep"
    TIER = "tier"
    DAY = "day"


def counted_by(session: Session, by: By, which: Which, *, first: date, last: date) -> list[Counted]:
    """The tallies of promises that fell due on these dates, both included, by what they are split by."""
    group = tally.due_on if by is By.DAY else tally[by.value]
    number = cast(func.sum(tally.count), BigInteger)  # a sum is a numeric, which is slow to read
    statement = (
        select(cast(group, Text), tally.kind, tally.measure, tally.bucket, number)
        .where(tally.due_on.between(first, last), *_of(which, tally), *_summed(by, which))
        .group_by(group, tally.kind, tally.measure, tally.bucket)
        .order_by(group)
    )
    return list(map(Counted._make, session.execute(statement)))


def _summed(by: By, which: Which) -> list[ColumnElement[bool]]:
    """Reading the sums over all reps and tiers wherever those are not told apart."""
    reps = [tally.rep.not_in(["", EVERY])] if by is By.REP else [tally.rep == EVERY]
    tiers = [tally.tier != EVERY] if by is By.TIER else [tally.tier == EVERY]
    return [*(reps if which.rep is None else ()), *(tiers if which.tier is None else ())]


def _newest(
    session: Session,
    at: Column[Any],
    only: Sequence[ColumnElement[bool]],
    which: Which,
    page: Slice,
) -> list[Clock]:
    wanted = [*only, *_asked(which, at)]
    if page.after is not None:
        wanted.append(tuple_(at, clock.id) < tuple_(*page.after))
    order = (at.desc(), clock.id.desc())
    return clocks_in(session.execute(_WHOLE.where(*wanted).order_by(*order).limit(page.limit)))


def _asked(which: Which, at: Column[Any]) -> list[ColumnElement[bool]]:
    wanted = _of(which, clock)
    if which.since is not None:
        wanted.append(at >= which.since)
    if which.until is not None:
        wanted.append(at < which.until)
    if which.visible_to is not None:
        wanted.extend(_visible(which.visible_to))
    return wanted


def _visible(rep: str) -> list[ColumnElement[bool]]:
    """A journey goes on after its rep has lost the handoff, and then it is not theirs any more."""
    change = tables.changes.c
    holder = (
        select(change.payload["rep"].astext)
        .where(change.handoff_id == clock.handoff_id)
        .order_by(change.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    return [clock.rep == rep, or_(clock.scope != Scope.JOURNEY.value, holder == rep)]


def _of(which: Which, columns: Any) -> list[ColumnElement[bool]]:
    names = ("team", "rep", "tier", "kind", "scope")
    asked = {name: getattr(which, name) for name in names}
    return [columns[name] == value for name, value in asked.items() if value is not None]
