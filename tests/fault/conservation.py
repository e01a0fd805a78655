"""The audit of alignment: it counts what routing and the SLA monitor count, once everything is read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.alignment.domain.known import total_of_known
from services.alignment.queries.known import KnownSelection, known_counts
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
         where (promise.breached_at is null) <> (timers.breached_at is null)) as breaches,
        (select count(*) from scoring.leads lead left join alignment.leads fact on fact.lead_id = lead.id
         where lead.id in (select lead_id from scoring.identities where key like :emails)
            and lead.known_at is not null and (
                (fact.known_at, fact.merged_into) is distinct from (lead.known_at, lead.merged_into)
                or fact.engaged_at is distinct from
                    case when lead.active_at is not null then greatest(lead.known_at, lead.active_at) end
            )) as known
""")

_COUNTED = text("""
    select team, count(*) as qualified, count(*) filter (where hop > 0) as assigned,
        (select count(*) from sla.clocks clock join sla.timers on clock_id = clock.id
         where breached_at is not null and retracted_at is null
            and clock.handoff_id in (select id from routing.handoffs of_team where of_team.team = routed.team)
        ) as broken
    from routing.handoffs routed group by team
""")


_COUNTED_KNOWN = text("""
    select count(known_at) as known, count(*) filter (
        where known_at is not null and active_at is not null
    ) as engaged
    from scoring.leads where merged_into is null
""")


def unread(session: Session, stream: Stream) -> Row[Any]:
    """How many handoffs, breaches and known leads of the stream alignment does not have as their services do."""
    return session.execute(_UNREAD, {"emails": f"email/{stream.tag}-%"}).one()


def check_conservation(session: Session) -> None:
    """The funnel of each team is what routing and the SLA monitor count, and known leads are those that scoring counts.

    Every report is the fold over handoffs.
    """
    last: list[object] = []

    def is_conserved() -> bool:
        counted = [_counted(session), session.execute(_COUNTED_KNOWN).one()]
        last[:] = [*counted, _reported(session), _reported_known(session)]
        return last[:2] == last[2:]

    try:
        until(is_conserved, within_s=PATIENCE_S, every_s=0.3)
    except AssertionError:
        raise AssertionError(
            f"routing, the SLA monitor and scoring, then alignment: {last}"
        ) from None
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


def _reported_known(session: Session) -> tuple[int, int]:
    """The known and engaged leads by alignment's funnels."""
    counts = total_of_known(known_counts(session, KnownSelection(ALWAYS), None))
    return counts.known, counts.engaged
