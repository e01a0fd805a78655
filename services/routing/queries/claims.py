"""Deliveries in hand: claimed with a lease, so that a crash gives back what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.routing.domain.attempts import SCHEDULE
from services.routing.domain.notifications import Notification
from services.routing.domain.signing import OldSecret
from services.routing.queries import breakers
from services.routing.queries.endpoints import old_secrets_of


@dataclass(frozen=True, slots=True)
class ClaimLimits:
    """How many attempts may start now."""

    attempts: int
    retries: int
    """Of these, so many at most that are no first attempts."""
    endpoint_limit: int
    """So many at most on their way to one endpoint."""
    host_limit: int
    """The same for all endpoints of a host."""


@dataclass(frozen=True, slots=True)
class Lease:
    """For how long a delivery is whose."""

    lasts: timedelta
    worker: str | None = None
    """By its name across restarts."""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose next try may start, and the open breakers that let only this one through."""

    id: UUID
    probes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that is ours until its lease ends."""

    notification: Notification
    number: int
    """Of this try, from 1, over all rounds."""
    attempts_before: int
    url: str
    host: str
    secret: bytes
    """As it is kept: encrypted."""
    disabled: bool
    old_secrets: Sequence[OldSecret] = ()
    probes: frozenset[str] = frozenset()
    """Breakers that an answer closes."""


def claim_deliveries(
    session: Session, room: ClaimLimits, *, lease: Lease, now: datetime
) -> list[ClaimedDelivery]:
    """Take what is due, first attempts first, and mark it ours for a while.

    Per handoff and endpoint only the oldest is due, so that a receiver hears things in their order; and no
    endpoint, and no host, has more than its part of attempts on their way at once.
    """
    return take_deliveries(session, due_deliveries(session, room, now=now), lease=lease, now=now)


def due_deliveries(session: Session, room: ClaimLimits, *, now: datetime) -> list[Due]:
    """What may be tried now: first attempts first, and of those what goes to hosts with the fewest on their way."""
    rows = session.execute(
        _DUE,
        {
            "now": now,
            "attempts": room.attempts,
            "retries": room.retries,
            "endpoint_limit": room.endpoint_limit,
            "host_limit": room.host_limit,
        },
    )
    return [
        Due(row.id, frozenset(it for it in (row.host_breaker, row.endpoint_breaker) if it))
        for row in rows
    ]


def take_deliveries(
    session: Session, due: Sequence[Due], *, lease: Lease, now: datetime
) -> list[ClaimedDelivery]:
    """Those of the deliveries that nobody else has taken meanwhile, with a try more and the pause after it.

    The pause is written before the try: one whose outcome nobody can record is not tried again within it.
    """
    ends = now + lease.lasts
    probe_ids = {probe for it in due for probe in it.probes}
    free_probes = (
        breakers.take_probes(session, probe_ids, now=now, until=ends) if probe_ids else set()
    )
    probes = {it.id: it.probes for it in due if it.probes <= free_probes}
    if not probes:
        return []
    rows = session.execute(
        _TAKE,
        {
            "ids": list(probes),
            "now": now,
            "ends": ends,
            "worker": lease.worker,
            "pauses": list(SCHEDULE),
        },
    )
    return [_claimed(row, probes[row.id]) for row in rows]


def free_leases(session: Session, worker: str, *, now: datetime) -> int:
    """Let go of what an earlier life of this worker had in hand; how many.

    First attempts are due at once. Others keep the pause that their claim has set: were it their sending that ended the
    worker, it would send them at each of its starts.
    """
    return len(session.execute(_FREE, {"worker": worker, "now": now}).all())


def _claimed(row: Row[Any], probes: frozenset[str]) -> ClaimedDelivery:
    return ClaimedDelivery(
        Notification(
            row.id,
            row.endpoint,
            row.handoff_id,
            row.hop,
            row.type,
            row.body,
            row.traceparent,
        ),
        number=row.attempt_count,
        attempts_before=row.attempts_before,
        url=row.url,
        host=row.host,
        secret=row.secret,
        disabled=row.disabled,
        old_secrets=old_secrets_of(row.old_secrets),
        probes=probes,
    )


_FREE = text("""
    update routing.deliveries
    set lease_until = null,
        next_attempt_at = case when attempt_count = 1 then :now else next_attempt_at end
    where state = 'pending' and lease_until is not null and leased_by = :worker
    returning id
""")

_TAKE = text("""
    with free as (
        select id from routing.deliveries
        where id = any(:ids) and state = 'pending' and (lease_until is null or lease_until <= :now)
            and next_attempt_at <= :now
        for update skip locked
    )
    update routing.deliveries as taken
    set lease_until = :ends, leased_by = :worker, attempt_count = attempt_count + 1,
        next_attempt_at = cast(:now as timestamptz) + (cast(:pauses as interval[]))[
            least(attempt_count - attempts_before + 1, cardinality(cast(:pauses as interval[])))]
    from free, routing.endpoints
    where taken.id = free.id and endpoints.id = taken.endpoint
    returning taken.id, taken.endpoint, taken.handoff_id, taken.hop, taken.type, taken.body,
        taken.traceparent, taken.attempt_count, taken.attempts_before, endpoints.url,
        coalesce(endpoints.host, endpoints.id) as host, endpoints.secret, endpoints.old_secrets,
        endpoints.disabled_at is not null as disabled
""")


_FIRST_ATTEMPTS = """
    select next.id, next.position, next.attempt_count > 0 as retry from routing.deliveries as next
    where next.endpoint = allowed.endpoint and next.state = 'pending' and next.attempt_count = 0
        and next.next_attempt_at <= :now and (next.lease_until is null or next.lease_until <= :now)
        and not exists (
            select from routing.deliveries as earlier
            where earlier.endpoint = next.endpoint and earlier.handoff_id = next.handoff_id
                and earlier.position < next.position and earlier.state = 'pending'
        )
    order by next.next_attempt_at limit greatest(allowed.room, 0)
"""
"""What has been due longest to an endpoint and is the oldest of its handoff there: as many as there is room for."""
_RETRIES = _FIRST_ATTEMPTS.replace("attempt_count = 0", "attempt_count > 0")

_DUE = text(
    """
    with recursive
    waiting (endpoint) as (
        select min(endpoint) from routing.deliveries where state = 'pending'
        union all
        select (
            select min(later.endpoint) from routing.deliveries as later
            where later.state = 'pending' and later.endpoint > waiting.endpoint
        )
        from waiting where waiting.endpoint is not null
    ),
    on_their_way (endpoint, host, attempts) as (
        select leased.endpoint, endpoints.host, count(*)
        from routing.deliveries as leased join routing.endpoints on endpoints.id = leased.endpoint
        where leased.state = 'pending' and leased.lease_until > :now
        group by leased.endpoint, endpoints.host
    ),
    to_hosts (host, attempts) as (select host, sum(attempts) from on_their_way group by host),
    allowed as (
        select endpoints.id as endpoint, endpoints.host, own.id as endpoint_breaker,
            shared.id as host_breaker,
            coalesce(on_their_way.attempts, 0) as attempts, coalesce(to_hosts.attempts, 0) as host_tries,
            case when own.id is null then :endpoint_limit else 1 end
                - coalesce(on_their_way.attempts, 0) as room,
            case when shared.id is null then :host_limit else 1 end
                - coalesce(to_hosts.attempts, 0) as host_room
        from waiting
        join routing.endpoints on endpoints.id = waiting.endpoint
        left join on_their_way on on_their_way.endpoint = endpoints.id
        left join to_hosts on to_hosts.host = endpoints.host
        left join routing.breakers as own
            on own.id = endpoints.id and endpoints.disabled_at is null
        left join routing.breakers as shared
            on shared.id = 'host/' || endpoints.host and endpoints.disabled_at is null
        where (own.id is null or own.probe_at <= :now)
            and (shared.id is null or shared.probe_at <= :now)
    ),
    due as (
        select allowed.*, nearest.*, row_number() over (
            partition by allowed.endpoint order by nearest.retry, nearest.position
        ) as turn
        from allowed cross join lateral (
            (<first attempts>)
            union all
            (<retries>)
        ) as nearest
        where allowed.host_room > 0
    ),
    of_endpoints as (
        select due.*, row_number() over (
            partition by host order by endpoint_breaker is not null, retry, attempts + turn, position
        ) as host_turn
        from due where turn <= room
    ),
    of_hosts as (
        select of_endpoints.*, row_number() over (
            partition by retry order by host_tries + host_turn, position
        ) as rank
        from of_endpoints where host_turn <= host_room
    )
    select id, host_breaker, endpoint_breaker from of_hosts
    where not retry or rank <= :retries
    order by retry, rank
    limit :attempts
""".replace("<first attempts>", _FIRST_ATTEMPTS).replace("<retries>", _RETRIES)
)
"""Endpoints with anything pending are found one after the other by an index, and looked at for no more than there is
room for: the cost does not grow with what is pending or was delivered."""
