"""The audit of a stream: its results, read from the database and from the receiver of the webhooks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.scoring.domain.policy import ScoringPolicy
from services.scoring.queries.leads import leads_after
from services.scoring.recompute import compare_leads
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.db.session import Sessions, engine_for, sessions_on
from shared.embedded.stack import DATABASE
from tests.fault.conservation import check_conservation, unread
from tests.fault.stream import Stream
from tests.journey.receiver import Receiver
from tests.journey.world import World, until

POINT = 0.01
"""The points of each event, which do not fade: the score shows how many events were counted."""
SETTLING_S = 120.0


@dataclass(frozen=True)
class Person:
    """The results of one person."""

    events: int
    counted: int
    """The number of events that the score has counted."""
    fit: float
    engagement: float
    stage: str
    qualifications: int
    tiers: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """The results of a settled stream."""

    people: Mapping[int, Person]
    lost: int
    doubled: int


@contextmanager
def reading(world: World) -> Iterator[Sessions]:
    """Sessions with connections of their own."""
    engine = engine_for(world.installation.stack.postgres.url(DATABASE))
    try:
        yield sessions_on(engine)
    finally:
        engine.dispose()


def create_audit_index(world: World) -> None:
    """Create an index for the audit, so that it costs the system little."""
    with reading(world) as sessions, sessions.begin() as session:
        session.execute(text("create index audited on scoring.events (id text_pattern_ops)"))


_UNSETTLED = text("""
    with leads as (
        select distinct lead_id as id from scoring.events where id like :events
    ), handoffs as (
        select handoff.* from routing.handoffs handoff join leads on leads.id = handoff.lead_id
    ), clocks as (
        select kind, breached_at, fire_at from sla.clocks clock
        join sla.timers on clock_id = clock.id join handoffs on handoffs.id = clock.handoff_id
    ), deliveries as (
        select delivery.* from routing.deliveries delivery join handoffs on handoffs.id = delivery.handoff_id
    )
    select
        (select count(*) from scoring.events where id like :events) as events,
        (select count(*) from messaging.outbox where published_at is null) as unpublished,
        (select count(*) from handoffs) as handoffs,
        (select count(*) from handoffs where rep is not null and team <> 'full') as assigned,
        (select count(*) from clocks where kind = 'accept' and breached_at is not null) as broken,
        (select count(*) from clocks where fire_at <= now()) as overdue,
        (select count(*) from deliveries where type = 'handoff.breached') as breaches,
        (select count(*) from deliveries where state <> 'delivered') as undelivered
""")


def settled(world: World, stream: Stream) -> None:
    """Return when every event is scored, every lead assigned, every promise breached and every webhook delivered.

    Alignment has read all of it then.
    """
    expected = len(stream.ids())
    last: list[Row[Any]] = []

    def done() -> bool:
        try:
            with sessions() as session:
                counts = session.execute(_UNSETTLED, {"events": f"{stream.tag}/%"}).one()
                missing = unread(session, stream)
        except DBAPIError:  # the database is still coming back
            return False
        last[:] = [counts, missing]
        return bool(
            counts.events >= expected
            and counts.handoffs >= stream.qualified()
            and counts.assigned == counts.broken == counts.breaches
            and counts.unpublished == counts.overdue == counts.undelivered == 0
            and missing.handoffs == missing.breaches == 0
        )

    with reading(world) as sessions:
        try:
            until(done, within_s=SETTLING_S, why="settled", every_s=0.3)
        except AssertionError:
            raise AssertionError(f"{stream.tag} does not settle: {last}") from None


def audit(world: World, stream: Stream) -> Audit:
    """Audit the stream; raises AssertionError where an invariant is broken."""
    with reading(world) as sessions, sessions() as session:
        ids = _ids(session, stream)
        people = dict(_people(session, stream))
        _check_handoffs(session, stream)
        _check_webhooks(session, stream, world.receiver)
        _check_clocks(session, stream)
        check_conservation(session)
    return Audit(
        people=people,
        lost=len(stream.ids() - ids),
        doubled=sum(it.counted for it in people.values()) - len(ids),
    )


def _ids(session: Session, stream: Stream) -> set[str]:
    statement = text("select id from scoring.events where id like :events")
    return set(session.scalars(statement, {"events": f"{stream.tag}/%"}))


def _people(session: Session, stream: Stream) -> Iterator[tuple[int, Person]]:
    rules = Policies(ScoringPolicy).current(session)
    leads = {it.id: it for it in _leads(session)}
    tiers = _tiers(session)
    for email, lead_id, events in session.execute(_EMAILS, {"emails": f"email/{stream.tag}-%"}):
        lead = leads[lead_id]
        scores = lead.scores(rules, stream.began)
        yield (
            int(email.rpartition("-")[2].partition("@")[0]),
            Person(
                events=events,
                counted=_counted(lead.profile.signals),
                fit=scores.fit,
                engagement=scores.engagement,
                stage=lead.stage.value,
                qualifications=lead.qualification,
                tiers=tuple(tiers[lead_id]),
            ),
        )


_EMAILS = text("""
    select identity.key, identity.lead_id, count(event.id)
    from scoring.identities identity left join scoring.events event on event.lead_id = identity.lead_id
    where identity.key like :emails
    group by identity.key, identity.lead_id
""")


def _leads(session: Session) -> Iterator[Any]:
    last: UUID | None = None
    while page := leads_after(session, last, limit=1000):
        yield from page
        last = page[-1].id


def _tiers(session: Session) -> defaultdict[UUID, list[str]]:
    tiers: defaultdict[UUID, list[str]] = defaultdict(list)
    for lead_id, tier in session.execute(text("select lead_id, tier from routing.handoffs")):
        tiers[lead_id].append(tier)
    return tiers


def _counted(signals: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> int:
    return sum(
        round(bucket[0] / POINT)
        for name, buckets in signals.items()
        if name.startswith("counted_")
        for bucket in buckets.values()
    )


_HANDOFFS = text("""
    with leads as (
        select lead.id, lead.qualification from scoring.leads lead
        join scoring.identities identity on identity.lead_id = lead.id
        where identity.key like :emails
    )
    select
        (select sum(qualification) from leads) as qualified,
        count(*) filter (where state in ('assigned', 'accepted', 'contacted')) as assigned,
        count(*) filter (where state = 'waiting') as waiting,
        count(*) filter (where closed_at is not null) as closed,
        count(*) as handoffs,
        count(distinct lead_id) as leads
    from routing.handoffs where lead_id in (select id from leads)
""")


def _check_handoffs(session: Session, stream: Stream) -> None:
    """Each qualified lead is assigned, waiting or closed, and has one handoff."""
    counts = session.execute(_HANDOFFS, {"emails": f"email/{stream.tag}-%"}).one()
    closed_or_not = counts.assigned + counts.waiting + counts.closed
    assert counts.qualified == closed_or_not == stream.qualified(), counts
    assert counts.handoffs == counts.leads, counts


_DELIVERIES = text("""
    select delivery.handoff_id, delivery.type, delivery.id, delivery.state
    from routing.deliveries delivery join routing.handoffs handoff on handoff.id = delivery.handoff_id
    where handoff.lead_id in (select lead_id from scoring.identities where key like :emails)
""")


def _check_webhooks(session: Session, stream: Stream, receiver: Receiver) -> None:
    """Every assignment and every breach was delivered, once or more, always with the same id."""
    received: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for webhook in list(receiver.webhooks):
        received[webhook.body["data"]["handoff"]["id"], webhook.type].add(webhook.id)
    rows = session.execute(_DELIVERIES, {"emails": f"email/{stream.tag}-%"}).all()
    sent = {(str(row.handoff_id), row.type): str(row.id) for row in rows}
    times = Counter((str(row.handoff_id), row.type) for row in rows)
    assert [it for it, count in times.items() if count > 1] == [], "a notification has two ids"
    assert {row.state for row in rows} <= {"delivered"}
    for key, id in sent.items():
        assert received[key] == {id}, f"{key}: sent as {id}, received as {received[key]}"
    assert receiver.faults == [], receiver.faults[:3]


_CLOCKS = text("""
    select
        count(*) filter (where due_at <= now() and breached_at is null and state = 'running') as not_flagged,
        count(*) filter (where breached_at is not null and breached_at <> due_at) as wrongly_dated,
        count(*) filter (where breached_at is not null) as broken
    from sla.clocks join sla.timers on clock_id = id
    where lead_id in (select lead_id from scoring.identities where key like :emails)
""")
_TALLIED = text("""
    select
        (select sum(count) from sla.tallies where measure = 'overdue' and tier <> '*' and rep <> '*') as tallied,
        (select count(*) from sla.clocks join sla.timers on clock_id = id
         where breached_at is not null and state = 'running') as broken
""")


def _check_clocks(session: Session, stream: Stream) -> None:
    """Every due clock is flagged once, at its due time, and counted in the tallies."""
    counts = session.execute(_CLOCKS, {"emails": f"email/{stream.tag}-%"}).one()
    assert counts.not_flagged == counts.wrongly_dated == 0, counts
    sums = session.execute(_TALLIED).one()
    assert sums.tallied == sums.broken, sums


def check_scores(world: World) -> None:
    """Every lead, of any stream, is the same as when it is computed from its events."""
    with reading(world) as sessions:
        differences = [
            it
            for _, page in compare_leads(sessions, Policies(ScoringPolicy), utc_now())
            for it in page
        ]
    assert differences == []
