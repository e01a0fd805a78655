"""The audit of alignment: it counts what routing and the SLA monitor count, once everything is read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.alignment.queries.reports import funnels_by
from services.alignment.queries.selection import GroupBy, Selection
from shared.db.time_range import ALWAYS
from tests.fault.stream import Stream
from tests.journey.world import until
from tests.services.alignment.folding import check_reports

PATIENCE_S = 60
"""Streams of other tests may still be read."""

_UNREAD = text("""
    with routed as (
        select * from routing.handoffs
        where lead_id in (select lead_id from scoring.identities where key like :emails)
    )
    select
        (select count(*) from routed left join alignment.handoffs fact on fact.handoff_id = routed.id
         where fact.is_announced is not true
            or (fact.team, fact.tier) is distinct from (routed.team, routed.tier)
            or fact.qualified_at is distinct from routed.qualified_at
            or fact.rep is distinct from coalesce(routed.rep, fact.rep)
            or (fact.assigned_at is null) <> (routed.hop = 0)) as handoffs,
        (select count(*) from routed join sla.clocks clock on clock.handoff_id = routed.id
         join sla.timers on clock_id = clock.id left join alignment.promises promise on promise.clock_id = clock.id
         where (promise.breached_at is null) <> (timers.breached_at is null)) as breaches
""")

_COUNTED = text("""
    select team, count(*) as qualified, count(*) filter (where hop > 0) as assigned,
        (select count(*) from sla.clocks clock join sla.timers on clock_id = clock.id
         where breached_at is not null and retracted_at is null
            and clock.handoff_id in (select id from routing.handoffs of_team where of_team.team = routed.team)
        ) as broken
    from routing.handoffs routed group by team
""")


def unread(session: Session, stream: Stream) -> Row[Any]:
    """How many handoffs of the stream, and how many breaches, alignment does not have as their services do."""
    return session.execute(_UNREAD, {"emails": f"email/{stream.tag}-%"}).one()


def check_conservation(session: Session) -> None:
    """The funnel of each team is what routing and the SLA monitor count; every report is the fold over handoffs."""
    last: list[object] = []

    def is_conserved() -> bool:
        last[:] = [_counted(session), _reported(session)]
        return last[0] == last[1]

    try:
        until(is_conserved, within_s=PATIENCE_S, every_s=0.3)
    except AssertionError:
        raise AssertionError(f"routing and the SLA monitor, then alignment: {last}") from None
    check_reports(session)


def _counted(session: Session) -> dict[str, tuple[int, ...]]:
    """Qualified, assigned and broken promises by team, as routing and the SLA monitor count them."""
    return {it.team: (it.qualified, it.assigned, it.broken) for it in session.execute(_COUNTED)}


def _reported(session: Session) -> dict[str | None, tuple[int, ...]]:
    """The same by alignment's funnels."""
    funnels = funnels_by(session, Selection(ALWAYS), GroupBy.TEAM)
    return {
        it.counts.group: (it.counts.qualified, it.counts.assigned, it.promises_broken)
        for it in funnels
    }
