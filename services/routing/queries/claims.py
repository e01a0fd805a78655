"""Claims of deliveries: each has a lease, so that a crash of its worker does not lose it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.routing.domain.attempts import SCHEDULE
from services.routing.domain.formats import Format
from services.routing.domain.notifications import Notification
from services.routing.queries import breakers
from services.routing.queries.endpoints import Keys, Secrets, old_secrets_of


@dataclass(frozen=True, slots=True)
class ClaimLimits:
    """How many attempts may start with one claim."""

    attempts: int
    retries: int
    """How many of these may be retries."""
    endpoint_limit: int
    """How many attempts may be in flight to one endpoint."""
    host_limit: int
    """How many attempts may be in flight to all endpoints of a host together."""


@dataclass(frozen=True, slots=True)
class Lease:
    """How long claims last, and which worker they belong to."""

    lasts: timedelta
    worker: str | None = None
    """The worker's name, which stays the same across restarts."""


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery whose next attempt may start, and the open breakers that allow only this attempt."""

    id: UUID
    probes: frozenset[str]
    has_failures: bool
    """Whether failures of its endpoint are counted, which a success ends."""


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that the dispatcher may attempt until its lease ends."""

    notification: Notification
    number: int
    """The number of this attempt, from 1; a redelivery goes on counting."""
    attempts_before: int
    url: bytes
    """Encrypted, as it is stored."""
    format: Format
    host: str
    secrets: Secrets
    keys: Keys
    disabled: bool
    probes: frozenset[str] = frozenset()
    """Breakers that a response closes."""
    has_failures: bool = False
    """Whether failures of its endpoint are counted, which a success ends."""


def claim_deliveries(
    session: Session, limits: ClaimLimits, *, lease: Lease, now: datetime
) -> list[ClaimedDelivery]:
    """Claim due deliveries, first attempts first.

    Per handoff and endpoint only the oldest is due, so that a receiver gets its webhooks in their order; one that waits
    for hours is passed by. No endpoint and no host has more attempts in flight than its limit.
    """
    return take_deliveries(session, due_deliveries(session, limits, now=now), lease=lease, now=now)


def due_deliveries(session: Session, limits: ClaimLimits, *, now: datetime) -> list[DueDelivery]:
    """Deliveries that may be attempted now: first attempts first, then those to hosts with the fewest in flight."""
    rows = session.execute(
        _DUE,
        {
            "now": now,
            "attempts": limits.attempts,
            "retries": limits.retries,
            "endpoint_limit": limits.endpoint_limit,
            "host_limit": limits.host_limit,
        },
    )
    return [
        DueDelivery(
            row.id,
            frozenset(it for it in (row.host_breaker, row.endpoint_breaker) if it),
            row.has_failures,
        )
        for row in rows
    ]


def take_deliveries(
    session: Session, due: Sequence[DueDelivery], *, lease: Lease, now: datetime
) -> list[ClaimedDelivery]:
    """Claim those of the deliveries that are still free; each has one attempt more, and the pause after it.

    The pause is saved before the attempt: without a recorded outcome, the next attempt comes after the pause.
    """
    ends = now + lease.lasts
    probe_ids = {probe for it in due for probe in it.probes}
    free_probes = (
        breakers.take_probes(session, probe_ids, now=now, until=ends) if probe_ids else set()
    )
    free = {it.id: it for it in due if it.probes <= free_probes}
    if not free:
        return []
    rows = session.execute(
        _TAKE,
        {
            "ids": list(free),
            "now": now,
            "ends": ends,
            "worker": lease.worker,
            "pauses": list(SCHEDULE),
        },
    )
    return [_claimed(row, free[row.id]) for row in rows]


def release_leases(session: Session, worker: str, *, now: datetime) -> int:
    """Release the claims of this worker's earlier run; returns how many there were.

    First attempts are due at once. Others keep the pause that their claim has set: otherwise a delivery that crashes
    the worker would be sent at each of its starts.
    """
    return len(session.execute(_FREE, {"worker": worker, "now": now}).all())


def notification_of(row: Row[Any]) -> Notification:
    """The notification of a row of deliveries."""
    return Notification(
        row.id,
        row.endpoint,
        row.handoff_id,
        row.hop,
        row.type,
        row.body,
        row.traceparent,
        accept_due_at=row.accept_due_at,
    )


def _claimed(row: Row[Any], due: DueDelivery) -> ClaimedDelivery:
    return ClaimedDelivery(
        notification_of(row),
        number=row.attempt_count,
        attempts_before=row.attempts_before,
        url=row.url,
        format=Format(row.format),
        host=row.host,
        secrets=Secrets(row.secret, old_secrets_of(row.old_secrets)),
        keys=Keys(row.private_key, old_secrets_of(row.old_keys)),
        disabled=row.disabled,
        probes=due.probes,
        has_failures=due.has_failures,
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
        taken.traceparent, taken.accept_due_at, taken.attempt_count, taken.attempts_before, endpoints.url,
        endpoints.format, endpoints.host, endpoints.secret, endpoints.old_secrets,
        endpoints.private_key, endpoints.old_keys, endpoints.disabled_at is not null as disabled
""")


_FIRST_ATTEMPTS = """
    select next.id, next.position, next.attempt_count > 0 as retry from routing.deliveries as next
    where next.endpoint = allowed.endpoint and next.state = 'pending' and next.attempt_count = 0
        and next.next_attempt_at <= :now and (next.lease_until is null or next.lease_until <= :now)
        and not exists (
            select from routing.deliveries as earlier
            where earlier.endpoint = next.endpoint and earlier.handoff_id = next.handoff_id
                and earlier.position < next.position and earlier.state = 'pending'
                and (earlier.clock_id is null or earlier.attempt_count > 0
                    or earlier.next_attempt_at <= :now)
        )
    order by next.next_attempt_at limit greatest(allowed.room, 0)
"""
"""Deliveries to an endpoint, each the oldest of its handoff there: those due longest, up to the limit.

One that waits for the hours of its receiver, which names its clock, lets later ones pass: these may be urgent.
"""
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
    in_flight (endpoint, host, attempts) as (
        select leased.endpoint, endpoints.host, count(*)
        from routing.deliveries as leased join routing.endpoints on endpoints.id = leased.endpoint
        where leased.state = 'pending' and leased.lease_until > :now
        group by leased.endpoint, endpoints.host
    ),
    to_hosts (host, attempts) as (select host, sum(attempts) from in_flight group by host),
    allowed as (
        select endpoints.id as endpoint, endpoints.host, own.id is not null as has_failures,
            case when own.opened_at is not null then own.id end as endpoint_breaker,
            shared.id as host_breaker,
            coalesce(in_flight.attempts, 0) as attempts,
            coalesce(to_hosts.attempts, 0) as host_attempts,
            case when own.opened_at is null then :endpoint_limit else 1 end
                - coalesce(in_flight.attempts, 0) as room,
            case when shared.id is null then :host_limit else 1 end
                - coalesce(to_hosts.attempts, 0) as host_room
        from waiting
        join routing.endpoints on endpoints.id = waiting.endpoint
        left join in_flight on in_flight.endpoint = endpoints.id
        left join to_hosts on to_hosts.host = endpoints.host
        left join routing.breakers as own
            on own.id = endpoints.id and endpoints.disabled_at is null
        left join routing.breakers as shared
            on shared.id = 'host/' || endpoints.host and endpoints.disabled_at is null
        where (own.opened_at is null or own.probe_at <= :now)
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
            partition by retry order by host_attempts + host_turn, position
        ) as rank
        from of_endpoints where host_turn <= host_room
    )
    select id, host_breaker, endpoint_breaker, has_failures from of_hosts
    where not retry or rank <= :retries
    order by retry, rank
    limit :attempts
""".replace("<first attempts>", _FIRST_ATTEMPTS).replace("<retries>", _RETRIES)
)
"""The endpoints with pending deliveries come one after the other from an index, and of each only as many deliveries are
read as may start: the cost does not grow with the number of pending or delivered ones."""
