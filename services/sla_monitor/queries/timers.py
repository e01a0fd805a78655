"""PostgreSQL as the timer wheel: what is due is claimed by one sweeper, and by one only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.queries.clocks import COLUMNS, clocks_in

fire_at = tables.clocks.c.fire_at


def claim_due(session: Session, *, now: datetime, low: datetime, most: int) -> list[Clock]:
    """Clocks on which something is due, locked; the ones that another sweeper holds are left to it.

    `low` keeps the claim fast: index entries of what has fired long ago are not looked at again.
    """
    statement = (
        select(*COLUMNS)
        .where(fire_at <= now, fire_at >= low)
        .order_by(fire_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return clocks_in(session.execute(statement))


_SAVE_FIRED = text("""
    update sla.clocks as clock
    set warned_at = fired.warned_at, breached_at = fired.breached_at,
        detected_at = fired.detected_at, retracted_at = fired.retracted_at,
        escalated = fired.escalated, fire_at = fired.fire_at
    from json_to_recordset(cast(:fired as json)) as fired (
        id uuid, warned_at timestamptz, breached_at timestamptz, detected_at timestamptz,
        retracted_at timestamptz, escalated smallint, fire_at timestamptz
    )
    where clock.id = fired.id
""")
_FIRED = ("id", "warned_at", "breached_at", "detected_at", "retracted_at", "escalated", "fire_at")


def save_fired(session: Session, clocks: Sequence[Clock]) -> None:
    """What firing changes on these clocks, in one statement."""
    fired = [{name: getattr(clock, name) for name in _FIRED} for clock in clocks]
    session.execute(_SAVE_FIRED, {"fired": orjson.dumps(fired).decode()})


def find_next_fire(session: Session, *, low: datetime) -> datetime | None:
    """The next instant at which something is due, if anything is."""
    found: datetime | None = session.scalar(select(func.min(fire_at)).where(fire_at >= low))
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """How the clocks stand: what ops' gauges show."""

    overdue_timers: int
    open_clocks: int
    open_breaches: int
    at_risk: int


OVERDUE = timedelta(seconds=10)
"""A timer that has not fired after this long is a fault of ours."""


def standing_of(session: Session, *, now: datetime) -> Standing:
    """Count what partial indexes hold: timers nobody fired, clocks that run, open breaches, clocks at risk."""
    clock = tables.clocks.c
    late = select(func.count()).where(fire_at <= now - OVERDUE)
    running = clock.state == State.RUNNING.value
    timed = select(func.count()).where(fire_at.is_not(None))
    done_with = select(func.count()).where(
        clock.breached_at.is_not(None), running, fire_at.is_(None)
    )
    open_ = select(func.count()).where(clock.breached_at.is_not(None), running)
    risky = select(func.count()).where(
        clock.warned_at.is_not(None), clock.breached_at.is_(None), running
    )
    row = session.execute(
        select(
            late.scalar_subquery(),
            timed.scalar_subquery() + done_with.scalar_subquery(),
            open_.scalar_subquery(),
            risky.scalar_subquery(),
        )
    ).one()
    return Standing(*row)
